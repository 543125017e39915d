"""What orders buy, plan by plan: an order for 5,000 people is one item, not 5,000 lines."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Min, Q, Sum

from catalog.models import Plan
from orders.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class Item:
    """One plan of an order as it was sold; `price_fen` is the price of one.

    `count` are people or activation codes, `refunded` those of them whose money went back.
    `entry`, `subject` and `field` are the plan's of today: they choose words and cover.
    """

    plan_code: str
    entry: int
    subject: str
    field: str
    title: str
    year: int
    hours: int
    price_fen: int
    count: int
    refunded: int

    @property
    def sum_fen(self) -> int:
        return self.price_fen * self.count

    @property
    def is_entry_two(self) -> bool:
        return self.entry == Plan.Entry.TWO


_COLUMNS = (
    *("order_id", "plan__code", "plan__entry", "plan__subject", "plan__field"),
    *("plan_title", "plan_year", "hours", "price_fen"),
)


def list_items(orders: Iterable[Order]) -> dict[int, list[Item]]:
    """What each of these orders buys, by the id of the order; one query."""
    gone = Q(refunded_at__isnull=False)
    rows = (
        OrderLine.objects.filter(order__in=[order.pk for order in orders])
        .values_list(*_COLUMNS)
        .annotate(
            count=Sum("quantity"),
            refunded=Sum("quantity", filter=gone, default=0),
            first=Min("pk"),
        )
        .order_by("first")
    )
    found: dict[int, list[Item]] = defaultdict(list)
    for order_id, *values, _first in rows:
        found[order_id].append(Item(*values))
    return found
