"""A person's orders, reached through the `…_for` functions only, and facts about one."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from orders.errors import OrderNotFoundError
from orders.models import InvoiceRequest, Order, OrderEvent, OrderLine, PaymentAttempt


def list_orders_for(user: User) -> QuerySet[Order]:
    """The person's orders, newest first; what they buy is read by `list_items`.

    `in_review` says that money for an order has come that staff must look at first.
    """
    review = PaymentAttempt.objects.filter(
        order=OuterRef("pk"), state=PaymentAttempt.State.REVIEW
    )
    return (
        Order.objects.filter(buyer=user)
        .annotate(in_review=Exists(review))
        .select_related("invoice_request")
        .order_by("-created_at", "-pk")
    )


def search_orders(orders: QuerySet[Order], number: str) -> QuerySet[Order]:
    """Those of `orders` that a number names: a part of their own, or all of one that stands
    on a receipt: the payment's or the gateway's."""
    attempt = PaymentAttempt.objects.filter(
        Q(number=number) | Q(gateway_number=number), order=OuterRef("pk")
    )
    return orders.filter(Q(number__contains=number) | Exists(attempt))


def get_order_for(user: User, number: str) -> Order:
    """The person's order. Raises `OrderNotFoundError`."""
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


def list_people_of_live_lines(
    plan_id: int, person_ids: Iterable[int], *, but: Order
) -> set[int]:
    """Those of these people for whom another order buys or has bought the plan."""
    ids = sorted(set(person_ids))
    found: set[int] = set()
    for start in range(0, len(ids), 1000):
        rows = OrderLine.objects.filter(
            plan_id=plan_id, is_live=True, person_id__in=ids[start : start + 1000]
        ).exclude(order=but)
        found.update(
            key for key in rows.values_list("person_id", flat=True) if key is not None
        )
    return found


def list_events(order: Order) -> QuerySet[OrderEvent]:
    return OrderEvent.objects.filter(order=order).order_by("at", "pk")


def list_attempts(order: Order) -> QuerySet[PaymentAttempt]:
    """Every try to pay an order, oldest first."""
    return PaymentAttempt.objects.filter(order=order).order_by("created_at", "pk")


def find_reusable_attempt(
    order: Order, *, gateway: str, seller: str, created_after: datetime | None = None
) -> PaymentAttempt | None:
    """The waiting attempt that asks for exactly the same: buyers press the button twice."""
    attempts = PaymentAttempt.objects.filter(
        order=order,
        gateway=gateway,
        seller=seller,
        state=PaymentAttempt.State.WAITING,
        amount_fen=order.total_fen,
        expires_at=order.expires_at,
    )
    if created_after is not None:
        attempts = attempts.filter(created_at__gte=created_after)
    return attempts.order_by("-pk").first()


def is_under_review(order: Order) -> bool:
    """Whether money for the order has come that staff must look at first."""
    review = PaymentAttempt.State.REVIEW
    return PaymentAttempt.objects.filter(order=order, state=review).exists()


def list_waiting_attempt_ids(order: Order) -> list[int]:
    waiting = PaymentAttempt.State.WAITING
    attempts = PaymentAttempt.objects.filter(order=order, state=waiting)
    return list(attempts.order_by("pk").values_list("pk", flat=True))


def list_paid_invoice_requests() -> QuerySet[InvoiceRequest]:
    """Invoices asked for whose order is paid, with order and buyer, oldest first."""
    return (
        InvoiceRequest.objects.filter(order__state=Order.State.PAID)
        .select_related("order__buyer")
        .order_by("requested_at", "pk")
    )
