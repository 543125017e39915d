"""Activation codes and their imports for staff: read only, and never a secret."""

from django.contrib import admin

from accounts.admin.base import ReadOnlyMixin
from orders.models import ActivationCode, CodeImport


@admin.register(ActivationCode)
class ActivationCodeAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = [
        *("number", "plan", "state", "owner", "order_number", "person"),
        *("given_at", "used_at"),
    ]
    list_filter = ["state", "plan__year", "plan__subject", "issued_at"]
    list_select_related = ["plan", "owner", "person", "line__order"]
    search_fields = [
        *("number", "line__order__number", "owner__name", "owner__username"),
        *("person__name", "person__username"),
    ]
    search_help_text = "激活码编号、订单编号，购买人或学员的姓名、用户名"
    ordering = ["-pk"]
    show_full_result_count = False
    fields = [
        *("number", "plan", "state", "owner", "order_number", "person"),
        *("issued_at", "printed_at", "given_at", "used_at"),
        *("voided_at", "voided_for"),
    ]
    readonly_fields = ["order_number"]

    @admin.display(description="订单")
    def order_number(self, code: ActivationCode) -> str:
        return code.line.order.number


@admin.register(CodeImport)
class CodeImportAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = [
        *("code", "plan", "owner", "state", "row_count", "valid_count"),
        *("given_count", "failed_count", "uploaded_at"),
    ]
    list_filter = ["state", "uploaded_at"]
    list_select_related = ["plan", "owner"]
    search_fields = ["code", "owner__name", "owner__username"]
    search_help_text = "编号，导入人的姓名、用户名"
    ordering = ["-pk"]
    fields = [
        *("code", "plan", "owner", "state", "reason", "row_count", "checked_count"),
        *("valid_count", "given_count", "failed_count", "uploaded_at", "checked_at"),
        *("confirmed_at", "ended_at", "forgotten_at"),
    ]
