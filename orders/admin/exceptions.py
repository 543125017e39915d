"""Payment exceptions: finance staff decide."""

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from orders import tasks
from orders.admin.base import DecidedOnceAdmin, GatewayFilter, GatewayNameMixin
from orders.errors import ExceptionResolvedError
from orders.models import PaymentException, Refund
from orders.services.resolution import resolve_exception
from portal.lib.money import format_yuan


class ResolveForm(forms.ModelForm):
    """What was done about an exception, and why."""

    told_yuan = forms.DecimalField(
        label="渠道退款金额（元）",
        min_value=Decimal("0.01"),
        max_digits=10,
        decimal_places=2,
        required=False,
        help_text="通知未告知金额；予以确认时请按渠道后台填写。对账单到达后会自动补全。",
    )

    class Meta:
        model = PaymentException
        fields = ["outcome", "resolution"]
        widgets = {"resolution": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "outcome": "予以确认：用于订单并开通（渠道侧退款则记入退款）；"
            "退回款项：立即向支付渠道发起退款；无需处理：核对无误或已另行处理。"
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("outcome", "resolution"):
            # A page of the closed one shows them as texts.
            if name in self.fields:
                self.fields[name].required = True

    def read_amount_fen(self) -> int | None:
        yuan = self.cleaned_data.get("told_yuan")
        return None if yuan is None else int(yuan * 100)


def _lacks_amount(exception: PaymentException) -> bool:
    return (
        exception.state == PaymentException.State.OPEN
        and exception.kind == PaymentException.Kind.FOREIGN_REFUND
        and exception.amount_fen is None
    )


@admin.register(PaymentException)
class PaymentExceptionAdmin(GatewayNameMixin, DecidedOnceAdmin):
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
    list_filter = ["state", "kind", GatewayFilter, "raised_at"]
    list_select_related = ["resolved_by"]
    search_fields = ["attempt_number", "attempt__order__number"]
    ordering = ["state", "-raised_at"]
    fields = [
        "kind",
        "gateway_name",
        "attempt_number",
        "show_order",
        "show_asked",
        "show_seat",
        "refund_number",
        "amount",
        "message",
        "raised_at",
        "state",
        "outcome",
        "resolution",
        "resolved_by",
        "resolved_at",
        "show_refund",
    ]
    form = ResolveForm

    def get_readonly_fields(
        self, request: HttpRequest, obj: PaymentException | None = None
    ) -> list[Any]:
        is_open = obj is not None and obj.state == PaymentException.State.OPEN
        editable = {"outcome", "resolution"} if is_open else set()
        return [name for name in self.fields if name not in editable]

    def get_fields(
        self, request: HttpRequest, obj: PaymentException | None = None
    ) -> list[Any]:
        """With a field for the amount of a foreign refund whose note named none."""
        fields = list(self.fields)
        if obj is not None and _lacks_amount(obj):
            fields.insert(fields.index("outcome") + 1, "told_yuan")
        return fields

    @admin.display(description="订单")
    def show_order(self, exception: PaymentException) -> SafeString | str:
        if exception.attempt is None:
            return "无对应订单"
        order = exception.attempt.order
        url = reverse("admin:orders_order_change", args=[order.pk])
        text = f"{order.number}（{order.get_state_display()}）"
        return format_html('<a href="{}">{}</a>', url, text)

    @admin.display(description="涉及人员")
    def show_seat(self, exception: PaymentException) -> str:
        line = exception.line
        if line is None:
            return "整笔款项"
        return f"{line.person.name if line.person else ''} {line.plan_title}"

    @admin.display(description="退款")
    def show_refund(self, exception: PaymentException) -> SafeString | str:
        refund = Refund.objects.filter(exception=exception).first()
        if refund is None:
            return "—"
        url = reverse("admin:orders_refund_change", args=[refund.pk])
        text = f"{refund.number}（{refund.get_state_display()}）"
        return format_html('<a href="{}">{}</a>', url, text)

    @admin.display(description="金额（元）", ordering="amount_fen")
    def amount(self, exception: PaymentException) -> str:
        paid = exception.amount_fen
        return "—" if paid is None else format_yuan(paid)

    @admin.display(description="应付金额（元）")
    def show_asked(self, exception: PaymentException) -> str:
        attempt = exception.attempt
        return format_yuan(attempt.amount_fen) if attempt else "—"

    def save_model(
        self, request: HttpRequest, obj: PaymentException, form: Any, change: bool
    ) -> None:
        if "outcome" not in form.cleaned_data:
            # Resolved since this page was opened, so the form was without its fields.
            raise ExceptionResolvedError
        resolve_exception(
            exception_id=obj.pk,
            outcome=PaymentException.Outcome(form.cleaned_data["outcome"]),
            reason=form.cleaned_data["resolution"],
            amount_fen=form.read_amount_fen(),
            actor=cast(User, request.user),
            now=timezone.now(),
        )
        refund = Refund.objects.filter(exception=obj).first()
        if refund is not None and refund.state == Refund.State.APPROVED:
            tasks.run_refund.delay_on_commit(refund.pk)
