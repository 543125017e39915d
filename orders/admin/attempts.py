"""Attempts to pay and what gateways said: everything is shown, nothing is edited."""

from django.contrib import admin

from accounts.admin.base import ReadOnlyMixin
from orders.admin.base import GatewayFilter, GatewayNameMixin
from orders.models import GatewayMessage, PaymentAttempt
from portal.lib.money import format_yuan


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
    list_filter = ["state", GatewayFilter, "created_at"]
    list_select_related = ["order"]
    search_fields = ["number", "gateway_number", "order__number"]
    ordering = ["-created_at"]
    inlines = [GatewayMessageInline]
    fields = [
        *("number", "order", "subject", "gateway_name", "seller", "amount", "state"),
        *("created_at", "expires_at", "polled_at", "paid_at", "closed_at"),
        *("gateway_number", "received", "refunded", "pays_order"),
    ]
    readonly_fields = ["gateway_name", "amount", "received", "refunded"]

    @admin.display(description="金额（元）", ordering="amount_fen")
    def amount(self, attempt: PaymentAttempt) -> str:
        return format_yuan(attempt.amount_fen)

    @admin.display(description="到账金额（元）")
    def received(self, attempt: PaymentAttempt) -> str:
        fen = attempt.received_fen
        return "—" if fen is None else format_yuan(fen)

    @admin.display(description="已退金额（元）")
    def refunded(self, attempt: PaymentAttempt) -> str:
        return format_yuan(attempt.refunded_fen)


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
    list_filter = ["verdict", "state", "source", GatewayFilter, "received_at"]
    list_select_related = ["attempt"]
    search_fields = ["attempt__number", "event_id"]
    ordering = ["-received_at"]
    exclude = ["gateway"]
    readonly_fields = ["gateway_name"]
