"""Checking a list: the file becomes rows, each judged by itself and beside the accounts.

Runs in a worker that may be killed at any line: rows are written in steps, each with the
lease renewed and the progress told, and whoever takes over begins anew.
"""

import logging
from dataclasses import asdict
from operator import attrgetter

from django.utils import timezone

from accounts.errors import ListLimitError, RosterRefusedError
from accounts.locks import lock_person
from accounts.models import ListedPerson, ListRow, RegistrationList
from accounts.personal_data import id_number_index, phone_index
from accounts.queries.lists import (
    count_lists_of_day,
    find_accounts,
    find_taken_phones,
)
from accounts.rules.lists import (
    DAILY_ROWS,
    MAX_ROWS,
    SUSPICIOUS_CONFLICTS,
    judge_row,
)
from accounts.rules.rosters import CheckedRow, Roster, check_roster, find_roster
from accounts.services.files import delete_private_file, read_private_file
from accounts.services.leases import Clock, LeaseLostError
from accounts.services.lists.files import compose_errors, list_typed, store_error_file
from accounts.services.lists.leases import ListLease, take_lease
from portal.lib.bulk_insert import insert_rows
from portal.lib.sheet_reading import SheetRefusedError, read_sheet

logger = logging.getLogger(__name__)

State = RegistrationList.State
Outcome = ListRow.Outcome

ROWS_A_STEP = 1000
ROW_COLUMNS = (
    *("line", "data_cipher", "number_index", "phone_index", "id_kind"),
    *("is_known", "conflict", "outcome"),
)
# A file that ends its worker again and again (memory, time) is not tried for ever.
MOST_TRIES = 4
UNREADABLE = "文件无法读取，请下载模板重新填写后上传。"


def check_list(*, list_id: int, clock: Clock, max_rows: int = MAX_ROWS) -> None:
    """Read and check the list's file, unless another worker is at it.

    Ends with the list `checked`, or `refused` with the reason if the file is no list.
    """
    lease = take_lease(
        list_id, states=RegistrationList.TO_CHECK, working=State.CHECKING, clock=clock
    )
    if lease is None:
        return
    try:
        roster = _read(lease, max_rows)
        checked = check_roster(roster, today=timezone.localdate(clock()))
        _begin(lease, roster, len(checked))
        for start in range(0, len(checked), ROWS_A_STEP):
            _write_rows(lease, checked[start : start + ROWS_A_STEP])
        _finish(lease)
    except (SheetRefusedError, RosterRefusedError, ListLimitError) as error:
        _refuse(lease, str(error))
    except LeaseLostError:
        logger.info("list left to another", extra={"reference": list_id})


def _read(lease: ListLease, max_rows: int) -> Roster:
    row = RegistrationList.objects.select_related("file").get(pk=lease.row_id)
    if row.file is None or row.tries > MOST_TRIES:
        raise RosterRefusedError(UNREADABLE)
    cells = read_sheet(read_private_file(row.file), max_rows=max_rows)
    return find_roster(cells, most_people=max_rows)


def _begin(lease: ListLease, roster: Roster, count: int) -> None:
    """Note the head and the number of rows; forget what a killed worker had written."""
    with lease.hold() as row:
        _refuse_flood(row, count, lease)
        row.rows.all().delete()
        row.form = str(roster.form)
        row.store_head(asdict(roster.head))
        row.row_count, row.hidden_count = count, len(roster.hidden_lines)
        row.checked_count = row.valid_count = row.known_count = row.conflict_count = 0


def _refuse_flood(row: RegistrationList, count: int, lease: ListLease) -> None:
    if row.channel == RegistrationList.Channel.MAIL:
        return
    # Parallel checks of one person's lists queue here, so that their rows add up.
    lock_person(row.uploaded_by_id)
    _, before = count_lists_of_day(row.uploaded_by, now=lease.clock())
    if before - row.row_count + count > DAILY_ROWS:
        raise ListLimitError


def _write_rows(lease: ListLease, checked: list[CheckedRow]) -> None:
    with lease.hold() as row:
        written = [_build_row(row, each) for each in checked]
        _compare_with_accounts(written, checked)
        insert_rows(
            ListRow,
            same={"registration_list_id": row.pk},
            each=ROW_COLUMNS,
            rows=map(attrgetter(*ROW_COLUMNS), written),
        )
        row.checked_count += len(written)
        row.valid_count += sum(each.is_valid for each in written)
        row.known_count += sum(each.is_known for each in written)
        row.conflict_count += sum(bool(each.conflict) for each in written)


def _build_row(row: RegistrationList, checked: CheckedRow) -> ListRow:
    written = ListRow(
        registration_list=row,
        line=checked.line,
        id_kind=checked.id_kind,
        outcome=Outcome.WAITING if checked.is_valid else Outcome.INVALID,
    )
    written.store_listed(
        ListedPerson(
            name=checked.name,
            id_number=checked.id_number,
            phone=checked.phone,
            gender=checked.gender,
            remark=checked.remark,
            typed=list_typed(checked),
            problems=[(each.column, each.text) for each in checked.problems],
            hints=[(each.column, each.text) for each in checked.hints],
        )
    )
    if checked.is_valid:
        written.number_index = id_number_index(checked.id_number)
        written.phone_index = phone_index(checked.phone)
    return written


def _compare_with_accounts(written: list[ListRow], checked: list[CheckedRow]) -> None:
    """Two queries for all of them; a contradiction is told in one word, whatever it is."""
    valid = [each for each in written if each.is_valid]
    by_number = find_accounts(each.number_index for each in valid)
    taken = find_taken_phones(each.phone_index for each in valid)
    for row, source in zip(written, checked, strict=True):
        if not row.is_valid:
            continue
        verdict = judge_row(
            name=source.name,
            number_index=row.number_index,
            phone_index=row.phone_index,
            by_number=by_number,
            taken_phones=taken,
        )
        row.is_known, row.conflict = verdict.known is not None, verdict.conflict
        if row.conflict:
            row.outcome = Outcome.INVALID


def _finish(lease: ListLease) -> None:
    row = RegistrationList.objects.get(pk=lease.row_id)
    # Before the transaction: on SQLite nobody else writes while one lasts.
    errors = compose_errors(row) if row.invalid_count else b""
    with lease.hold() as row:
        now = lease.clock()
        row.state, row.checked_at = State.CHECKED, now
        if errors:
            store_error_file(row, errors, now=now)
        if row.conflict_count > SUSPICIOUS_CONFLICTS:
            logger.warning(
                "list contradicts many accounts", extra={"reference": row.code}
            )


def _refuse(lease: ListLease, reason: str) -> None:
    """End the list with the reason; nothing is kept of a file that is no list."""
    try:
        with lease.hold() as row:
            row.state, row.reason = State.REFUSED, reason[:300]
            row.ended_at = lease.clock()
            row.rows.all().delete()
            if row.file is not None:
                delete_private_file(file=row.file)
                row.file = None
    except LeaseLostError:
        logger.info("list left to another", extra={"reference": lease.row_id})
