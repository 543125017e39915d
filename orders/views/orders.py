"""A person's orders: the list, one with its trace, its cancelling."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from orders import queries, tasks
from orders.errors import OrderError
from orders.forms import PayForm
from orders.models import Order, OrderEvent, PaymentAttempt
from orders.payments.protocol import GatewayUnavailable
from orders.payments.registry import get_gateway, list_gateways
from orders.rules import SHORTEST_PAYING_TIME, has_time_to_pay
from orders.services import expiry
from orders.views.buyers import offer_gateways, order_or_404, user_of
from orders.views.people import describe_people
from orders.views.refunds import describe_refunds

ORDERS_PER_PAGE = 10
# Of a number that somebody looks for: gateways' are the longest.
LONGEST_NUMBER = 64

# What the tabs of the order list show.
STATES_OF_TAB = {
    "pending": [Order.State.PENDING],
    "paid": [Order.State.PAID, Order.State.REFUNDED],
    "closed": [Order.State.CANCELLED, Order.State.EXPIRED],
}


@login_required
@never_cache
@require_GET
def order_list(request: HttpRequest) -> HttpResponse:
    tab, now = request.GET.get("state", ""), timezone.now()
    wanted = read_number(request.GET.get("q", ""))
    orders = queries.list_orders_for(user_of(request))
    if tab in STATES_OF_TAB:
        orders = orders.filter(state__in=STATES_OF_TAB[tab])
    if wanted:
        orders = queries.search_orders(orders, wanted)
    page = Paginator(orders, ORDERS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": queries.describe_orders(list(page), now=now),
        "tab": tab,
        "wanted": wanted,
    }
    return render(request, "orders/order_list.html", context)


def read_number(text: str) -> str:
    """A number as people copy it: with blanks, full-width or in lower case."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(plain.split())[:LONGEST_NUMBER]


@dataclass(frozen=True)
class Step:
    """One step of an order for components/_steps.html."""

    title: str
    state: str
    text: str = ""


# Steps of a payment: the title once reached, the title before, and the events that reach it.
STEPS = [
    ("已提交", "提交订单", {OrderEvent.Kind.PLACED}),
    ("支付中", "支付中", {OrderEvent.Kind.ATTEMPT_STARTED}),
    ("支付通知已收到", "等待支付通知", {OrderEvent.Kind.NOTIFIED}),
    ("支付成功", "支付成功", {OrderEvent.Kind.PAID}),
    ("学习已开通", "学习开通", {OrderEvent.Kind.ENROLLED}),
]
# In place of the last step of an order for codes.
CODES_STEP = ("激活码已生成", "激活码生成", {OrderEvent.Kind.CODES_ISSUED})
# In place of a notification that was lost, or is slower than our own query.
QUERIED_STEP = ("支付结果已查询", "", {OrderEvent.Kind.QUERIED})


def _list_steps(order: Order, events: list[OrderEvent]) -> list[Step]:
    """The steps with the time each was first reached; the first not reached is current."""
    kinds = {event.kind for event in events}
    is_queried = OrderEvent.Kind.QUERIED in kinds
    is_notified = OrderEvent.Kind.NOTIFIED in kinds
    rows = list(STEPS)
    if order.kind == Order.Kind.CODES:
        rows[-1] = CODES_STEP
    if is_queried and not is_notified:
        rows[2] = QUERIED_STEP
    reached: list[datetime | None] = [
        next((event.at for event in events if event.kind in kinds), None)
        for _, _, kinds in rows
    ]
    done = max((place for place, at in enumerate(reached) if at), default=-1)
    steps = []
    for place, (title, title_before, _) in enumerate(rows):
        at = reached[place]
        text = f"{timezone.localtime(at):%m-%d %H:%M:%S}" if at else ""
        state = "done" if place <= done else "current" if place == done + 1 else "todo"
        steps.append(Step(title if place <= done else title_before, state, text))
    return steps


@login_required
@never_cache
@require_GET
def order_detail(request: HttpRequest, number: str) -> HttpResponse:
    order = order_or_404(request, number)
    now = timezone.now()
    row = queries.describe_order(order, now=now)
    events = list(queries.list_events(order))
    attempts = list(queries.list_attempts(order))
    is_pending = order.state == Order.State.PENDING
    has_time = has_time_to_pay(expires_at=order.expires_at, now=now)
    context = {
        "row": row,
        "order": order,
        "events": events,
        "attempts": _name_gateways(attempts),
        "steps": _list_steps(order, events),
        "in_review": row.in_review,
        "can_pay": row.can_pay,
        "seconds_to_pay": _count_seconds_to_pay(order, now),
        "is_watched": (
            is_pending and not row.in_review and (bool(attempts) or not has_time)
        ),
        "has_returned": "returned" in request.GET,
        "fingerprint": fingerprint(order, events[-1].pk if events else 0),
        "pay_form": PayForm(
            gateways=offer_gateways(request),
            last_used=attempts[-1].gateway if attempts else "",
        ),
        **describe_refunds(order, now=now),
    }
    if order.kind == Order.Kind.GROUP:
        context |= describe_people(request, order)
    response = render(request, "orders/order_detail.html", context)
    _allow_cashiers(response)
    return response


def _name_gateways(attempts: list[PaymentAttempt]) -> list[tuple[str, PaymentAttempt]]:
    """Attempts with the gateway's name; one that is offered no more keeps its code."""
    names = dict(list_gateways())
    return [(names.get(each.gateway, each.gateway), each) for each in attempts]


def _count_seconds_to_pay(order: Order, now: datetime) -> int:
    """How long a payment can still be started; gateways refuse one in the last minute.

    Rounded up: the page is loaded anew at its end, and must not come too early, again and
    again.
    """
    last = order.expires_at - SHORTEST_PAYING_TIME
    return max(0, ceil((last - now).total_seconds()))


def fingerprint(order: Order, last_event_id: int) -> str:
    """Changes whenever something happens to the order."""
    return f"{order.state}-{last_event_id}"


def _allow_cashiers(response: HttpResponse) -> None:
    """Let the pay form of this page be answered by a redirect to a cashier."""
    sources: list[str] = []
    for code, _ in list_gateways():
        try:
            sources += get_gateway(code).browser_sources
        except GatewayUnavailable:
            continue
    response._csp_update = {"form-action": sources}  # type: ignore[attr-defined]


@login_required
@never_cache
@require_GET
def order_status(request: HttpRequest, number: str) -> HttpResponse:
    """Asked by the waiting page every three seconds: has anything happened?

    Nothing has: 204, and htmx leaves the page alone. After a return from the cashier the
    gateway is asked as well, for the notification may be lost.
    """
    order = order_or_404(request, number)
    last = queries.list_events(order).last()
    seen = request.GET.get("seen", "")
    if seen != fingerprint(order, last.pk if last else 0):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    if "returned" in request.GET:
        for attempt_id in queries.list_waiting_attempt_ids(order):
            tasks.query_attempt.delay_on_commit(attempt_id)
    return HttpResponse(status=204)


@login_required
@require_POST
def order_cancel(request: HttpRequest, number: str) -> HttpResponse:
    order = order_or_404(request, number)
    try:
        expiry.cancel_order(order=order, actor=user_of(request), now=timezone.now())
    except OrderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "订单已取消。")
    return redirect("orders:detail", order.number)
