"""The files that answer a list: errors to correct, and what became of each row.

For whoever handed the list in, for 24 hours; made again on demand while the rows are kept.
"""

from datetime import datetime

from django.db import transaction

from accounts.documents import ErrorRow, ResultRow, write_error_sheet, write_result_sheet
from accounts.errors import ListNotAllowedError, ListStateError
from accounts.locks import lock_list
from accounts.models import ListRow, PrivateFile, RegistrationList, User
from accounts.queries.lists import list_rows
from accounts.services.audit import record_audit
from accounts.services.files import (
    EXPORT_LIFETIME,
    delete_private_file,
    store_private_file,
)
from portal.lib.masks import mask_id_number
from portal.lib.spreadsheet import XLSX

State = RegistrationList.State
Outcome = ListRow.Outcome


def compose_errors(registration_list: RegistrationList) -> bytes:
    """The rows with problems as a sheet that can be corrected and sent again."""
    rows = list_rows(registration_list, only_invalid=True)
    return write_error_sheet([_error_row(row) for row in rows])


def compose_results(registration_list: RegistrationList) -> bytes:
    """Every row of the sheet and what became of it: names and masked numbers only."""
    rows = list_rows(registration_list).select_related("person", "registration_list")
    return write_result_sheet([_result_row(row) for row in rows])


def store_error_file(row: RegistrationList, *, now: datetime) -> None:
    """Put a new error file into the list's column; saving is the caller's."""
    row.error_file = _store(
        row,
        compose_errors(row),
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


@transaction.atomic
def renew_error_file(*, list_id: int, actor: User, now: datetime) -> None:
    """Make the error file again. Raises `ListNotAllowedError`, `ListStateError`."""
    row = _lock_for(list_id, actor)
    if not row.invalid_count or row.checked_at is None:
        raise ListStateError
    before, row.error_file = row.error_file, None
    store_error_file(row, now=now)
    _replace(row, "error_file", before, actor, now)


@transaction.atomic
def renew_result_file(*, list_id: int, actor: User, now: datetime) -> None:
    """Make the result file again. Raises `ListNotAllowedError`, `ListStateError`."""
    row = _lock_for(list_id, actor)
    if row.state != State.DONE:
        raise ListStateError
    before, row.result_file = row.result_file, None
    store_result_file(row, compose_results(row), now=now)
    _replace(row, "result_file", before, actor, now)


def _lock_for(list_id: int, actor: User) -> RegistrationList:
    row = lock_list(list_id)
    if row.uploaded_by_id != actor.pk:
        raise ListNotAllowedError("文件仅限上传人本人下载。")
    if row.forgotten_at is not None:
        raise ListStateError("名单内容已按规定清除，不能再生成文件。")
    return row


def _replace(
    row: RegistrationList,
    column: str,
    before: PrivateFile | None,
    actor: User,
    now: datetime,
) -> None:
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
