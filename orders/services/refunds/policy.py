"""The policy of refunds as it is set, applied to an order."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from orders.models import Order
from orders.queries.refunds import Part, list_learner_names
from orders.rules import RefundPolicy, is_too_late, list_obstacles


def read_policy() -> RefundPolicy:
    return RefundPolicy.read(settings.REFUND_POLICY)


def is_refund_too_late(order: Order, *, now: datetime) -> bool:
    """Whether the policy gives nothing of a paid order back any more."""
    assert order.paid_at is not None  # noqa: S101 - held by a constraint
    return is_too_late(
        read_policy(),
        paid_on=timezone.localdate(order.paid_at),
        today=timezone.localdate(now),
    )


def list_policy_obstacles(
    order: Order, parts: Iterable[Part], *, now: datetime
) -> list[str]:
    """What of the policy stands against refunding these parts of a paid order now."""
    assert order.paid_at is not None  # noqa: S101 - held by a constraint
    chosen = list(parts)
    bought = order.lines.aggregate(count=Sum("quantity", default=0))["count"]
    return list_obstacles(
        read_policy(),
        paid_on=timezone.localdate(order.paid_at),
        today=timezone.localdate(now),
        is_whole=sum(part.quantity for part in chosen) == bought,
        studied=list_learner_names(
            [part.line for part in chosen], buyer_id=order.buyer_id
        ),
    )
