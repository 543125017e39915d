"""Orders with all that happened to them: everything is shown, nothing is edited."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin.base import ReadOnlyMixin
from accounts.models import User
from orders import tasks
from orders.admin.base import GatewayNameMixin, show_moment
from orders.errors import OrderError
from orders.forms import StaffRefundForm
from orders.models import (
    GatewayMessage,
    InvoiceRequest,
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
    Refund,
)
from orders.queries.refunds import find_line_ids
from orders.services.export import export_orders
from orders.services.refunds.asking import quote_refund, start_refund
from portal.lib.money import format_yuan
from portal.lib.spreadsheet import XLSX


class OrderLineInline(ReadOnlyMixin, admin.TabularInline):
    model = OrderLine
    fields = [
        *("plan_title", "plan_year", "hours", "person", "quantity", "price"),
        *("is_live", "refunded_at"),
    ]
    readonly_fields = ["price"]
    extra = 0

    @admin.display(description="价格（元）")
    def price(self, line: OrderLine) -> str:
        return format_yuan(line.price_fen)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("person").order_by("pk")


class PaymentAttemptInline(GatewayNameMixin, ReadOnlyMixin, admin.TabularInline):
    model = PaymentAttempt
    fields = [
        "number",
        "gateway_name",
        "amount",
        "state",
        "created_at",
        "paid_at",
        "gateway_number",
        "pays_order",
        "refunded",
    ]
    readonly_fields = ["amount", "refunded", "gateway_name"]
    show_change_link = True
    extra = 0

    @admin.display(description="金额（元）")
    def amount(self, attempt: PaymentAttempt) -> str:
        return format_yuan(attempt.amount_fen)

    @admin.display(description="已退（元）")
    def refunded(self, attempt: PaymentAttempt) -> str:
        return format_yuan(attempt.refunded_fen)


class RefundInline(ReadOnlyMixin, admin.TabularInline):
    model = Refund
    fields = ["number", "origin", "amount", "state", "requested_at", "reason"]
    readonly_fields = ["amount"]
    show_change_link = True
    extra = 0

    @admin.display(description="金额（元）")
    def amount(self, refund: Refund) -> str:
        return format_yuan(refund.amount_fen)


class OrderEventInline(ReadOnlyMixin, admin.TabularInline):
    model = OrderEvent
    fields = ["moment", "kind", "actor", "detail"]
    readonly_fields = ["moment"]
    extra = 0

    @admin.display(description="时间")
    def moment(self, event: OrderEvent) -> str:
        return show_moment(event.at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderEvent]:
        rows = super().get_queryset(request)
        return rows.select_related("actor").order_by("at", "pk")


class InvoiceRequestInline(ReadOnlyMixin, admin.StackedInline):
    model = InvoiceRequest
    fields = ["buyer_kind", "title", "credit_code", "email", "requested_at"]
    extra = 0


@admin.register(Order)
class OrderAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = [
        "number",
        "buyer",
        "kind",
        "state",
        "total",
        "created_at",
        "paid_at",
    ]
    list_filter = ["state", "kind", "created_at"]
    list_select_related = ["buyer"]
    search_fields = [
        "number",
        "buyer__name",
        "buyer__username",
        "attempts__number",
        "attempts__gateway_number",
    ]
    search_help_text = "订单编号、支付编号、渠道交易号、下单人姓名或用户名"
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    actions = ["export_sheet"]
    fields = [
        "number",
        "buyer",
        "unit",
        "kind",
        "list_people",
        "state",
        "total",
        "refunded",
        "created_at",
        "expires_at",
        "paid_at",
        "closed_at",
        "list_messages",
    ]
    readonly_fields = ["total", "refunded", "list_people", "list_messages"]
    change_form_template = "admin/orders/order/change_form.html"
    inlines = [
        OrderLineInline,
        PaymentAttemptInline,
        RefundInline,
        OrderEventInline,
        InvoiceRequestInline,
    ]

    def get_inlines(self, request: HttpRequest, obj: Order | None) -> list[Any]:
        """Without the lines of a group order: there may be thousands of them."""
        is_group = obj is not None and obj.kind == Order.Kind.GROUP
        return [
            each for each in self.inlines if not (is_group and each is OrderLineInline)
        ]

    @admin.display(description="学员")
    def list_people(self, order: Order) -> SafeString | str:
        if order.kind != Order.Kind.GROUP:
            return "—"
        url = reverse("admin:orders_orderline_changelist")
        text = f"{order.lines.count()} 人，查看名单"
        return format_html(
            '<a href="{}?order__id__exact={}">{}</a>', url, order.pk, text
        )

    @admin.display(description="金额（元）", ordering="total_fen")
    def total(self, order: Order) -> str:
        return format_yuan(order.total_fen)

    @admin.display(description="已退金额（元）", ordering="refunded_fen")
    def refunded(self, order: Order) -> str:
        return format_yuan(order.refunded_fen)

    @admin.display(description="渠道报文")
    def list_messages(self, order: Order) -> SafeString | str:
        rows = GatewayMessage.objects.filter(attempt__order=order)
        links = [
            (
                reverse("admin:orders_gatewaymessage_change", args=[row.pk]),
                show_moment(row.received_at),
                row.get_source_display(),
                row.get_verdict_display(),
                row.get_state_display(),
            )
            for row in rows.order_by("received_at", "pk")
        ]
        line = '<li><a href="{}">{} {}</a>，{}，{}</li>'
        body = format_html_join("", line, links)
        return format_html("<ul>{}</ul>", body) if links else "无"

    def has_refund_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("orders.decide_refund")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.refund)
        own = path("<int:pk>/refund/", view, name="orders_order_refund")
        return [own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {
            **(extra_context or {}),
            "may_refund": self.has_refund_permission(request),
        }
        return super().change_view(request, object_id, form_url, context)

    def refund(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin a refund of the order, or of people on it."""
        if not self.has_refund_permission(request):
            raise PermissionDenied
        order = get_object_or_404(Order, pk=pk)
        may_override = cast(User, request.user).has_perm("orders.override_refund")
        form, quote = StaffRefundForm(), None
        try:
            quote = quote_refund(order=order, line_ids=None, now=timezone.now())
            form = StaffRefundForm(request.POST or None, codes=quote.code_count)
            if not may_override:
                del form.fields["override_reason"]
            if form.is_valid():
                refund = _start_refund(request, order, form)
                messages.success(request, f"退款 {refund.number} 已发起。")
                return redirect("admin:orders_refund_change", refund.pk)
        except OrderError as error:
            messages.error(request, str(error))
        context = {
            **self.admin_site.each_context(request),
            "title": "发起退款",
            "opts": self.model._meta,
            "order": order,
            "quote": quote,
            "form": form,
        }
        return TemplateResponse(request, "admin/orders/order/refund.html", context)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.export_order")

    @admin.action(description="导出 Excel", permissions=["export"])
    def export_sheet(
        self, request: HttpRequest, orders: QuerySet[Order]
    ) -> HttpResponse | None:
        actor, now = cast(User, request.user), timezone.now()
        try:
            content = export_orders(orders=orders, actor=actor, now=now)
        except OrderError as error:
            messages.error(request, str(error))
            return None
        name = f"orders-{timezone.localdate(now):%Y%m%d}.xlsx"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(content, content_type=XLSX, headers=headers)


def _start_refund(request: HttpRequest, order: Order, form: StaffRefundForm) -> Refund:
    names = form.get_usernames()
    refund = start_refund(
        order=order,
        line_ids=find_line_ids(order, names) if names else None,
        count=form.cleaned_data.get("count"),
        reason=form.cleaned_data["reason"],
        override_reason=form.cleaned_data.get("override_reason", ""),
        actor=cast(User, request.user),
        now=timezone.now(),
    )
    if refund.state == Refund.State.APPROVED:
        tasks.run_refund.delay_on_commit(refund.pk)
    return refund
