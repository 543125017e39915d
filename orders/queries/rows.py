"""Orders as their buyer sees them: what they buy, and what can be done with them now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from orders.models import Order
from orders.queries.items import Item, list_items
from orders.rules import has_time_to_pay, may_request_invoice

_KINDS_OF_ENTRY_TWO = {Order.Kind.PERSONAL: "个人报名", Order.Kind.GROUP: "团体报名"}


@dataclass(frozen=True)
class OrderRow:
    """An order of `list_orders_for` with what it buys."""

    order: Order
    items: list[Item]
    in_review: bool
    can_pay: bool
    may_request_invoice: bool

    @property
    def first(self) -> Item | None:
        return self.items[0] if self.items else None

    @property
    def kind_label(self) -> str:
        """How it was bought, in the words of the entry."""
        kind = Order.Kind(self.order.kind)
        words = _KINDS_OF_ENTRY_TWO if self.is_entry_two else {}
        return words.get(kind, str(kind.label))

    @property
    def is_entry_two(self) -> bool:
        """Words follow the first plan; a personal order has no other."""
        return self.first is not None and self.first.is_entry_two


def describe_orders(orders: Sequence[Order], *, now: datetime) -> list[OrderRow]:
    """Say of each order of `list_orders_for` what it is about; one query."""
    items = list_items(orders)
    return [_describe(order, items[order.pk], now) for order in orders]


def describe_order(order: Order, *, now: datetime) -> OrderRow:
    return describe_orders([order], now=now)[0]


def _describe(order: Order, items: list[Item], now: datetime) -> OrderRow:
    is_pending = order.state == Order.State.PENDING
    in_review = is_pending and bool(getattr(order, "in_review", False))
    has_time = has_time_to_pay(expires_at=order.expires_at, now=now)
    return OrderRow(
        order=order,
        items=items,
        in_review=in_review,
        can_pay=is_pending and has_time and not in_review,
        may_request_invoice=_may_request_invoice(order, now),
    )


def _may_request_invoice(order: Order, now: datetime) -> bool:
    return (
        order.state == Order.State.PAID
        and order.paid_at is not None
        and order.total_fen > order.refunded_fen
        and not hasattr(order, "invoice_request")
        and may_request_invoice(
            paid_on=timezone.localdate(order.paid_at), today=timezone.localdate(now)
        )
    )
