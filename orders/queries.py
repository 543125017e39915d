"""Reads of orders. A person's rows are reached through the `…_for` functions only."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet

from accounts.models import User
from orders.errors import OrderNotFoundError
from orders.models import (
    GatewayMessage,
    InvoiceRequest,
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
)
from orders.rules import FIRST_POLL_AFTER, POLL_EVERY

# A message is left to its own task first; the sweep takes what has waited this long.
_LEFT_TO_ITS_TASK = timedelta(seconds=5)


# --- A person's own ----------------------------------------------------------------------


def list_orders_for(user: User) -> QuerySet[Order]:
    """The person's orders with lines and plans, newest first.

    `in_review` says that money for an order has come that staff must look at first.
    """
    lines = OrderLine.objects.select_related("plan").order_by("pk")
    review = PaymentAttempt.objects.filter(
        order=OuterRef("pk"), state=PaymentAttempt.State.REVIEW
    )
    return (
        Order.objects.filter(buyer=user)
        .annotate(in_review=Exists(review))
        .select_related("invoice_request")
        .prefetch_related(Prefetch("lines", queryset=lines))
        .order_by("-created_at", "-pk")
    )


def get_order_for(user: User, number: str) -> Order:
    """The person's order with lines and plans. Raises `OrderNotFoundError`."""
    try:
        return list_orders_for(user).get(number=number)
    except Order.DoesNotExist as error:
        raise OrderNotFoundError from error


def get_attempt_for(user: User, gateway: str, number: str) -> PaymentAttempt:
    """The person's attempt with its order. Raises `OrderNotFoundError`."""
    try:
        return PaymentAttempt.objects.select_related("order").get(
            order__buyer=user, gateway=gateway, number=number
        )
    except PaymentAttempt.DoesNotExist as error:
        raise OrderNotFoundError from error


def find_live_line(person_id: int, plan_id: int) -> OrderLine | None:
    """The line by which somebody buys or has bought a plan for a person."""
    return (
        OrderLine.objects.filter(person_id=person_id, plan_id=plan_id, is_live=True)
        .select_related("order")
        .first()
    )


# --- One order ---------------------------------------------------------------------------


def list_events(order: Order) -> QuerySet[OrderEvent]:
    return OrderEvent.objects.filter(order=order).order_by("at", "pk")


def find_reusable_attempt(
    order: Order, *, gateway: str, seller: str
) -> PaymentAttempt | None:
    """The waiting attempt that asks for exactly the same: buyers press the button twice."""
    return (
        PaymentAttempt.objects.filter(
            order=order,
            gateway=gateway,
            seller=seller,
            state=PaymentAttempt.State.WAITING,
            amount_fen=order.total_fen,
            expires_at=order.expires_at,
        )
        .order_by("-pk")
        .first()
    )


def is_under_review(order: Order) -> bool:
    """Whether money for the order has come that staff must look at first."""
    review = PaymentAttempt.State.REVIEW
    return PaymentAttempt.objects.filter(order=order, state=review).exists()


def list_waiting_attempt_ids(order: Order) -> list[int]:
    waiting = PaymentAttempt.State.WAITING
    attempts = PaymentAttempt.objects.filter(order=order, state=waiting)
    return list(attempts.order_by("pk").values_list("pk", flat=True))


# --- Work to do --------------------------------------------------------------------------


def list_waiting_message_ids(now: datetime, limit: int) -> list[int]:
    """Verified messages whose own task has not come, oldest first."""
    waiting = GatewayMessage.objects.filter(
        state=GatewayMessage.State.WAITING,
        received_at__lte=now - _LEFT_TO_ITS_TASK,
    )
    return list(waiting.order_by("received_at").values_list("pk", flat=True)[:limit])


def list_attempt_ids_to_poll(now: datetime, limit: int) -> list[int]:
    """Waiting attempts whose gateway has not been asked for a while, longest first."""
    due = PaymentAttempt.objects.filter(
        Q(polled_at__isnull=True, created_at__lte=now - FIRST_POLL_AFTER)
        | Q(polled_at__lte=now - POLL_EVERY),
        state=PaymentAttempt.State.WAITING,
        expires_at__gt=now,
        order__state=Order.State.PENDING,
    )
    return _longest_unasked(due, limit)


def list_attempt_ids_to_close(now: datetime, limit: int) -> list[int]:
    """Waiting attempts that have run out, or whose order needs them no more."""
    due = PaymentAttempt.objects.filter(
        Q(expires_at__lte=now) | ~Q(order__state=Order.State.PENDING),
        state=PaymentAttempt.State.WAITING,
    )
    return _longest_unasked(due, limit)


def list_order_ids_to_expire(now: datetime, limit: int) -> list[int]:
    """Unpaid orders past their time for which no gateway can still hold money."""
    undecided = PaymentAttempt.objects.filter(
        order=OuterRef("pk"),
        state__in=[PaymentAttempt.State.WAITING, PaymentAttempt.State.REVIEW],
    )
    due = Order.objects.filter(
        ~Exists(undecided), state=Order.State.PENDING, expires_at__lte=now
    )
    return list(due.order_by("expires_at").values_list("pk", flat=True)[:limit])


# --- For other apps ----------------------------------------------------------------------


def list_paid_invoice_requests() -> QuerySet[InvoiceRequest]:
    """Invoices asked for whose order is paid, with order and buyer, oldest first."""
    return (
        InvoiceRequest.objects.filter(order__state=Order.State.PAID)
        .select_related("order__buyer")
        .order_by("requested_at", "pk")
    )


def _longest_unasked(attempts: QuerySet[PaymentAttempt], limit: int) -> list[int]:
    order = F("polled_at").asc(nulls_first=True)
    return list(attempts.order_by(order, "pk").values_list("pk", flat=True)[:limit])
