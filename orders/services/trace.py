"""The trace of an order, as its page and staff read it."""

from datetime import datetime

from accounts.models import User
from orders.models import Order, OrderEvent


def add_event(
    order: Order,
    kind: OrderEvent.Kind,
    *,
    now: datetime,
    actor: User | None = None,
    detail: str = "",
    once: bool = False,
) -> None:
    """Write one event. With `once`, the same kind and detail is not repeated: a message that
    comes ten times is one thing that happened."""
    known = OrderEvent.objects.filter(order=order, kind=kind, detail=detail)
    if once and known.exists():
        return
    OrderEvent.objects.create(
        order=order, kind=kind, at=now, actor=actor, detail=detail
    )
