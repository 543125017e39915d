"""The files that answer a list: errors to correct, and what became of each row.

For whoever handed the list in, for 24 hours; made again on demand while the rows are kept.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.documents import (
    Outcome,
    ResultLine,
    write_error_sheet,
    write_result_sheet,
)
from accounts.errors import ListNotAllowedError, ListStateError
from accounts.locks import lock_list
from accounts.models import ListRow, PrivateFile, RegistrationList, User
from accounts.queries.lists import list_rows
from accounts.rules.lists import CONFLICT_TEXT
from accounts.rules.rosters import (
    CellProblem,
    CheckedRow,
    RosterCell,
    RosterHead,
    RosterRow,
)
from accounts.services.audit import record_audit
from accounts.services.files import (
    EXPORT_LIFETIME,
    delete_private_file,
    store_private_file,
)
from portal.lib.spreadsheet import XLSX

# One query reads so many rows; more at a time cost memory and save nothing.
ROWS_AT_ONCE = 1000
OUTCOMES = {
    ListRow.Outcome.NEW: Outcome.CREATED,
    ListRow.Outcome.LINKED: Outcome.LINKED,
}


def list_typed(checked: CheckedRow) -> tuple[str, ...]:
    """The cells of a row with problems as they stood in the sheet; else nothing."""
    if checked.is_valid:
        return ()
    typed = checked.typed
    cells = (typed.name, typed.id_number, typed.phone, typed.gender, typed.remark)
    return tuple(cell.text for cell in cells)


def compose_errors(registration_list: RegistrationList) -> bytes:
    """The rows with problems as a sheet that can be corrected and sent again."""
    rows = list_rows(registration_list, only_invalid=True)
    head = RosterHead(**registration_list.head)
    lines = map(_error_line, rows.iterator(chunk_size=ROWS_AT_ONCE))
    return write_error_sheet(lines, head=head)


def compose_results(registration_list: RegistrationList) -> bytes:
    """Every row of the sheet and what became of it: names and masked numbers only."""
    rows = list_rows(registration_list).iterator(chunk_size=ROWS_AT_ONCE)
    return write_result_sheet(
        map(_result_line, rows), first_password_rule=settings.FIRST_PASSWORD_RULE
    )


def _error_line(row: ListRow) -> CheckedRow:
    """The row as the check found it, with the contradiction that the accounts added."""
    listed = row.listed
    typed = listed.typed or (
        *(listed.name, listed.id_number, listed.phone),
        *(listed.gender, listed.remark),
    )
    name, number, phone, gender, remark = map(RosterCell, typed)
    problems = [CellProblem(column, text) for column, text in listed.problems]
    if row.conflict:
        problems.append(CellProblem("row", CONFLICT_TEXT))
    return CheckedRow(
        line=row.line,
        name=listed.name,
        id_number=listed.id_number,
        id_kind=row.id_kind,
        phone=listed.phone,
        gender=listed.gender,
        remark=listed.remark,
        typed=RosterRow(row.line, name, number, phone, gender, remark),
        problems=tuple(problems),
    )


def _result_line(row: ListRow) -> ResultLine:
    listed = row.listed
    reasons = [text for _, text in listed.problems]
    if row.conflict:
        reasons.append(CONFLICT_TEXT)
    return ResultLine(
        name=listed.shown_name,
        id_number=listed.id_number or "".join(listed.typed[1:2]),
        outcome=OUTCOMES.get(ListRow.Outcome(row.outcome), Outcome.REFUSED),
        reason="；".join(reasons),
    )


def store_error_file(row: RegistrationList, content: bytes, *, now: datetime) -> None:
    """Put an error file into the list's column; saving is the caller's."""
    row.error_file = _store(
        row,
        content,
        name=f"错误文件-{row.code}.xlsx",
        purpose=PrivateFile.Purpose.ERRORS,
        now=now,
    )


def store_result_file(row: RegistrationList, content: bytes, *, now: datetime) -> None:
    """Put a result file into the list's column; saving is the caller's."""
    row.result_file = _store(
        row,
        content,
        name=f"办理结果-{row.code}.xlsx",
        purpose=PrivateFile.Purpose.RESULT,
        now=now,
    )


def renew_answer(*, list_id: int, actor: User, now: datetime) -> None:
    """Make the file that answers the list again: what became of it, or what is wrong with it.

    Raises `ListNotAllowedError` and `ListStateError`.
    """
    row = RegistrationList.objects.get(pk=list_id)
    if row.uploaded_by_id != actor.pk:
        raise ListNotAllowedError("文件仅限上传人本人下载。")
    column = row.answer_column
    if not column:
        raise ListStateError
    # Before the transaction: on SQLite nobody else writes while one lasts.
    is_result = column == "result_file"
    content = compose_results(row) if is_result else compose_errors(row)
    with transaction.atomic():
        row = lock_list(list_id)
        if row.answer_column != column:
            raise ListStateError
        before: PrivateFile | None = getattr(row, column)
        store = store_result_file if is_result else store_error_file
        store(row, content, now=now)
        row.save(update_fields=[column])
        if before is not None:
            delete_private_file(file=before)
        record_audit(
            action=f"list.{column}_renewed",
            target=f"list:{row.code}",
            actor=actor,
            now=now,
        )


def _store(
    row: RegistrationList,
    content: bytes,
    *,
    name: str,
    purpose: PrivateFile.Purpose,
    now: datetime,
) -> PrivateFile:
    return store_private_file(
        content=content,
        name=name,
        content_type=XLSX,
        purpose=purpose,
        owner=row.uploaded_by,
        now=now,
        lifetime=EXPORT_LIFETIME,
    )
