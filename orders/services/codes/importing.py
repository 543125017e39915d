"""Handing in a sheet of people for codes, and checking it. Nothing is given here.

The check runs in a worker that may be killed at any line: rows are written in steps with
the lease renewed, and whoever takes over begins anew.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

from django.db import transaction

from accounts.models import PrivateFile, User
from accounts.rules.rosters import DAMAGED_NUMBER
from accounts.services.audit import record_audit
from accounts.services.files import (
    EXPORT_LIFETIME,
    delete_private_file,
    read_private_file,
    store_private_file,
)
from accounts.services.leases import Clock, LeaseLostError
from catalog.models import Plan
from orders.documents import write_code_errors
from orders.errors import (
    ImportLimitError,
    ImportRefusedError,
    ImportStateError,
    NoCodeLeftError,
    RecipientNotFoundError,
    RecipientProvidedError,
)
from orders.locks import lock_import, lock_people
from orders.models import CodeImport, CodeImportRow, ImportedPerson
from orders.queries.codes import (
    count_imports_of_day,
    find_people_by_account,
    list_import_rows,
    list_provided,
    list_unused_of,
)
from orders.rules import (
    IMPORTED_ROWS_A_DAY,
    IMPORTS_A_DAY,
    MOST_ROWS,
    looks_like_probing,
)
from orders.rules.code_sheets import REPEATED, SheetPerson, find_people, most_people
from orders.services.codes.leases import ImportLease, take_lease
from portal.lib.bulk_insert import insert_rows
from portal.lib.sheet_reading import SheetRefusedError, read_sheet
from portal.lib.spreadsheet import XLSX

logger = logging.getLogger(__name__)

State = CodeImport.State
Outcome = CodeImportRow.Outcome

ROWS_A_STEP = 1000
# A file that ends its worker again and again is not tried for ever.
MOST_TRIES = 4
_EACH = ("line", "data_cipher", "person_id", "outcome", "problem")
NOT_FOUND = str(RecipientNotFoundError())
PROVIDED = str(RecipientProvidedError())


@transaction.atomic
def upload_import(
    *, owner: User, plan: Plan, content: bytes, now: datetime
) -> CodeImport:
    """Keep the sheet; a worker checks it. Wake it: `orders.tasks.check_code_import`.

    Raises `NoCodeLeftError` for anybody without unused codes, and `ImportLimitError`.
    """
    # Uploads of one person queue here, so that parallel ones are counted too.
    lock_people([owner.pk])
    if not list_unused_of(owner.pk, plan.pk).exists():
        raise NoCodeLeftError
    sheets, rows = count_imports_of_day(owner.pk, now)
    if sheets >= IMPORTS_A_DAY or rows >= IMPORTED_ROWS_A_DAY:
        raise ImportLimitError
    code_import = CodeImport(owner=owner, plan=plan, uploaded_at=now)
    # A name of our own: people write anything into the names of files.
    code_import.file = store_private_file(
        content=content,
        name=f"赠送名单-{code_import.code}.xlsx",
        content_type=XLSX,
        purpose=PrivateFile.Purpose.CODES,
        owner=owner,
        now=now,
    )
    code_import.save(force_insert=True)
    record_audit(
        action="codes.import_uploaded",
        target=f"code_import:{code_import.code}",
        actor=owner,
        now=now,
        detail={"plan": plan.code},
    )
    return code_import


@transaction.atomic
def drop_import(*, import_id: int, now: datetime) -> None:
    """End a checked import without giving anything. Raises `ImportStateError`."""
    row = lock_import(import_id)
    if row.state != State.CHECKED:
        raise ImportStateError
    row.state, row.ended_at = State.DROPPED, now
    row.save(update_fields=["state", "ended_at"])


def check_import(*, import_id: int, clock: Clock) -> None:
    """Read and check the sheet, unless another worker is at it.

    Ends with the import `checked`, or `refused` with the reason if the file is no list.
    """
    lease = take_lease(
        import_id, states=CodeImport.TO_CHECK, working=State.CHECKING, clock=clock
    )
    if lease is None:
        return
    try:
        people = _read(lease)
        _begin(lease, len(people))
        seen: dict[int, int] = {}
        for start in range(0, len(people), ROWS_A_STEP):
            _write_rows(lease, people[start : start + ROWS_A_STEP], seen)
        _finish(lease)
    except (SheetRefusedError, ImportRefusedError, ImportLimitError) as error:
        _refuse(lease, str(error))
    except LeaseLostError:
        logger.info("import left to another", extra={"reference": import_id})


def _read(lease: ImportLease) -> list[SheetPerson]:
    row = CodeImport.objects.select_related("file").get(pk=lease.row_id)
    if row.file is None or row.tries > MOST_TRIES:
        raise ImportRefusedError("文件无法读取，请下载模板重新填写后上传。")
    people = find_people(read_sheet(read_private_file(row.file), max_rows=MOST_ROWS))
    unused = list_unused_of(row.owner_id, row.plan_id).count()
    if len(people) > most_people(unused):
        raise ImportRefusedError(
            f"表中共{len(people)}人，未使用的激活码只有{unused}个，"
            "请减少人员或先购买激活码。"
        )
    return people


def _begin(lease: ImportLease, count: int) -> None:
    """Note the number of rows; forget what a killed worker had written."""
    with lease.hold() as row:
        # Parallel checks of one owner queue here, so that their rows add up.
        lock_people([row.owner_id])
        _, before = count_imports_of_day(row.owner_id, lease.clock())
        if before - row.row_count + count > IMPORTED_ROWS_A_DAY:
            raise ImportLimitError
        row.rows.all().delete()
        row.row_count, row.checked_count, row.valid_count = count, 0, 0


def _write_rows(
    lease: ImportLease, people: Sequence[SheetPerson], seen: dict[int, int]
) -> None:
    with lease.hold() as row:
        written = _judge(row, people, seen)
        insert_rows(
            CodeImportRow,
            same={"code_import_id": row.pk},
            each=_EACH,
            rows=map(attrgetter(*_EACH), written),
        )
        row.checked_count += len(written)
        row.valid_count += sum(each.outcome == Outcome.WAITING for each in written)


def _judge(
    row: CodeImport, people: Sequence[SheetPerson], seen: dict[int, int]
) -> list[CodeImportRow]:
    """A handful of queries for all of them. `seen` are the people of earlier steps."""
    accounts = find_people_by_account(each.account for each in people if each.account)
    provided = list_provided(row.plan_id, (user.pk for user in accounts.values()))
    written = []
    for each in people:
        person, problem = accounts.get(each.account), each.problem
        # Nobody, or somebody of another name: one reason, or the sheet would tell who
        # has an account.
        if not problem and (person is None or person.name != each.name):
            problem = NOT_FOUND
        if not problem and person is not None:
            first = seen.setdefault(person.pk, each.line)
            if first != each.line:
                problem = REPEATED.format(first)
            elif person.pk in provided:
                problem = PROVIDED
        one = CodeImportRow(
            code_import=row,
            line=each.line,
            person=None if problem else person,
            outcome=Outcome.INVALID if problem else Outcome.WAITING,
            problem=problem,
        )
        one.store_typed(ImportedPerson(each.name, each.typed_account))
        written.append(one)
    return written


def _finish(lease: ImportLease) -> None:
    row = CodeImport.objects.get(pk=lease.row_id)
    # Before the transaction: on SQLite nobody else writes while one lasts.
    errors = compose_errors(row) if row.invalid_count else b""
    missed = list_import_rows(row).filter(problem=NOT_FOUND).count()
    with lease.hold() as row:
        row.state, row.checked_at = State.CHECKED, lease.clock()
        if errors:
            store_errors(row, errors, now=lease.clock())
    if looks_like_probing(checked=row.row_count, missed=missed):
        logger.warning(
            "import of people finds few of them", extra={"reference": row.code}
        )


def _refuse(lease: ImportLease, reason: str) -> None:
    """End the import with the reason; nothing is kept of a file that is no list."""
    try:
        with lease.hold() as row:
            row.state, row.reason = State.REFUSED, reason[:300]
            row.ended_at = lease.clock()
            row.rows.all().delete()
            file, row.file = row.file, None
    except LeaseLostError:
        logger.info("import left to another", extra={"reference": lease.row_id})
        return
    if file is not None:
        delete_private_file(file=file)


def compose_errors(code_import: CodeImport) -> bytes:
    """The rows that got no code, to correct and send again.

    A number that Excel cut is left out: with its last digits gone it might pass for
    somebody else's when it comes back.
    """
    rows = list_import_rows(code_import, only_bad=True)
    lines = ((row, row.typed) for row in rows.iterator(chunk_size=1000))
    return write_code_errors(
        (
            row.line,
            typed.name,
            "" if row.problem == DAMAGED_NUMBER else typed.account,
            row.problem,
        )
        for row, typed in lines
    )


def store_errors(row: CodeImport, content: bytes, *, now: datetime) -> None:
    """Put an error file into its column, for its owner and 24 hours; saving is the
    caller's."""
    row.error_file = store_private_file(
        content=content,
        name=f"错误文件-{row.code}.xlsx",
        content_type=XLSX,
        purpose=PrivateFile.Purpose.ERRORS,
        owner=row.owner,
        now=now,
        lifetime=EXPORT_LIFETIME,
    )


def renew_errors(*, import_id: int, now: datetime) -> None:
    """Make the error file again whose 24 hours are over. Raises `ImportStateError`."""
    row = CodeImport.objects.get(pk=import_id)
    if not row.has_errors:
        raise ImportStateError
    content = compose_errors(row)
    with transaction.atomic():
        row = lock_import(import_id)
        if not row.has_errors:
            raise ImportStateError
        before = row.error_file
        store_errors(row, content, now=now)
        row.save(update_fields=["error_file"])
        if before is not None:
            delete_private_file(file=before)


@transaction.atomic
def forget_import(*, import_id: int, now: datetime) -> None:
    """Delete the people and files of an import that ended long ago; its counts stay."""
    row = lock_import(import_id)
    if row.is_at_work:
        # Confirmed after all, a moment ago.
        return
    files = [file for file in (row.file, row.error_file) if file]
    row.rows.all().delete()
    row.file = row.error_file = None
    row.forgotten_at = now
    if row.state == State.CHECKED:
        row.state, row.ended_at = State.DROPPED, now
    row.save()
    for file in files:
        delete_private_file(file=file)
