"""Reads of refunds; a buyer reaches them through the own order only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from learning.queries import list_learners
from orders.errors import PersonNotOnOrderError
from orders.models import (
    Order,
    OrderLine,
    PaymentAttempt,
    Refund,
    RefundLine,
    RefundTry,
)
from orders.queries.codes import count_free_codes
from portal.lib.masks import mask_name

# Refunds that hold on to money: not yet gone back, and not given up.
MOVING = (Refund.State.REQUESTED, Refund.State.APPROVED, Refund.State.FAILED)


@dataclass(frozen=True)
class Part:
    """What of a line goes back: a seat, or some of its activation codes."""

    line: OrderLine
    quantity: int = 1

    @property
    def is_codes(self) -> bool:
        return self.line.person_id is None

    @property
    def price_fen(self) -> int:
        return self.line.price_fen * self.quantity


def find_try(gateway: str, number: str) -> RefundTry | None:
    """The try of that number, with its refund and attempt."""
    return (
        RefundTry.objects.select_related("refund__attempt")
        .filter(gateway=gateway, number=number)
        .first()
    )


def list_refunds_of(order: Order) -> QuerySet[Refund]:
    """The refunds of an order, newest first."""
    return Refund.objects.filter(order=order).order_by("-requested_at", "-pk")


def list_refundable_lines(order: Order) -> QuerySet[OrderLine]:
    """Lines whose money is still here and not on its way back, with plan and person."""
    moving = RefundLine.objects.filter(line=OuterRef("pk"), is_live=True)
    return (
        OrderLine.objects.filter(~Exists(moving), order=order, refunded_at__isnull=True)
        .select_related("plan", "person", "order")
        .order_by("pk")
    )


def count_left(line: OrderLine) -> int:
    """How many of a line have not gone back: a seat is one, of codes all that were bought,
    whoever has them now."""
    if line.person_id is not None:
        return 1 if line.refunded_at is None else 0
    done = RefundLine.objects.filter(line=line, refund__state=Refund.State.DONE)
    gone = done.aggregate(count=Sum("quantity", default=0))["count"]
    return max(0, line.quantity - int(gone))


def count_refundable_codes(order: Order) -> int:
    """How many codes of an order nobody has, so that their money can go back."""
    return sum(count_free_codes(line) for line in list_refundable_lines(order))


def has_refundable(order: Order) -> bool:
    """Tell whether anything of a paid order can still be asked for."""
    if order.kind == Order.Kind.CODES:
        return count_refundable_codes(order) > 0
    return list_refundable_lines(order).exists()


def find_line_ids(order: Order, usernames: Iterable[str]) -> list[int]:
    """The lines of an order for people of these user names.

    Raises `PersonNotOnOrderError` with the names that are not on it.
    """
    wanted = set(usernames)
    lines = OrderLine.objects.filter(order=order, person__isnull=False)
    found = dict(lines.values_list("person__username", "pk"))
    missing = sorted(wanted - found.keys())
    if missing:
        raise PersonNotOnOrderError(missing)
    return [found[name] for name in sorted(wanted)]


def find_paying_attempt(order: Order) -> PaymentAttempt | None:
    """The attempt whose money the order was paid with."""
    return PaymentAttempt.objects.filter(order=order, pays_order=True).first()


def count_left_fen(attempt: PaymentAttempt, *, but: Refund | None = None) -> int:
    """What of an attempt's money is here and not on its way back."""
    moving = Refund.objects.filter(attempt=attempt, state__in=MOVING)
    if but is not None:
        moving = moving.exclude(pk=but.pk)
    leaving = moving.aggregate(fen=Sum("amount_fen", default=0))["fen"]
    received = attempt.received_fen or 0
    return max(0, received - attempt.refunded_fen - int(leaving))


def list_learner_names(lines: Iterable[OrderLine], *, buyer_id: int) -> list[str]:
    """Names of those among the people of these lines who have begun to study.

    Masked but for the buyer's own: who buys for others need not know their names.
    """
    by_plan: dict[int, list[OrderLine]] = {}
    for line in lines:
        if line.person_id is not None:
            by_plan.setdefault(line.plan_id, []).append(line)
    names = []
    for plan_id, rows in by_plan.items():
        ids = [row.person_id for row in rows if row.person_id is not None]
        begun = list_learners(plan_id, ids)
        for row in rows:
            if row.person is not None and row.person_id in begun:
                is_own = row.person_id == buyer_id
                names.append(row.person.name if is_own else mask_name(row.person.name))
    return names


def list_refund_ids_to_run(now: datetime, limit: int) -> list[int]:
    """Approved refunds whose gateway is to be asked now, longest due first."""
    due = Refund.objects.filter(
        Q(due_at__isnull=True) | Q(due_at__lte=now), state=Refund.State.APPROVED
    )
    return list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


@dataclass(frozen=True)
class SeatState:
    """A line of an order as a refund form shows it."""

    line: OrderLine
    is_studied: bool


def describe_seats(lines: Iterable[OrderLine]) -> list[SeatState]:
    """Say of each line whether its person has begun to study."""
    rows = list(lines)
    begun: dict[int, set[int]] = {}
    for plan_id in {row.plan_id for row in rows}:
        ids = [
            row.person_id for row in rows if row.person_id and row.plan_id == plan_id
        ]
        begun[plan_id] = list_learners(plan_id, ids)
    return [SeatState(row, row.person_id in begun[row.plan_id]) for row in rows]


def list_parts_of(refund: Refund) -> list[Part]:
    """What a refund takes back, with plan and person."""
    rows = RefundLine.objects.filter(refund=refund).order_by("line_id")
    related = rows.select_related("line__plan", "line__person", "line__order")
    return [Part(row.line, row.quantity) for row in related]
