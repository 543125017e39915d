"""Checkout, orders, and the three addresses a payment goes through: pay, return, notify."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from catalog.errors import PlanNotFoundError
from catalog.models import Plan
from catalog.queries import get_plan
from orders import queries, tasks
from orders.errors import (
    OrderError,
    OrderNotFoundError,
    PlanAlreadyHeldError,
    PlanBeingBoughtError,
    PlanNotOnSaleError,
)
from orders.forms import CheckoutForm, PayForm
from orders.models import Order, OrderEvent, PaymentAttempt
from orders.payments.protocol import Callbacks, Channel, GatewayUnavailable, Inbound
from orders.payments.registry import get_gateway, has_gateway, list_gateways
from orders.rules import has_time_to_pay
from orders.services import checkout as checkout_service
from orders.services import expiry, notifications, payment

ORDERS_PER_PAGE = 10

# What the tabs of the order list show.
STATES_OF_TAB = {
    "pending": [Order.State.PENDING],
    "paid": [Order.State.PAID, Order.State.REFUNDED],
    "closed": [Order.State.CANCELLED, Order.State.EXPIRED],
}


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _get_order(request: HttpRequest, number: str) -> Order:
    try:
        return queries.get_order_for(_user(request), number)
    except OrderNotFoundError as error:
        raise Http404(str(error)) from error


# --- Checkout ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Obstacle:
    """Why a plan cannot be bought, and where to go instead."""

    text: str
    url: str = ""
    label: str = ""


def _describe_obstacle(error: OrderError) -> Obstacle:
    if isinstance(error, PlanAlreadyHeldError):
        url = reverse("learning:course-list", args=[error.plan_code])
        return Obstacle(str(error), url, "去学习")
    if isinstance(error, PlanBeingBoughtError) and error.order_number:
        url = reverse("orders:detail", args=[error.order_number])
        return Obstacle(str(error), url, "查看订单")
    return Obstacle(str(error))


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest, plan: str) -> HttpResponse:
    try:
        row = get_plan(plan)
    except PlanNotFoundError as error:
        raise Http404(error.message) from error
    user, now = _user(request), timezone.now()
    form = CheckoutForm(
        request.POST if request.method == "POST" else None,
        asks_invoice=row.entry == Plan.Entry.ONE,
        initial={"title": user.name},
    )
    try:
        if request.method == "POST" and form.is_valid():
            order = checkout_service.place_personal_order(
                buyer=user, plan=row, invoice=form.get_invoice(), now=now
            )
            return redirect("orders:detail", order.number)
        checkout_service.check_purchase(person=user, plan=row, now=now)
        obstacle = None
    except (PlanAlreadyHeldError, PlanBeingBoughtError, PlanNotOnSaleError) as error:
        obstacle = _describe_obstacle(error)
    context = {
        "plan": row,
        "form": form,
        "obstacle": obstacle,
        "profile": getattr(user, "profile", None),
        "minutes": settings.ORDER_LIFETIME_MINUTES,
    }
    return render(request, "orders/checkout.html", context)


# --- A person's orders -------------------------------------------------------------------


@login_required
@never_cache
@require_GET
def order_list(request: HttpRequest) -> HttpResponse:
    tab = request.GET.get("state", "")
    orders = queries.list_orders_for(_user(request))
    if tab in STATES_OF_TAB:
        orders = orders.filter(state__in=STATES_OF_TAB[tab])
    page = Paginator(orders, ORDERS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "tab": tab, "now": timezone.now()}
    return render(request, "orders/order_list.html", context)


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
# In place of a notification that was lost, or is slower than our own query.
QUERIED_STEP = ("支付结果已查询", "", {OrderEvent.Kind.QUERIED})


def _list_steps(events: list[OrderEvent]) -> list[Step]:
    """The steps with the time each was first reached; the first not reached is current."""
    kinds = {event.kind for event in events}
    is_queried = OrderEvent.Kind.QUERIED in kinds
    is_notified = OrderEvent.Kind.NOTIFIED in kinds
    rows = list(STEPS)
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
    order = _get_order(request, number)
    now = timezone.now()
    events = list(queries.list_events(order))
    is_pending = order.state == Order.State.PENDING
    in_review = is_pending and order.in_review  # type: ignore[attr-defined]
    is_started = any(event.kind == OrderEvent.Kind.ATTEMPT_STARTED for event in events)
    has_time = has_time_to_pay(expires_at=order.expires_at, now=now)
    context = {
        "order": order,
        "lines": list(order.lines.all()),
        "events": events,
        "steps": _list_steps(events),
        "in_review": in_review,
        "can_pay": is_pending and has_time and not in_review,
        "is_watched": is_pending and not in_review and (is_started or not has_time),
        "has_returned": "returned" in request.GET,
        "fingerprint": _fingerprint(order, events[-1].pk if events else 0),
        "pay_form": PayForm(gateways=list_gateways()),
    }
    response = render(request, "orders/order_detail.html", context)
    _allow_cashiers(response)
    return response


def _fingerprint(order: Order, last_event_id: int) -> str:
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
    order = _get_order(request, number)
    last = queries.list_events(order).last()
    seen = request.GET.get("seen", "")
    if seen != _fingerprint(order, last.pk if last else 0):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    if "returned" in request.GET:
        for attempt_id in queries.list_waiting_attempt_ids(order):
            tasks.query_attempt.delay_on_commit(attempt_id)
    return HttpResponse(status=204)


@login_required
@require_POST
def order_cancel(request: HttpRequest, number: str) -> HttpResponse:
    order = _get_order(request, number)
    try:
        expiry.cancel_order(order=order, actor=_user(request), now=timezone.now())
    except OrderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "订单已取消。")
    return redirect("orders:detail", order.number)


# --- Payment -----------------------------------------------------------------------------


@login_required
@require_POST
def pay(request: HttpRequest, number: str) -> HttpResponseBase:
    order = _get_order(request, number)
    form = PayForm(request.POST, gateways=list_gateways())
    if not form.is_valid():
        messages.error(request, "请选择支付方式。")
        return redirect("orders:detail", order.number)
    code = form.cleaned_data["gateway"]
    try:
        start = payment.start_payment(
            order=order,
            gateway_code=code,
            channel=_guess_channel(request),
            callbacks=_make_callbacks(request, code),
            actor=_user(request),
            now=timezone.now(),
        )
    except OrderError as error:
        messages.error(request, str(error))
        return redirect("orders:detail", order.number)
    return HttpResponseRedirect(start.url, status=303)


def _guess_channel(request: HttpRequest) -> Channel:
    # The token all phone browsers carry in their name.
    is_phone = "Mobi" in request.headers.get("User-Agent", "")
    return Channel.PHONE if is_phone else Channel.DESK


def _make_callbacks(request: HttpRequest, code: str) -> Callbacks:
    """The gateway reports to the portal's own name; the browser comes back to the name it
    used, where its session is."""
    return Callbacks(
        notify_url=settings.SITE_URL + reverse("orders:notify", args=[code]),
        return_url=request.build_absolute_uri(reverse("orders:return", args=[code])),
    )


@login_required
@never_cache
@require_GET
def payment_return(request: HttpRequest, gateway: str) -> HttpResponse:
    """The browser is back from the cashier. What its address says decides nothing: the
    gateway is asked, and the order's page shows what came of it."""
    if not has_gateway(gateway):
        raise Http404
    try:
        number = get_gateway(gateway).read_return(request.GET.dict())
        if not number:
            # Whoever leaves Alipay's phone page by its back button brings nothing along.
            return redirect("orders:list")
        attempt = queries.get_attempt_for(_user(request), gateway, number)
    except GatewayUnavailable:
        return redirect("orders:list")
    except OrderNotFoundError as error:
        raise Http404(str(error)) from error
    if attempt.state == PaymentAttempt.State.WAITING:
        tasks.query_attempt.delay_on_commit(attempt.pk)
    url = reverse("orders:detail", args=[attempt.order.number])
    return redirect(f"{url}?returned=1")


@csrf_exempt
@require_POST
def notify(request: HttpRequest, gateway: str) -> HttpResponse:
    """Keep a notification, answer it, and leave the rest to a task."""
    if not has_gateway(gateway):
        raise Http404
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > notifications.BODY_LIMIT:
        return HttpResponse(b"failure", content_type="text/plain")
    inbound = Inbound(
        headers={key.lower(): value for key, value in request.headers.items()},
        body=request.body,
        content_type=request.content_type or "",
    )
    receipt = notifications.store_notification(
        gateway_code=gateway, inbound=inbound, now=timezone.now()
    )
    if receipt.message_id is not None:
        tasks.process_gateway_message.delay_on_commit(receipt.message_id)
    answer = receipt.acknowledgement
    return HttpResponse(
        answer.body, status=answer.status, content_type=answer.content_type
    )
