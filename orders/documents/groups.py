"""Sheets for whoever buys for a group."""

from collections.abc import Iterable, Sequence

from accounts.rules.rosters import DAMAGED_NUMBER
from orders.models import GroupRow
from orders.rules.groups import explain
from portal.lib.spreadsheet import write_sheet

_GROUP_COLUMNS = (("身份证号码", 24), ("姓名（选填）", 16))
_ERROR_COLUMNS = (("行号", 8), ("身份证号码", 24), ("姓名", 16), ("错误说明", 60))
_PEOPLE_COLUMNS = (
    ("序号", 8),
    ("姓名", 14),
    ("证件号码", 24),
    ("学习状态", 12),
    ("完成度（%）", 12),
)


def write_group_template() -> bytes:
    """Return the blank sheet of a group purchase."""
    return write_sheet("团购名单", _GROUP_COLUMNS, [])


def write_group_errors(rows: Iterable[GroupRow]) -> bytes:
    """Return the rows that cannot be bought for, as typed, with why; to correct and upload.

    A number that Excel cut is left empty: with its last digits gone it might pass for
    somebody else's when it comes back.
    """
    return write_sheet("错误名单", _ERROR_COLUMNS, map(_describe_error, rows))


def _describe_error(row: GroupRow) -> tuple[object, ...]:
    given = row.given
    reasons = [*given.problems, explain(row.outcome, has_name=row.has_name)]
    is_cut = DAMAGED_NUMBER in given.problems
    return (
        row.line,
        "" if is_cut else given.number or given.typed_number,
        given.shown_name,
        "；".join(filter(None, reasons)),
    )


def write_group_people(people: Iterable[Sequence[object]]) -> bytes:
    """Return the people of a group order with their states, as the page shows them."""
    return write_sheet("团购人员", _PEOPLE_COLUMNS, people)
