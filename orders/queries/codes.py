"""Activation codes: an owner's, a person's, and who is provided for already."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Max, Q, QuerySet, Sum

from accounts.models import User
from accounts.personal_data import id_number_index, phone_index
from accounts.queries.units import list_units_for
from catalog.models import Plan
from learning.queries import list_holders
from orders.errors import CodeNotFoundError
from orders.models import (
    ActivationCode,
    CodeImport,
    CodeImportRow,
    Order,
    OrderLine,
)

State = ActivationCode.State
# A person who takes a plan has one of these; a plan is given once to a person.
LIVE = (State.GIVEN, State.USED)
# Values of one IN list.
_BATCH = 1000
_MOST_FOUND = 20


@dataclass(frozen=True)
class CodeSums:
    """How many codes of one plan somebody owns, by state."""

    plan: Plan
    total: int
    unused: int
    unprinted: int
    given: int
    used: int
    void: int


def list_code_sums(owner: User) -> list[CodeSums]:
    """The plans of which the person has bought codes, latest purchase first; two queries."""
    rows = (
        ActivationCode.objects.filter(owner=owner)
        .values("plan_id")
        .annotate(
            total=Count("pk"),
            unused=Count("pk", filter=Q(state=State.UNUSED)),
            unprinted=Count("pk", filter=Q(state=State.UNUSED, printed_at=None)),
            given=Count("pk", filter=Q(state=State.GIVEN)),
            used=Count("pk", filter=Q(state=State.USED)),
            void=Count("pk", filter=Q(state=State.VOID)),
            latest=Max("issued_at"),
        )
        .order_by("-latest", "-plan_id")
    )
    found = list(rows)
    plans = Plan.objects.in_bulk([row["plan_id"] for row in found])
    return [
        CodeSums(
            plan=plans[row["plan_id"]],
            total=row["total"],
            unused=row["unused"],
            unprinted=row["unprinted"],
            given=row["given"],
            used=row["used"],
            void=row["void"],
        )
        for row in found
    ]


def get_code_sums_for(owner: User, plan_code: str) -> CodeSums:
    """The person's codes of one plan. Raises `CodeNotFoundError` when there are none."""
    for sums in list_code_sums(owner):
        if sums.plan.code == plan_code:
            return sums
    raise CodeNotFoundError


def list_codes_of(
    owner: User, plan: Plan, *, state: str = ""
) -> QuerySet[ActivationCode]:
    """The owner's codes of a plan with the people who have them, newest happening first."""
    codes = ActivationCode.objects.filter(owner=owner, plan=plan)
    if state:
        codes = codes.filter(state=state)
    latest = F("used_at").desc(nulls_last=True), F("given_at").desc(nulls_last=True)
    return codes.select_related("person", "line__order").order_by(*latest, "pk")


def list_unused_of(owner_id: int, plan_id: int) -> QuerySet[ActivationCode]:
    """The owner's unused codes, those on no paper first."""
    unused = ActivationCode.objects.filter(
        owner_id=owner_id, plan_id=plan_id, state=State.UNUSED
    )
    return unused.order_by(F("printed_at").asc(nulls_first=True), "pk")


@dataclass(frozen=True)
class PrintRun:
    """Codes that were printed at one time and are still unused."""

    at: datetime
    left: int


def list_print_runs(owner: User, plan: Plan) -> list[PrintRun]:
    rows = (
        ActivationCode.objects.filter(
            owner=owner, plan=plan, state=State.UNUSED, printed_at__isnull=False
        )
        .values_list("printed_at")
        .annotate(left=Count("pk"))
        .order_by("-printed_at")
    )
    return [PrintRun(at, left) for at, left in rows]


def list_codes_given_to(person: User) -> QuerySet[ActivationCode]:
    """The codes that the person was given or has used, those to activate first."""
    codes = ActivationCode.objects.filter(person=person, state__in=LIVE)
    return codes.select_related("plan", "owner").order_by("state", "-issued_at", "-pk")


def find_waiting_code(person_id: int, plan_id: int) -> ActivationCode | None:
    """The code of this plan that the person was given and has not used."""
    return ActivationCode.objects.filter(
        person_id=person_id, plan_id=plan_id, state=State.GIVEN
    ).first()


def count_free_codes(line: OrderLine) -> int:
    """How many codes of an order line nobody has: what a refund may take back."""
    return ActivationCode.objects.filter(line=line, state=State.UNUSED).count()


def list_code_people(plan_id: int, person_ids: Iterable[int]) -> set[int]:
    """Ids of those among the people who were given or have used a code of the plan."""
    found: set[int] = set()
    for part in _in_parts(person_ids):
        codes = ActivationCode.objects.filter(
            plan_id=plan_id, person_id__in=part, state__in=LIVE
        )
        found.update(
            person_id for person_id in codes.values_list("person_id", flat=True)
        )
    return found


