"""Group purchases: whom a buyer may act for, what a check holds, who is on an order.

`get_check_for` is the buyer's only door to a check.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)

from accounts.models import Unit, User
from accounts.queries.units import list_units_for
from learning.models import Enrolment
from learning.queries import list_holders
from orders.errors import GroupCheckNotFoundError
from orders.models import GroupCheck, GroupRow, Order, OrderLine, PaymentAttempt
from orders.queries.codes import list_code_people
from orders.rules.groups import DAY, Account, explain

# As many sweeps of waiting checks as one beat starts.
IDLE_AT_ONCE = 50


# --- Whom a buyer acts for ---------------------------------------------------------------
def list_buying_units(person: User) -> list[Unit]:
    """The units a person may buy for: those that appointed the person first, then those the
    person belongs to, by membership or by the profile."""
    found = {unit.pk: unit for unit in list_units_for(person) if unit.is_active}
    own = Q(members__person=person, members__ended_at=None) | Q(profiles__person=person)
    units = Unit.objects.filter(own, is_active=True).select_related("region")
    for unit in units.order_by("pk").distinct():
        found.setdefault(unit.pk, unit)
    return list(found.values())


def is_appointed(person: User) -> bool:
    """Whether some unit has appointed the person: its limits are wider."""
    return list_units_for(person).filter(is_active=True).exists()


@dataclass(frozen=True)
class DayOfChecks:
    """What a buyer did with checks during the last day."""

    checks: int
    asked: int
    unknown: int


def count_day(buyer: User, *, now: datetime) -> DayOfChecks:
    """Checks of the last day, the numbers asked about in them and those that got the one
    reason."""
    found = GroupCheck.objects.filter(buyer=buyer, created_at__gt=now - DAY).aggregate(
        checks=Count("pk"),
        asked=Sum("asked_count", default=0),
        unknown=Sum("unknown_count", default=0),
    )
    return DayOfChecks(found["checks"], found["asked"], found["unknown"])


def count_unpaid_orders(buyer: User, *, now: datetime) -> int:
    """Group orders of the last day that are not paid: each keeps its people from buying."""
    return Order.objects.filter(
        buyer=buyer,
        kind=Order.Kind.GROUP,
        created_at__gt=now - DAY,
        state__in=(
            *(Order.State.PENDING, Order.State.CANCELLED),
            Order.State.EXPIRED,
        ),
    ).count()


# --- Checks ------------------------------------------------------------------------------
def get_check_for(buyer: User, code: str) -> GroupCheck:
    """The buyer's own check. Raises `GroupCheckNotFoundError`."""
    checks = GroupCheck.objects.select_related("plan", "unit", "order", "error_file")
    try:
        return checks.get(buyer=buyer, code=code)
    except GroupCheck.DoesNotExist as error:
        raise GroupCheckNotFoundError from error


def list_rows(check: GroupCheck, *, only_bad: bool = False) -> QuerySet[GroupRow]:
    """The rows in their order; `only_bad`: those that cannot be bought for."""
    rows = check.rows.order_by("position")
    return rows.exclude(outcome=GroupRow.Outcome.FREE) if only_bad else rows


@dataclass(frozen=True)
class ShownRow:
    """A row as its page shows it: enough to find it in the own list."""

    line: int
    is_kept: bool
    name: str
    number: str
    outcome: str
    outcome_label: str
    reasons: list[str]
    hints: list[str]


def show_row(row: GroupRow) -> ShownRow:
    given = row.given
    reasons = list(given.problems)
    reason = explain(row.outcome, has_name=row.has_name)
    return ShownRow(
        line=row.line,
        is_kept=row.is_kept,
        name=given.shown_name,
        number=given.shown_number,
        outcome=row.outcome,
        outcome_label=row.get_outcome_display(),
        reasons=[*reasons, reason] if reason else reasons,
        hints=list(given.hints),
    )


