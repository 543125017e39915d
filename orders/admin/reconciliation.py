"""Bills, their lines and what differs: finance see the figures and resolve differences."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.base import ReadOnlyMixin
from accounts.models import User
from orders import tasks
from orders.admin.base import (
    BillGatewayFilter,
    DecidedOnceAdmin,
    GatewayFilter,
    GatewayNameMixin,
)
from orders.errors import DifferenceResolvedError, OrderError
from orders.forms import BillRequestForm
from orders.models import BillDay, BillDifference, BillEntry
from orders.payments.registry import list_gateways
from orders.queries.reconciliation import list_bill_days, read_totals
from orders.rules.reconciliation import BILL_ZONE
from orders.services.reconciliation import request_bill, resolve_difference
from portal.lib.money import format_yuan


def show_sum(count: int, fen: int) -> str:
    return f"{format_yuan(fen)}元（{count}笔）"


class BillDifferenceInline(ReadOnlyMixin, admin.TabularInline):
    model = BillDifference
    fields = [
        "subject",
        "kind",
        "attempt_number",
        "refund_number",
        "ours",
        "theirs",
        "state",
        "resolution",
    ]
    readonly_fields = ["ours", "theirs"]
    show_change_link = True
    extra = 0

    @admin.display(description="本站（元）")
    def ours(self, row: BillDifference) -> str:
        return show_amount(row.our_fen)

    @admin.display(description="渠道（元）")
    def theirs(self, row: BillDifference) -> str:
        return show_amount(row.their_fen)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillDifference]:
        return super().get_queryset(request).select_related("bill").order_by("pk")


def show_amount(fen: int | None) -> str:
    return "—" if fen is None else format_yuan(fen)


@admin.register(BillDay)
class BillDayAdmin(GatewayNameMixin, ReadOnlyMixin, admin.ModelAdmin):
    list_display = [
        "day",
        "gateway_name",
        "state",
        "differences_open",
        "their_paid",
        "our_paid",
        "their_refunded",
        "our_refunded",
    ]
    list_filter = [GatewayFilter, "state", "day"]
    date_hierarchy = "day"
    ordering = ["-day", "gateway"]
    change_list_template = "admin/orders/billday/change_list.html"
    fields = [
        ("day", "gateway_name", "state"),
        ("their_paid", "our_paid"),
        ("their_refunded", "our_refunded"),
        ("found_payments", "show_entries"),
        ("read_at", "tried_at", "problem"),
    ]
    readonly_fields = [
        "their_paid",
        "our_paid",
        "their_refunded",
        "our_refunded",
        "gateway_name",
        "show_entries",
    ]
    inlines = [BillDifferenceInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillDay]:
        return list_bill_days()

    @admin.display(description="渠道收款", ordering="their_paid_fen")
    def their_paid(self, bill: BillDay) -> str:
        return show_sum(bill.their_payments, bill.their_paid_fen)

    @admin.display(description="本站收款", ordering="our_paid_fen")
    def our_paid(self, bill: BillDay) -> str:
        return show_sum(bill.our_payments, bill.our_paid_fen)

    @admin.display(description="渠道退款", ordering="their_refunded_fen")
    def their_refunded(self, bill: BillDay) -> str:
        return show_sum(bill.their_refunds, bill.their_refunded_fen)

    @admin.display(description="本站退款", ordering="our_refunded_fen")
    def our_refunded(self, bill: BillDay) -> str:
        return show_sum(bill.our_refunds, bill.our_refunded_fen)

    @admin.display(description="差异", ordering="open_differences")
    def differences_open(self, bill: BillDay) -> int:
        return cast(int, bill.open_differences)  # type: ignore[attr-defined]

    @admin.display(description="账单明细")
    def show_entries(self, bill: BillDay) -> SafeString:
        url = reverse("admin:orders_billentry_changelist")
        count = bill.their_payments + bill.their_refunds
        text = f"查看全部 {count} 行"
        return format_html('<a href="{}?bill__id__exact={}">{}</a>', url, bill.pk, text)

    def has_run_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("orders.run_billday")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.run_view)
        own = path("run/", view, name="orders_billday_run")
        return [own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with the sum of what the filters leave."""
        context = {
            **(extra_context or {}),
            "may_run": self.has_run_permission(request),
        }
        response = super().changelist_view(request, context)
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown:
            totals = read_totals(shown["cl"].queryset.order_by())
            shown["totals"] = [
                ("渠道收款", totals["their_payments"], totals["their_paid_fen"]),
                ("本站收款", totals["our_payments"], totals["our_paid_fen"]),
                ("渠道退款", totals["their_refunds"], totals["their_refunded_fen"]),
                ("本站退款", totals["our_refunds"], totals["our_refunded_fen"]),
            ]
        return response

    def run_view(self, request: HttpRequest) -> HttpResponse:
        """Have the bill of a day read; a worker does it."""
        if not self.has_run_permission(request):
            raise PermissionDenied
        now = timezone.now()
        yesterday = now.astimezone(BILL_ZONE).date() - timedelta(days=1)
        form = BillRequestForm(
            request.POST or None, gateways=list_gateways(), initial={"day": yesterday}
        )
        if form.is_valid():
            try:
                bill = request_bill(**form.cleaned_data, now=now, actor=_actor(request))
            except OrderError as error:
                form.add_error("day", str(error))
            else:
                tasks.reconcile_bill.delay_on_commit(bill.pk)
                messages.success(request, "对账已发起，稍后刷新查看结果。")
                return redirect("admin:orders_billday_change", bill.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "发起对账",
            "opts": self.model._meta,
            "form": form,
        }
        return TemplateResponse(request, "admin/orders/billday/run.html", context)


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)


