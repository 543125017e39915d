"""Reads of registration lists. `get_list_for` is the coordinator's only door to one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet, Sum

from accounts.models import ListRow, PrivateFile, RegistrationList, Unit, User
from accounts.queries.units import list_units_for
from accounts.rules.lists import (
    COLUMNS,
    CONFLICT_TEXT,
    CONFLICTS,
    KNOWN_HINT,
    Account,
)

DAY = timedelta(days=1)
HISTORY_SHOWN = 5


def acts_for(person: User, unit: Unit) -> bool:
    """Whether the person acts for the unit today."""
    return list_units_for(person).filter(pk=unit.pk, is_active=True).exists()


def list_lists_of_unit(unit: Unit) -> QuerySet[RegistrationList]:
    """The unit's lists, newest first."""
    return _with_all().filter(unit=unit)


def get_list_for(coordinator: User, code: str) -> RegistrationList:
    """The list of this code of a unit that the person acts for. Raises `DoesNotExist`."""
    return _with_all().get(code=code, unit__in=list_units_for(coordinator))


def _with_all() -> QuerySet[RegistrationList]:
    return RegistrationList.objects.select_related(
        "unit__region", "uploaded_by", "error_file", "result_file", "replaces"
    ).order_by("-uploaded_at", "-pk")


def list_history(registration_list: RegistrationList) -> list[RegistrationList]:
    """The last files that this one took the place of, newest first; a query for each."""
    history: list[RegistrationList] = []
    before = registration_list.replaces
    while before is not None and len(history) < HISTORY_SHOWN:
        history.append(before)
        before = before.replaces
    return history


def find_answer(
    registration_list: RegistrationList, column: str, *, now: datetime
) -> PrivateFile | None:
    """The error or result file in this column, while it may be fetched."""
    file: PrivateFile | None = getattr(registration_list, column, None)
    return file if file and file.is_available(now=now) else None


def find_successor(registration_list: RegistrationList) -> RegistrationList | None:
    """The list that took the place of this one."""
    return registration_list.replaced_by.first()


def count_missing(registration_list: RegistrationList) -> int:
    """How many people fewer than the file whose place it took: perhaps only the wrong rows
    were sent again, and everybody else is forgotten."""
    before = registration_list.replaces
    return max(0, before.row_count - registration_list.row_count) if before else 0


def list_rows(
    registration_list: RegistrationList, *, only_invalid: bool = False
) -> QuerySet[ListRow]:
    """The rows in the order of the sheet; `only_invalid`: those with problems or failed."""
    rows = registration_list.rows.order_by("line")
    if only_invalid:
        rows = rows.filter(
            outcome__in=(ListRow.Outcome.INVALID, ListRow.Outcome.FAILED)
        )
    return rows


@dataclass(frozen=True)
class ShownRow:
    """A row as pages show it: enough to find it in the own sheet, numbers masked."""

    line: int
    name: str
    id_number: str
    phone: str
    gender: str
    outcome: str
    outcome_label: str
    problems: list[tuple[str, str]]
    hints: list[tuple[str, str]]


def show_row(row: ListRow, *, to_staff: bool = False) -> ShownRow:
    """Decrypt a row for a page. Staff read which part contradicts an account, coordinators
    one reason for all of them: the difference would tell who has an account."""
    listed = row.listed
    problems = [(COLUMNS[column], text) for column, text in listed.problems]
    if row.conflict:
        text = CONFLICTS[row.conflict] if to_staff else CONFLICT_TEXT
        problems.append((COLUMNS["row"], text))
    hints = [(COLUMNS[column], text) for column, text in listed.hints]
    if row.is_known:
        hints.append((COLUMNS["row"], KNOWN_HINT))
    return ShownRow(
        line=row.line,
        name=listed.shown_name,
        id_number=listed.masked_id_number,
        phone=listed.masked_phone,
        gender=listed.gender,
        outcome=row.outcome,
        outcome_label=row.get_outcome_display(),
        problems=problems,
        hints=hints,
    )


def list_idle_lists(states: Iterable[str], *, now: datetime) -> list[int]:
    """Lists in these states that no worker is at, those that wait longest first."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    waiting = RegistrationList.objects.filter(free, state__in=tuple(states))
    return list(waiting.order_by("uploaded_at", "pk").values_list("pk", flat=True)[:50])


def count_lists_of_day(person: User, *, now: datetime) -> tuple[int, int]:
    """How many lists, and rows in them, the person handed in during the last day."""
    recent = RegistrationList.objects.filter(
        uploaded_by=person, uploaded_at__gt=now - DAY
    )
    rows = recent.aggregate(rows=Sum("row_count", default=0))["rows"]
    return recent.count(), int(rows)


def find_accounts(number_indexes: Iterable[str]) -> dict[str, Account]:
    """The accounts that hold these numbers, by the number's index; one query."""
    people = User.objects.filter(id_number_index__in=list(number_indexes))
    return {
        str(index): Account(pk, code, name, state == User.State.CLOSED)
        for index, pk, code, name, state in people.values_list(
            "id_number_index", "pk", "code", "name", "state"
        )
    }


def find_taken_phones(phone_indexes: Iterable[str]) -> dict[str, int]:
    """Who holds these phones: the phone's index and the person's id; one query."""
    people = User.objects.filter(phone_index__in=list(phone_indexes))
    return {str(index): pk for index, pk in people.values_list("phone_index", "pk")}