def list_provided(plan_id: int, person_ids: Iterable[int]) -> set[int]:
    """Ids of those among the people who hold the plan, or get it by an order or a code."""
    ids = set(person_ids)
    found = list_holders(plan_id, ids) | list_code_people(plan_id, ids)
    for part in _in_parts(ids):
        lines = OrderLine.objects.filter(
            plan_id=plan_id, person_id__in=part, is_live=True
        )
        found.update(lines.values_list("person_id", flat=True))
    return found


def _in_parts(person_ids: Iterable[int]) -> list[list[int]]:
    ids = sorted(set(person_ids))
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]


def find_unpaid_codes_order(buyer_id: int, plan_id: int) -> Order | None:
    """The buyer's order for codes of this plan that waits to be paid."""
    return Order.objects.filter(
        buyer_id=buyer_id,
        kind=Order.Kind.CODES,
        state=Order.State.PENDING,
        lines__plan_id=plan_id,
    ).first()


# --- People who may be given one -----------------------------------------------------------


def list_open_people() -> QuerySet[User]:
    """People with an account that is theirs, or will be after the first login."""
    return User.objects.filter(
        is_active=True, state__in=[User.State.ACTIVE, User.State.PENDING]
    )


def list_colleagues(owner: User) -> QuerySet[User]:
    """People of the units that the person acts for."""
    return list_open_people().filter(
        memberships__unit__in=list_units_for(owner).values("pk"),
        memberships__ended_at=None,
    )


def list_colleagues_named(owner: User, name: str) -> list[User]:
    people = list_colleagues(owner).filter(name=name).select_related("profile")
    return list(people.distinct().order_by("pk")[:_MOST_FOUND])


def is_colleague(owner: User, person_id: int) -> bool:
    return list_colleagues(owner).filter(pk=person_id).exists()


def find_people_by_account(accounts: Iterable[str]) -> dict[str, User]:
    """The open accounts behind canonical user names, phones and ID numbers; three queries
    for a thousand of them."""
    found: dict[str, User] = {}
    wanted = sorted(set(accounts))
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        ways = (
            ("username", {text: text for text in part}),
            ("phone_index", {phone_index(text): text for text in part}),
            ("id_number_index", {id_number_index(text.upper()): text for text in part}),
        )
        for column, texts in ways:
            people = list_open_people().filter(**{f"{column}__in": list(texts)})
            found |= {texts[getattr(person, column)]: person for person in people}
    return found


# --- Imports -------------------------------------------------------------------------------


def list_imports_of(owner: User, plan: Plan) -> QuerySet[CodeImport]:
    """The owner's sheets of people for a plan, newest first."""
    return CodeImport.objects.filter(owner=owner, plan=plan).order_by(
        "-uploaded_at", "-pk"
    )


def get_import_for(owner: User, code: str) -> CodeImport:
    """The owner's import with its files. Raises `CodeNotFoundError`."""
    try:
        return CodeImport.objects.select_related("plan", "file", "error_file").get(
            owner=owner, code=code
        )
    except CodeImport.DoesNotExist as error:
        raise CodeNotFoundError from error


def count_imports_of_day(owner_id: int, now: datetime) -> tuple[int, int]:
    """How many sheets the person has sent within a day, and how many rows they had."""
    imports = CodeImport.objects.filter(
        owner_id=owner_id, uploaded_at__gt=now - timedelta(days=1)
    )
    sums = imports.aggregate(count=Count("pk"), rows=Sum("row_count"))
    return sums["count"], sums["rows"] or 0


def list_import_rows(
    code_import: CodeImport, *, only_bad: bool = False
) -> QuerySet[CodeImportRow]:
    """The rows in the order of the sheet; `only_bad`: those that got, or get, no code."""
    rows = CodeImportRow.objects.filter(code_import=code_import).order_by("line")
    if only_bad:
        bad = (CodeImportRow.Outcome.INVALID, CodeImportRow.Outcome.FAILED)
        rows = rows.filter(outcome__in=bad)
    return rows


def list_idle_imports(states: Iterable[str], *, now: datetime) -> list[int]:
    """Imports that a worker has to do something about, and none is at."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    waiting = CodeImport.objects.filter(free, state__in=tuple(states))
    return list(waiting.order_by("uploaded_at").values_list("pk", flat=True)[:20])


def list_import_ids_to_forget(before: datetime) -> list[int]:
    """Imports that ended, or were left unconfirmed, before this moment."""
    over = Q(ended_at__lt=before) | Q(
        state=CodeImport.State.CHECKED, uploaded_at__lt=before
    )
    old = CodeImport.objects.filter(over, forgotten_at__isnull=True)
    return list(old.order_by("pk").values_list("pk", flat=True)[:20])