@admin.register(BillEntry)
class BillEntryAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = [
        "position",
        "bill",
        "attempt_number",
        "refund_number",
        "gateway_number",
        "amount",
        "at",
    ]
    list_filter = [BillGatewayFilter, "bill__day"]
    list_select_related = ["bill"]
    search_fields = ["attempt_number", "refund_number", "gateway_number"]
    search_help_text = "支付编号、退款编号或渠道交易号"
    show_full_result_count = False
    ordering = ["-bill__day", "bill", "position"]

    @admin.display(description="金额（元）", ordering="amount_fen")
    def amount(self, row: BillEntry) -> str:
        sign = "-" if row.refund_number else ""
        return sign + format_yuan(row.amount_fen)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "bill__id__exact" or super().lookup_allowed(
            lookup, value, request
        )


class ResolveDifferenceForm(forms.ModelForm):
    class Meta:
        model = BillDifference
        fields = ["resolution"]
        widgets = {"resolution": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = True


@admin.register(BillDifference)
class BillDifferenceAdmin(DecidedOnceAdmin):
    list_display = [
        "bill",
        "subject",
        "kind",
        "attempt_number",
        "refund_number",
        "ours",
        "theirs",
        "state",
        "resolved_by",
    ]
    list_filter = ["state", "kind", "subject", BillGatewayFilter, "bill__day"]
    list_select_related = ["bill", "resolved_by"]
    search_fields = ["attempt_number", "refund_number"]
    ordering = ["-bill__day", "pk"]
    form = ResolveDifferenceForm
    fields = [
        ("bill", "subject", "kind"),
        ("attempt_number", "refund_number", "show_order"),
        ("ours", "theirs"),
        ("state", "found_at"),
        "resolution",
        ("resolved_by", "resolved_at"),
    ]

    @admin.display(description="本站（元）", ordering="our_fen")
    def ours(self, row: BillDifference) -> str:
        return show_amount(row.our_fen)

    @admin.display(description="渠道（元）", ordering="their_fen")
    def theirs(self, row: BillDifference) -> str:
        return show_amount(row.their_fen)

    @admin.display(description="订单")
    def show_order(self, row: BillDifference) -> SafeString | str:
        if row.attempt is None:
            return "无对应订单"
        url = reverse("admin:orders_order_change", args=[row.attempt.order_id])
        return format_html('<a href="{}">{}</a>', url, row.attempt.order.number)

    def get_readonly_fields(
        self, request: HttpRequest, obj: BillDifference | None = None
    ) -> list[Any]:
        is_open = obj is not None and obj.state == BillDifference.State.OPEN
        names = [
            *("bill", "subject", "kind", "attempt_number", "refund_number"),
            *("show_order", "ours", "theirs", "state", "found_at"),
            *("resolved_by", "resolved_at"),
        ]
        return names if is_open else [*names, "resolution"]

    def save_model(
        self, request: HttpRequest, obj: BillDifference, form: Any, change: bool
    ) -> None:
        if "resolution" not in form.cleaned_data:
            # Resolved or gone since this page was opened.
            raise DifferenceResolvedError
        resolve_difference(
            difference_id=obj.pk,
            resolution=form.cleaned_data["resolution"],
            actor=_actor(request),
            now=timezone.now(),
        )
