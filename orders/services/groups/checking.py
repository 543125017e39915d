"""Checking the people of a group purchase: each by itself, then beside the accounts.

Runs in a worker that may be killed at any line: rows are written in steps, each with the
lease renewed and the progress told, and whoever takes over begins anew.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from operator import attrgetter

from django.conf import settings
from django.utils import timezone

from accounts.personal_data import id_number_index
from accounts.services.audit import record_audit
from accounts.services.files import delete_private_file, read_private_file
from accounts.services.leases import Clock, LeaseLostError
from orders.errors import GroupInputError, GroupLimitError
from orders.locks import lock_people
from orders.models import GroupCheck, GroupPerson, GroupRow
from orders.queries.groups import count_day, find_accounts
from orders.rules.group_input import (
    MAX_ROWS,
    CheckedPerson,
    GivenPeople,
    GivenPerson,
    check_given,
    read_paste,
    read_rows,
)
from orders.rules.groups import (
    Alarm,
    Verdict,
    judge_person,
    looks_like_guessing,
)
from orders.services.groups.files import compose_errors, store_error_file
from orders.services.groups.leases import CheckLease, take_lease
from orders.services.groups.submitting import refuse_too_many_numbers
from portal.lib.bulk_insert import insert_rows
from portal.lib.sheet_reading import SheetRefusedError, read_sheet

logger = logging.getLogger(__name__)

Outcome = GroupRow.Outcome

ROWS_A_STEP = 1000
ROW_COLUMNS = (
    *("position", "line", "data_cipher", "number_index", "has_name", "is_kept"),
    *("outcome", "person_id"),
)
# A file that ends its worker again and again (memory, time) is not tried for ever.
MOST_TRIES = 4
UNREADABLE = "名单无法读取，请下载模板重新填写，或直接粘贴证件号码。"
FORGOTTEN = "上次验证的结果已清除，请重新提交完整名单。"


def check_people(*, check_id: int, clock: Clock) -> None:
    """Read and check what was given, unless another worker is at it.

    Ends with the check `checked`, or `refused` with the reason if nothing can be read.
    """
    lease = take_lease(check_id, clock)
    if lease is None:
        return
    try:
        given = _read(lease)
        people, tidied = check_given(given.people, today=timezone.localdate(clock()))
        _begin(lease, people, Counter(given.tidied) + tidied)
        for start in range(0, len(people), ROWS_A_STEP):
            _write_rows(lease, people[start : start + ROWS_A_STEP], start)
        _finish(lease)
    except (SheetRefusedError, GroupInputError, GroupLimitError) as error:
        _refuse(lease, str(error))
    except LeaseLostError:
        logger.info("group check left to another", extra={"reference": check_id})


def _read(lease: CheckLease) -> GivenPeople:
    check = GroupCheck.objects.select_related("file", "replaces").get(pk=lease.row_id)
    if check.file is None or check.tries > MOST_TRIES:
        raise GroupInputError(UNREADABLE)
    content = read_private_file(check.file)
    given = (
        read_rows(read_sheet(content, max_rows=MAX_ROWS))
        if check.is_sheet
        else read_paste(content.decode())
    )
    kept = tuple(_list_kept(check))
    if len(kept) + len(given.people) > MAX_ROWS:
        raise GroupInputError(f"连同保留的人员一次最多{MAX_ROWS}人，请分几次提交。")
    return GivenPeople((*kept, *given.people), given.tidied)


def _list_kept(check: GroupCheck) -> Iterator[GivenPerson]:
    """Whom the corrected check found free, where the buyer wants them taken over."""
    before = check.replaces if check.keeps_free else None
    if before is None:
        return
    if before.forgotten_at is not None:
        raise GroupInputError(FORGOTTEN)
    for row in before.rows.filter(outcome=Outcome.FREE).order_by("position"):
        given = row.given
        yield GivenPerson(row.line, given.number, given.name, is_kept=True)


def _begin(
    lease: CheckLease, people: list[CheckedPerson], tidied: Counter[str]
) -> None:
    """Note the number of rows; forget what a killed worker had written."""
    asked = sum(each.is_readable and not each.given.is_kept for each in people)
    with lease.hold() as check:
        # Parallel checks of one buyer queue here, so that their numbers add up.
        lock_people([check.buyer_id])
        refuse_too_many_numbers(check, asked=asked, now=lease.clock())
        check.rows.all().delete()
        check.row_count, check.asked_count = len(people), asked
        check.checked_count = check.free_count = check.unknown_count = 0
        check.tidied = {key: count for key, count in tidied.items() if count}


def _write_rows(lease: CheckLease, people: list[CheckedPerson], start: int) -> None:
    with lease.hold() as check:
        rows = [
            _build_row(check, person, position)
            for position, person in enumerate(people, start=start + 1)
        ]
        _compare_with_accounts(check, rows, people)
        insert_rows(
            GroupRow,
            same={"group_check_id": check.pk},
            each=ROW_COLUMNS,
            rows=map(attrgetter(*ROW_COLUMNS), rows),
        )
        check.checked_count += len(rows)
        check.free_count += sum(row.outcome == Outcome.FREE for row in rows)
        check.unknown_count += sum(
            row.outcome == Outcome.UNAVAILABLE and not row.is_kept for row in rows
        )


def _build_row(check: GroupCheck, person: CheckedPerson, position: int) -> GroupRow:
    given, readable = person.given, person.is_readable
    row = GroupRow(
        group_check=check,
        position=position,
        line=given.line,
        has_name=bool(person.name),
        is_kept=given.is_kept,
        outcome=Outcome.INVALID,
    )
    row.store_given(
        GroupPerson(
            number=person.number,
            name=person.name,
            typed_number="" if readable else given.number[:200],
            typed_name="" if readable else given.name[:200],
            problems=person.problems,
            hints=person.hints,
        )
    )
    if readable:
        row.number_index = id_number_index(person.number)
    return row


def _compare_with_accounts(
    check: GroupCheck, rows: list[GroupRow], people: list[CheckedPerson]
) -> None:
    """Four queries for a step of them; who may not be told of gets the one reason."""
    readable = [row.number_index for row in rows if row.number_index]
    accounts = find_accounts(readable, plan_id=check.plan_id)
    for row, person in zip(rows, people, strict=True):
        if not row.number_index:
            continue
        account = accounts.get(row.number_index)
        verdict = judge_person(name=person.name, account=account)
        row.outcome = Outcome(verdict.value)
        if verdict is Verdict.FREE and account is not None:
            row.person_id = account.person_id


def _finish(lease: CheckLease) -> None:
    check = GroupCheck.objects.get(pk=lease.row_id)
    # Before the transaction: on SQLite nobody else writes while one lasts.
    errors = compose_errors(check) if check.bad_count else b""
    with lease.hold() as check:
        now = lease.clock()
        check.state, check.checked_at = GroupCheck.State.CHECKED, now
        given, check.file = check.file, None
        if given is not None:
            delete_private_file(file=given)
        if errors:
            store_error_file(check, errors, now=now)
        _raise_alarm(check, lease)


def _raise_alarm(check: GroupCheck, lease: CheckLease) -> None:
    """Show staff a buyer most of whose numbers of the day are nobody's to buy for."""
    day = count_day(check.buyer, now=lease.clock())
    # The locked row's own counts are not saved yet, but were by the last step.
    alarm = Alarm(
        settings.GROUP_PURCHASE["alarm_numbers"],
        settings.GROUP_PURCHASE["alarm_percent"],
    )
    known = day.asked - day.unknown
    if not looks_like_guessing(asked=day.asked, known=known, alarm=alarm):
        return
    is_known = GroupCheck.objects.filter(
        buyer=check.buyer, alarm=GroupCheck.Alarm.OPEN
    ).exists()
    if not is_known:
        check.alarm = GroupCheck.Alarm.OPEN
    logger.warning("group checks find few accounts", extra={"reference": check.code})
    record_audit(
        action="group.few_numbers_found",
        target=f"group:{check.code}",
        actor=check.buyer,
        now=lease.clock(),
        detail={"asked": day.asked, "known": known, "checks": day.checks},
    )


def _refuse(lease: CheckLease, reason: str) -> None:
    try:
        with lease.hold() as check:
            check.state, check.reason = GroupCheck.State.REFUSED, reason[:300]
            given, check.file = check.file, None
            if given is not None:
                delete_private_file(file=given)
    except LeaseLostError:
        logger.info("group check left to another", extra={"reference": lease.row_id})
