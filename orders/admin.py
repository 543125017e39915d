"""Orders for staff: everything is shown, nothing is edited; exceptions are resolved."""

from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from orders.errors import OrderError
from orders.models import (
    GatewayMessage,
    InvoiceRequest,
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.registry import list_gateways
from orders.services.export import export_orders
from orders.services.resolution import resolve_exception
from portal.lib.money import format_yuan
from portal.lib.spreadsheet import XLSX


def show_moment(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


class GatewayNameMixin:
    """Shows the name of a gateway in place of its code."""

    @admin.display(description="支付方式", ordering="gateway")
    def gateway_name(
        self, row: PaymentAttempt | GatewayMessage | PaymentException
    ) -> str:
        return dict(list_gateways()).get(row.gateway, row.gateway)


class ReadOnlyMixin:
    """Rows that only services may write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrderLineInline(ReadOnlyMixin, admin.TabularInline):
    model = OrderLine
    fields = ["plan_title", "plan_year", "hours", "person", "price", "is_live"]
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
    ]
    readonly_fields = ["amount", "gateway_name"]
    show_change_link = True
    extra = 0

    @admin.display(description="金额（元）")
    def amount(self, attempt: PaymentAttempt) -> str:
        return format_yuan(attempt.amount_fen)


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
        "kind",
        "state",
        "total",
        "created_at",
        "expires_at",
        "paid_at",
        "closed_at",
        "list_messages",
    ]
    readonly_fields = ["total", "list_messages"]
    inlines = [
        OrderLineInline,
        PaymentAttemptInline,
        OrderEventInline,
        InvoiceRequestInline,
    ]

    @admin.display(description="金额（元）", ordering="total_fen")
    def total(self, order: Order) -> str:
        return format_yuan(order.total_fen)

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


class GatewayMessageInline(ReadOnlyMixin, admin.TabularInline):
    model = GatewayMessage
    fields = ["received_at", "source", "event_id", "verdict", "state", "processed_at"]
    show_change_link = True
    extra = 0


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(GatewayNameMixin, ReadOnlyMixin, admin.ModelAdmin):
    list_display = [
        "number",
        "order",
        "gateway_name",
        "amount",
        "state",
        "created_at",
        "paid_at",
    ]
    list_filter = ["state", "gateway", "created_at"]
    list_select_related = ["order"]
    search_fields = ["number", "gateway_number", "order__number"]
    ordering = ["-created_at"]
    inlines = [GatewayMessageInline]

    @admin.display(description="金额（元）", ordering="amount_fen")
    def amount(self, attempt: PaymentAttempt) -> str:
        return format_yuan(attempt.amount_fen)


@admin.register(GatewayMessage)
class GatewayMessageAdmin(GatewayNameMixin, ReadOnlyMixin, admin.ModelAdmin):
    list_display = [
        "received_at",
        "gateway_name",
        "source",
        "attempt",
        "verdict",
        "state",
        "reason",
    ]
    list_filter = ["verdict", "state", "source", "gateway", "received_at"]
    list_select_related = ["attempt"]
    search_fields = ["attempt__number", "event_id"]
    ordering = ["-received_at"]


class ResolveForm(forms.ModelForm):
    """What was done about an exception, and why."""

    class Meta:
        model = PaymentException
        fields = ["outcome", "resolution"]
        widgets = {"resolution": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = True


@admin.register(PaymentException)
class PaymentExceptionAdmin(GatewayNameMixin, admin.ModelAdmin):
    list_display = [
        "raised_at",
        "kind",
        "gateway_name",
        "attempt_number",
        "amount",
        "state",
        "outcome",
        "resolved_by",
    ]
    list_filter = ["state", "kind", "gateway", "raised_at"]
    list_select_related = ["resolved_by"]
    search_fields = ["attempt_number", "attempt__order__number"]
    ordering = ["state", "-raised_at"]
    fields = [
        "kind",
        "gateway_name",
        "attempt_number",
        "show_order",
        "show_asked",
        "amount",
        "message",
        "raised_at",
        "state",
        "outcome",
        "resolution",
        "resolved_by",
        "resolved_at",
    ]
    form = ResolveForm

    def get_readonly_fields(
        self, request: HttpRequest, obj: PaymentException | None = None
    ) -> list[Any]:
        is_open = obj is not None and obj.state == PaymentException.State.OPEN
        editable = {"outcome", "resolution"} if is_open else set()
        return [name for name in self.fields if name not in editable]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: PaymentException | None = None
    ) -> bool:
        return False

    @admin.display(description="订单")
    def show_order(self, exception: PaymentException) -> SafeString | str:
        if exception.attempt is None:
            return "无对应订单"
        order = exception.attempt.order
        url = reverse("admin:orders_order_change", args=[order.pk])
        text = f"{order.number}（{order.get_state_display()}）"
        return format_html('<a href="{}">{}</a>', url, text)

    @admin.display(description="到账金额（元）", ordering="amount_fen")
    def amount(self, exception: PaymentException) -> str:
        paid = exception.amount_fen
        return "—" if paid is None else format_yuan(paid)

    @admin.display(description="应付金额（元）")
    def show_asked(self, exception: PaymentException) -> str:
        attempt = exception.attempt
        return format_yuan(attempt.amount_fen) if attempt else "—"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().change_view(request, object_id, form_url, extra_context)
        except OrderError as error:
            messages.error(request, str(error))
            return self.response_post_save_change(request, None)

    def save_model(
        self, request: HttpRequest, obj: PaymentException, form: Any, change: bool
    ) -> None:
        resolve_exception(
            exception_id=obj.pk,
            outcome=PaymentException.Outcome(form.cleaned_data["outcome"]),
            reason=form.cleaned_data["resolution"],
            actor=cast(User, request.user),
            now=timezone.now(),
        )
