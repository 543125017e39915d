"""Refunds: finance decide, and begin them from an order."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.base import ReadOnlyMixin
from accounts.models import User
from orders import tasks
from orders.errors import OrderError
from orders.forms import RefundDecisionForm
from orders.models import Refund, RefundLine, RefundTry
from orders.queries.refunds import list_parts_of
from orders.services.refunds import deciding
from orders.services.refunds.policy import list_policy_obstacles
from portal.lib.money import format_yuan

State = Refund.State

# What each button does; those of the second kind need the permission to override.
DECISIONS: dict[str, Callable[..., Refund]] = {
    "approve": lambda reason, **facts: deciding.approve_refund(
        decision=reason, **facts
    ),
    "refuse": lambda reason, **facts: deciding.refuse_refund(decision=reason, **facts),
    "override": deciding.propose_override,
    "retry": lambda reason, **facts: deciding.retry_refund(**facts),
    "paid_back": deciding.note_paid_back,
    "give_up": deciding.give_up_refund,
    "declare_failed": deciding.declare_failed,
}


class RefundLineInline(ReadOnlyMixin, admin.TabularInline):
    model = RefundLine
    fields = ["person", "plan", "quantity", "amount", "is_live"]
    readonly_fields = ["person", "plan", "amount"]
    extra = 0

    @admin.display(description="学员")
    def person(self, row: RefundLine) -> str:
        return row.line.person.name if row.line.person else "—"

    @admin.display(description="学习计划")
    def plan(self, row: RefundLine) -> str:
        return row.line.plan_title

    @admin.display(description="金额（元）")
    def amount(self, row: RefundLine) -> str:
        return format_yuan(row.amount_fen)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefundLine]:
        rows = super().get_queryset(request).select_related("refund", "line__person")
        return rows.order_by("line_id")


class RefundTryInline(ReadOnlyMixin, admin.TabularInline):
    model = RefundTry
    fields = ["number", "state", "created_at", "asked_at", "finished_at", "failure"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefundTry]:
        return super().get_queryset(request).order_by("pk")


@admin.register(Refund)
class RefundAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = [
        "number",
        "order",
        "amount",
        "state",
        "origin",
        "is_override",
        "requested_at",
        "decided_by",
    ]
    list_filter = ["state", "origin", "is_override", "requested_at"]
    list_select_related = ["order", "decided_by"]
    search_fields = ["number", "order__number", "attempt__number", "tries__number"]
    search_help_text = "退款单号、订单编号、支付编号或渠道退款编号"
    date_hierarchy = "requested_at"
    ordering = ["-requested_at", "-pk"]
    change_form_template = "admin/orders/refund/change_form.html"
    fields = [
        ("number", "state"),
        ("show_order", "show_attempt"),
        ("origin", "amount"),
        "reason",
        ("requested_by", "requested_at"),
        ("is_override", "override_reason", "proposed_by"),
        ("decided_by", "decided_at", "decision"),
        ("is_manual", "finished_at"),
        ("rounds", "due_at"),
    ]
    readonly_fields = ["amount", "show_order", "show_attempt"]
    inlines = [RefundTryInline, RefundLineInline]

    @admin.display(description="金额（元）", ordering="amount_fen")
    def amount(self, refund: Refund) -> str:
        return format_yuan(refund.amount_fen)

    @admin.display(description="订单")
    def show_order(self, refund: Refund) -> SafeString:
        url = reverse("admin:orders_order_change", args=[refund.order_id])
        text = f"{refund.order.number}（{refund.order.get_state_display()}）"
        return format_html('<a href="{}">{}</a>', url, text)

    @admin.display(description="支付记录")
    def show_attempt(self, refund: Refund) -> SafeString:
        url = reverse("admin:orders_paymentattempt_change", args=[refund.attempt_id])
        return format_html('<a href="{}">{}</a>', url, refund.attempt.number)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("orders.decide_refund")

    def has_override_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("orders.override_refund")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.decide)
        own = path("<int:pk>/decide/", view, name="orders_refund_decide")
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
            "may_decide": self.has_decide_permission(request),
        }
        return super().change_view(request, object_id, form_url, context)

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what speaks for and against, and take a decision."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        refund = get_object_or_404(
            Refund.objects.select_related("order", "attempt", "requested_by"), pk=pk
        )
        choices = self._list_choices(request, refund)
        form = RefundDecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            if request.POST.get("decision") not in dict(choices):
                raise PermissionDenied
            return self._take(request, refund, form.cleaned_data["reason"])
        parts = list_parts_of(refund)
        context = {
            **self.admin_site.each_context(request),
            "title": "办理退款",
            "opts": self.model._meta,
            "refund": refund,
            "amount": format_yuan(refund.amount_fen),
            "people": sum(not part.is_codes for part in parts),
            "codes": sum(part.quantity for part in parts if part.is_codes),
            "obstacles": self._list_obstacles(refund),
            "choices": choices,
            "form": form,
        }
        return TemplateResponse(request, "admin/orders/refund/decide.html", context)

    def _list_obstacles(self, refund: Refund) -> list[str]:
        if refund.state != State.REQUESTED:
            return []
        now, parts = timezone.now(), list_parts_of(refund)
        return list_policy_obstacles(refund.order, parts, now=now)

    def _list_choices(
        self, request: HttpRequest, refund: Refund
    ) -> list[tuple[str, str]]:
        """The buttons for this state, for this member of the staff."""
        if refund.state == State.REQUESTED:
            choices = [("approve", "通过"), ("refuse", "不予通过")]
            may_override = self.has_override_permission(request)
            if refund.is_override:
                return choices if may_override else choices[1:]
            if may_override:
                choices.insert(1, ("override", "提出超规则退款"))
            return choices
        if refund.state == State.FAILED:
            choices = [("retry", "重新发起"), ("paid_back", "已线下退回")]
            if refund.exception_id is None:
                choices.append(("give_up", "撤销退款"))
            return choices
        is_doubtful = refund.rounds >= deciding.ROUNDS_BEFORE_DOUBT
        if refund.state == State.APPROVED and is_doubtful:
            return [("declare_failed", "已核对渠道后台，确认未退")]
        return []

    def _take(self, request: HttpRequest, refund: Refund, reason: str) -> HttpResponse:
        decision = request.POST["decision"]
        try:
            DECISIONS[decision](
                refund_id=refund.pk,
                reason=reason,
                actor=cast(User, request.user),
                now=timezone.now(),
            )
        except OrderError as error:
            messages.error(request, str(error))
            return redirect("admin:orders_refund_decide", refund.pk)
        if decision in ("approve", "retry"):
            tasks.run_refund.delay_on_commit(refund.pk)
        messages.success(request, f"退款 {refund.number} 已办理。")
        return redirect("admin:orders_refund_change", refund.pk)
