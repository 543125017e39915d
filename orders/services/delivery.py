"""What a paid order is for: plans opened for its people, and taken back by a refund."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from learning.queries import list_holders
from learning.services import open_enrolments, withdraw_rights
from orders.locks import lock_people
from orders.models import Order, OrderEvent, OrderLine
from orders.queries import list_people_of_live_lines
from orders.queries.codes import list_code_people
from orders.queries.refunds import Part
from orders.services.codes.issuing import issue_codes
from orders.services.codes.voiding import restore_codes, void_codes
from orders.services.groups.announcing import tell_people
from orders.services.trace import add_event


def deliver_order(order: Order, *, now: datetime) -> list[OrderLine]:
    """Hand over what a paid order is for; return the lines whose people had it already.

    Whoever had it keeps this as a further right until the money has gone back. The caller
    holds the lock of the order.
    """
    if order.kind == Order.Kind.CODES:
        issue_codes(order, now=now)
        return []
    lines = order.lines.filter(is_live=True).select_related("plan", "person")
    doubled = deliver_lines(order, lines.order_by("pk"), now=now)
    add_event(order, OrderEvent.Kind.ENROLLED, now=now)
    if order.kind == Order.Kind.GROUP:
        tell_people(order, now=now)
    return doubled


def deliver_lines(
    order: Order, lines: Iterable[OrderLine], *, now: datetime
) -> list[OrderLine]:
    """Open the plans of these lines; return the lines whose people had them already."""
    people: dict[Plan, dict[int, User]] = defaultdict(dict)
    chosen = list(lines)
    for line in chosen:
        if line.person is not None:
            people[line.plan][line.person.pk] = line.person
    had: set[tuple[int, int]] = set()
    for plan, users in people.items():
        enrolments = open_enrolments(
            plan=plan,
            users=users.values(),
            source=Enrolment.Source.ORDER,
            source_number=order.number,
            now=now,
        )
        had |= {
            (plan.pk, row.person_id)
            for row in enrolments
            if row.source_number != order.number
        }
    return [line for line in chosen if (line.plan_id, line.person_id) in had]


def take_back(
    order: Order,
    parts: Iterable[Part],
    *,
    reference: str,
    now: datetime,
    all_codes: bool = False,
) -> None:
    """Take back what these parts of an order gave, for the refund `reference`.

    Whoever has the plan another way as well keeps it. Unused codes are voided, by number or
    with `all_codes` all that there are. Raises `CodesTakenError`.
    """
    people: dict[Plan, list[int]] = defaultdict(list)
    codes = []
    for part in parts:
        if part.line.person_id is not None:
            people[part.line.plan].append(part.line.person_id)
        else:
            codes.append(part)
    for plan, ids in people.items():
        withdraw_rights(
            plan=plan,
            person_ids=ids,
            source=Enrolment.Source.ORDER,
            source_number=order.number,
            now=now,
        )
    for part in codes:
        count = None if all_codes else part.quantity
        void_codes(line=part.line, count=count, reference=reference, now=now)


def give_again(
    order: Order, parts: Iterable[Part], *, reference: str, now: datetime
) -> None:
    """Give back what `take_back` took for a refund that was given up; a late seat that could
    not be had was never given."""
    chosen = list(parts)
    seats = [part.line for part in chosen if not part.is_codes and part.line.is_live]
    deliver_lines(order, seats, now=now)
    for part in chosen:
        if part.is_codes:
            restore_codes(line=part.line, reference=reference)


def reclaim_lines(order: Order, *, now: datetime) -> list[OrderLine]:
    """Take the lines of a closed order back; return those that cannot be had any more.

    Lost are lines whose training is over, and people who have or are being bought the plan
    another way. When nothing is left, nothing is taken.
    """
    lines = list(order.lines.select_related("plan").order_by("pk"))
    # Between looking for free seats and taking them nobody may order for these people.
    lock_people(line.person_id for line in lines if line.person_id is not None)
    lost = _find_lost(order, lines, now)
    if len(lost) < len(lines):
        kept = order.lines.exclude(pk__in=[line.pk for line in lost])
        kept.update(is_live=True)
    return lost


def _find_lost(
    order: Order, lines: Iterable[OrderLine], now: datetime
) -> list[OrderLine]:
    by_plan: dict[Plan, list[OrderLine]] = defaultdict(list)
    for line in lines:
        by_plan[line.plan].append(line)
    today, lost = timezone.localdate(now), []
    for plan, rows in by_plan.items():
        ids = [row.person_id for row in rows if row.person_id is not None]
        taken = (
            list_holders(plan.pk, ids)
            | list_people_of_live_lines(plan.pk, ids, but=order)
            | list_code_people(plan.pk, ids)
        )
        is_over = plan.training_end < today
        lost += [row for row in rows if is_over or row.person_id in taken]
    return lost
