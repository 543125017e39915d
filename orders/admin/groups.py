"""Group purchases for staff: lists that look like guessing, and the people of an order."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.base import ReadOnlyMixin
from accounts.models import User
from orders.admin.base import DecidedAdmin
from orders.models import GroupCheck, OrderLine
from orders.services.groups import close_alarm
from portal.lib.money import format_yuan


class AlarmForm(forms.ModelForm):
    """What staff found out about a buyer whose numbers were mostly nobody's."""

    class Meta:
        model = GroupCheck
        fields = ["alarm_note"]
        widgets = {"alarm_note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = True
            field.help_text = "填写后该名单标记为已核查；请勿填写证件号码、手机号码。"


@admin.register(GroupCheck)
class GroupCheckAdmin(DecidedAdmin):
    """The counts of each list and never its people: staff have no need of those."""

    list_display = [
        *("code", "created_at", "buyer", "unit"),
        *("asked_count", "found", "alarm", "state", "plan"),
    ]
    list_filter = ["alarm", "state", "created_at"]
    list_select_related = ["buyer", "unit", "plan"]
    search_fields = ["code", "buyer__name", "unit__name", "order__number"]
    search_help_text = "名单编号、经办人姓名、单位名称、订单编号"
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    fields = [
        *("code", "buyer", "unit", "plan", "state", "order", "reason"),
        *("row_count", "free_count", "asked_count", "unknown_count", "found"),
        *("created_at", "checked_at", "forgotten_at"),
        *("alarm", "alarm_note", "alarm_seen_by", "alarm_seen_at"),
    ]
    form = AlarmForm

    @admin.display(description="命中率")
    def found(self, check: GroupCheck) -> str:
        return f"{check.found_percent}%" if check.asked_count else "—"

    def get_readonly_fields(
        self, request: HttpRequest, obj: GroupCheck | None = None
    ) -> list[Any]:
        is_open = obj is not None and obj.alarm == GroupCheck.Alarm.OPEN
        editable = {"alarm_note"} if is_open else set()
        return [name for name in self.fields if name not in editable]

    def save_model(
        self, request: HttpRequest, obj: GroupCheck, form: Any, change: bool
    ) -> None:
        close_alarm(
            check_id=obj.pk,
            # A colleague was quicker: then there is no such field any more.
            note=form.cleaned_data.get("alarm_note", ""),
            actor=cast(User, request.user),
            now=timezone.now(),
        )


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """The people of group orders: thousands, so not on the order's own page."""

    list_display = ["order", "person", "plan_title", "price", "is_live", "refunded_at"]
    list_filter = ["is_live"]
    list_select_related = ["order", "person"]
    search_fields = ["order__number", "person__name"]
    search_help_text = "订单编号、学员姓名"
    ordering = ["-pk"]
    show_full_result_count = False
    fields = [
        *("order", "person", "plan_title", "plan_year", "hours", "price"),
        *("quantity", "is_live", "refunded_at"),
    ]
    readonly_fields = ["price"]

    @admin.display(description="价格（元）")
    def price(self, line: OrderLine) -> str:
        return format_yuan(line.price_fen)

    def has_module_permission(self, request: HttpRequest) -> bool:
        # Reached from an order; by itself a list of millions says nothing.
        return False
