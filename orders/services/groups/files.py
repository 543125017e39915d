"""下载错误文件: the rows that cannot be bought for and why, for the buyer, for a day."""

from datetime import datetime

from accounts.models import PrivateFile
from accounts.services.files import delete_private_file, store_private_file
from orders.documents import write_group_errors
from orders.models import GroupCheck
from orders.queries.groups import list_rows
from portal.lib.spreadsheet import XLSX

# One query reads so many rows; more at a time cost memory and save nothing.
ROWS_AT_ONCE = 1000


def compose_errors(check: GroupCheck) -> bytes:
    """The rows with problems as a sheet that can be corrected and uploaded again."""
    rows = list_rows(check, only_bad=True)
    return write_group_errors(rows.iterator(chunk_size=ROWS_AT_ONCE))


def store_error_file(check: GroupCheck, content: bytes, *, now: datetime) -> None:
    """Put an error file into the check's column, in place of an older one; saving is the
    caller's. It ends with the rows."""
    before = check.error_file
    check.error_file = store_private_file(
        content=content,
        name=f"错误文件-{check.code}.xlsx",
        content_type=XLSX,
        purpose=PrivateFile.Purpose.ERRORS,
        owner=check.buyer,
        now=now,
        lifetime=check.kept_until - now,
    )
    if before is not None:
        delete_private_file(file=before)