def list_idle_checks(*, now: datetime) -> list[int]:
    """Checks that no worker is at, those that wait longest first."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    waiting = GroupCheck.objects.filter(free, state__in=GroupCheck.TO_CHECK)
    return list(
        waiting.order_by("created_at", "pk").values_list("pk", flat=True)[:IDLE_AT_ONCE]
    )


def find_accounts(
    number_indexes: Sequence[str], *, plan_id: int
) -> Mapping[str, Account]:
    """The accounts of these numbers and whether they have the plan; four queries for all."""
    people = list(
        User.objects.filter(
            id_number_index__in=number_indexes,
            state__in=(User.State.ACTIVE, User.State.PENDING),
            is_active=True,
        ).values_list("id_number_index", "pk", "name")
    )
    ids = [pk for _, pk, _ in people]
    holders, ordered = list_holders(plan_id, ids), list_ordered(plan_id, ids)
    return {
        str(index): Account(pk, name, pk in holders, pk in ordered)
        for index, pk, name in people
    }


def list_ordered(plan_id: int, person_ids: Iterable[int]) -> set[int]:
    """Those of these people for whom an order of the plan waits or is paid, or who have been
    given a code for it."""
    ids = list(person_ids)
    lines = OrderLine.objects.filter(plan_id=plan_id, person_id__in=ids, is_live=True)
    ordered = lines.values_list("person_id", flat=True)
    return set(ordered) | list_code_people(plan_id, ids)


def list_unavailable(plan_id: int, person_ids: Sequence[int]) -> set[int]:
    """Those of these people for whom the plan can no longer be bought."""
    usable = User.objects.filter(
        pk__in=person_ids,
        is_active=True,
        state__in=(User.State.ACTIVE, User.State.PENDING),
    )
    gone = set(person_ids) - set(usable.values_list("pk", flat=True))
    return gone | list_holders(plan_id, person_ids) | list_ordered(plan_id, person_ids)


# --- People of an order ------------------------------------------------------------------
STUDYING, COMPLETED = "studying", "completed"


def _where_bought(found: Subquery) -> Case:
    """What is found of lines that are paid for, nothing of others: what people hold without
    this order is not told to its buyer."""
    return Case(When(is_live=True, order__paid_at__isnull=False, then=found))


def list_people(order: Order, *, standing: str = "") -> QuerySet[OrderLine]:
    """The lines of a group order with the person, and of the enrolment in its plan
    `enrolment_state` and `percent`, None where nothing is paid for; one query a page.

    `standing` is STUDYING or COMPLETED.
    """
    enrolments = Enrolment.objects.filter(
        person=OuterRef("person"), plan=OuterRef("plan")
    )
    lines = (
        OrderLine.objects.filter(order=order)
        .select_related("person")
        .annotate(
            enrolment_state=_where_bought(Subquery(enrolments.values("state")[:1])),
            percent=_where_bought(Subquery(enrolments.values("percent")[:1])),
        )
        .order_by("pk")
    )
    if standing == STUDYING:
        lines = lines.filter(enrolment_state=Enrolment.State.OPEN)
    elif standing == COMPLETED:
        lines = lines.filter(enrolment_state=Enrolment.State.COMPLETED)
    return lines


@dataclass(frozen=True)
class Standing:
    """How far the people of a group order are."""

    people: int = 0
    studying: int = 0
    completed: int = 0
    percent: int = 0


def count_standings(order_ids: Sequence[int]) -> Mapping[int, Standing]:
    """How far the people of these group orders are; one query for all of them."""
    enrolments = Enrolment.objects.live().filter(
        person=OuterRef("person"), plan=OuterRef("plan")
    )
    rows = (
        OrderLine.objects.filter(order__in=order_ids)
        .annotate(
            standing=_where_bought(Subquery(enrolments.values("state")[:1])),
            done=_where_bought(Subquery(enrolments.values("percent")[:1])),
        )
        .values("order_id")
        .order_by("order_id")
        .annotate(
            people=Sum(F("quantity")),
            studying=Count("pk", filter=Q(standing=Enrolment.State.OPEN)),
            completed=Count("pk", filter=Q(standing=Enrolment.State.COMPLETED)),
            average=Avg(
                Case(
                    When(standing=Enrolment.State.COMPLETED, then=Value(100)),
                    default=F("done"),
                    output_field=IntegerField(),
                )
            ),
        )
    )
    return {
        row["order_id"]: Standing(
            row["people"], row["studying"], row["completed"], int(row["average"] or 0)
        )
        for row in rows
    }


def list_group_orders_for(buyer: User) -> QuerySet[Order]:
    """The buyer's group orders with unit and invoice request, newest first; of the plan
    `plan_title`, `plan_year` and `entry`.

    `in_review` as in `orders.queries.list_orders_for`.
    """
    lines = OrderLine.objects.filter(order=OuterRef("pk")).order_by("pk")
    review = PaymentAttempt.objects.filter(
        order=OuterRef("pk"), state=PaymentAttempt.State.REVIEW
    )
    return (
        Order.objects.filter(buyer=buyer, kind=Order.Kind.GROUP)
        .select_related("unit", "invoice_request")
        .annotate(
            in_review=Exists(review),
            plan_title=Subquery(lines.values("plan_title")[:1]),
            plan_year=Subquery(lines.values("plan_year")[:1]),
            entry=Subquery(lines.values("plan__entry")[:1]),
        )
        .order_by("-created_at", "-pk")
    )


def list_open_checks_for(buyer: User, *, now: datetime) -> QuerySet[GroupCheck]:
    """Checks that have not become an order and are still kept, newest first."""
    states = (*GroupCheck.TO_CHECK, GroupCheck.State.CHECKED)
    return (
        GroupCheck.objects.filter(buyer=buyer, state__in=states, kept_until__gt=now)
        .select_related("plan", "unit")
        .order_by("-created_at", "-pk")
    )


def list_typed(check: GroupCheck) -> list[str]:
    """The rows that cannot be bought for as lines to be corrected: number and name."""
    return [
        f"{given.number or given.typed_number} {given.shown_name}".strip()
        for given in (row.given for row in list_rows(check, only_bad=True))
    ]
