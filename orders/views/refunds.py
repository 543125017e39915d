"""Asking for money back on the page of one's order."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from orders import tasks
from orders.errors import OrderError
from orders.forms import RefundForm
from orders.models import Order, OrderLine, Refund
from orders.queries.refunds import (
    describe_seats,
    has_refundable,
    list_refundable_lines,
    list_refunds_of,
)
from orders.services.refunds.asking import Quote, quote_refund, request_refund
from orders.services.refunds.deciding import withdraw_refund
from orders.services.refunds.policy import is_refund_too_late, read_policy
from orders.views.buyers import order_or_404, user_of
from portal.lib.masks import mask_name

SEATS_PER_PAGE = 50
# The colour of a refund's state.
TONES = {
    Refund.State.REQUESTED: "gold",
    Refund.State.APPROVED: "info",
    Refund.State.DONE: "success",
    Refund.State.FAILED: "warning",
    Refund.State.REFUSED: "danger",
}


def describe_refunds(order: Order, *, now: datetime) -> dict[str, Any]:
    """What the page of an order shows of its refunds."""
    refunds = list(list_refunds_of(order))
    for refund in refunds:
        # To the buyer a refusal of the gateway is work of the staff, not an end.
        is_failed = refund.state == Refund.State.FAILED
        refund.label = "退款处理中" if is_failed else refund.get_state_display()  # type: ignore[attr-defined]
        refund.tone = TONES.get(Refund.State(refund.state), "muted")  # type: ignore[attr-defined]
    is_paid = order.state == Order.State.PAID and order.total_fen > 0
    policy = read_policy()
    return {
        "refunds": refunds,
        "policy": policy,
        "may_ask_refund": (
            is_paid
            and policy.buyers_may_ask
            and not is_refund_too_late(order, now=now)
            and has_refundable(order)
        ),
    }


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def refund_ask(request: HttpRequest, number: str) -> HttpResponse:
    order, now = order_or_404(request, number), timezone.now()
    try:
        quote = quote_refund(order=order, line_ids=None, now=now)
    except OrderError as error:
        messages.error(request, str(error))
        return redirect("orders:detail", order.number)
    is_late = is_refund_too_late(order, now=now)
    page = None if is_late else _list_seats(request, order, quote)
    form = RefundForm(
        request.POST or None,
        seats=[(seat.line.pk, _name(order, seat.line)) for seat in page or []],
        may_whole=not quote.obstacles,
        codes=quote.code_count,
    )
    if request.method == "POST" and form.is_valid():
        try:
            refund = request_refund(
                order=order,
                line_ids=form.get_line_ids(),
                count=form.cleaned_data.get("count"),
                reason=form.cleaned_data["reason"],
                buyer=user_of(request),
                now=now,
            )
        except OrderError as error:
            form.add_error(None, str(error))
        else:
            _wake(refund)
            messages.success(request, "退款申请已提交。")
            return redirect("orders:detail", order.number)
    context = {
        "order": order,
        "quote": quote,
        "form": form,
        "page_obj": page,
        "policy": read_policy(),
        "is_closed": bool(quote.obstacles) and page is None,
    }
    return render(request, "orders/refund.html", context)


@login_required
@require_POST
def refund_withdraw(request: HttpRequest, number: str, refund: str) -> HttpResponse:
    order = order_or_404(request, number)
    row = list_refunds_of(order).filter(number=refund).first()
    if row is None:
        raise Http404
    try:
        withdraw_refund(refund_id=row.pk, buyer=user_of(request), now=timezone.now())
    except OrderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "退款申请已撤回。")
    return redirect("orders:detail", order.number)


def _list_seats(request: HttpRequest, order: Order, quote: Quote) -> Page[Any] | None:
    """A page of the people whose money can still go back; None for an order of one."""
    if len(quote.parts) < 2 or quote.code_count or not read_policy().by_seat:
        return None
    paginator = Paginator(list_refundable_lines(order), SEATS_PER_PAGE)
    page: Page[Any] = paginator.get_page(request.GET.get("page"))
    page.object_list = [
        seat for seat in describe_seats(page.object_list) if not seat.is_studied
    ]
    return page


def _name(order: Order, line: OrderLine) -> str:
    """A person as the buyer may read it: who buys for others need not know their names."""
    if line.person is None:
        return line.plan_title
    if line.person_id == order.buyer_id:
        return line.person.name
    return f"{mask_name(line.person.name)} {line.person.masked_id_number}"


def _wake(refund: Refund) -> None:
    if refund.state == Refund.State.APPROVED:
        tasks.run_refund.delay_on_commit(refund.pk)
