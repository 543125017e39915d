"""Sheets of people who are to be given codes: where things stand in them.

The portal's own form has a name and an account in each row; a unit's registration list,
with ID numbers and phones, is read as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.errors import NameRefusedError
from accounts.rules.accounts import canonical_account
from accounts.rules.names import read_name
from accounts.rules.roster_layout import HEAD_ROWS, name_column, read_head
from accounts.rules.rosters import DAMAGED_NUMBER
from orders.errors import ImportRefusedError
from portal.lib.sheet_reading import SheetCell, SheetRow

NAME, ACCOUNT = "name", "account"
ACCOUNT_HEADS = frozenset({"账号", "用户名", "工号", "登录名", "学员账号", "登录账号"})
# Which column names the person, where a sheet has several.
_PREFERRED = (ACCOUNT, "id_number", "phone")

NAME_MISSING = "请填写姓名。"
NAME_WRONG = "姓名中间不能有空格和符号（间隔号“·”除外）。"
ACCOUNT_MISSING = "请填写用户名、手机号码或身份证号码。"
REPEATED = "与第{}行为同一人。"
NO_COLUMNS = (
    "表头中没有找到“姓名”和“账号”（用户名、手机号码或身份证号码）两列，请使用模板填写。"
)

_NOTE = re.compile(r"(?:注意|注|说明|备注|填表人|审核人|制表人|合计|总计)\s*[:：]?")
_DIGITS_KEPT = 15
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]+", re.IGNORECASE | re.ASCII)
_NOTHING = SheetCell()
# A sheet that repeats a head, or a list with two officers' signatures, is no reason to fail.
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class SheetPerson:
    """A row: what was typed, and how the account is looked up; empty with a problem."""

    line: int
    name: str
    typed_account: str
    account: str = ""
    problem: str = ""


def most_people(unused: int) -> int:
    """How many people a sheet may name: whoever has few codes asks about few people.

    Twice the codes and a few more, since some of a unit have bought for themselves.
    """
    return 2 * unused + 20


def find_people(rows: Sequence[SheetRow]) -> list[SheetPerson]:
    """The people of a sheet, with what is wrong about each. Raises `ImportRefusedError`."""
    start, columns = _find_head(rows)
    people: list[SheetPerson] = []
    first_lines: dict[str, int] = {}
    for row in rows[start:]:
        cells = {
            name: row.cells[place] if place < len(row.cells) else _NOTHING
            for name, place in columns.items()
        }
        if not _is_person(row, cells):
            continue
        person = _read_person(row.number, cells)
        if person.account:
            first = first_lines.setdefault(person.account, row.number)
            if first != row.number:
                person = _refuse(person, REPEATED.format(first))
        people.append(person)
    if not people:
        raise ImportRefusedError("表中没有人员，请在表头下方逐行填写后再上传。")
    return people


def _find_head(rows: Sequence[SheetRow]) -> tuple[int, dict[str, int]]:
    for number, row in enumerate(rows[:HEAD_ROWS]):
        columns: dict[str, int] = {}
        for place, cell in enumerate(row.cells):
            name = _name_column(cell.text)
            if name:
                columns.setdefault(name, place)
        if NAME in columns and any(name in columns for name in _PREFERRED):
            return number + 1, columns
    raise ImportRefusedError(NO_COLUMNS)


def _name_column(text: str) -> str:
    if read_head(text) in ACCOUNT_HEADS:
        return ACCOUNT
    column = name_column(text)
    return column if column in (NAME, *_PREFERRED) else ""


def _is_person(row: SheetRow, cells: Mapping[str, SheetCell]) -> bool:
    """Leave out empty lines, notes and repeated heads; nobody else drops out unnoticed."""
    if not any(cell.text.strip() for cell in cells.values()):
        return False
    if _name_column(cells[NAME].text) == NAME:
        return False
    first = next(cell.text.strip() for cell in row.cells if cell.text.strip())
    has_account = any(cells.get(name, _NOTHING).text.strip() for name in _PREFERRED)
    return has_account or not _NOTE.match(first)


def _read_person(line: int, cells: Mapping[str, SheetCell]) -> SheetPerson:
    cell = next(
        (
            cells[name]
            for name in _PREFERRED
            if name in cells and cells[name].text.strip()
        ),
        _NOTHING,
    )
    typed = cell.text.strip()[:_LONGEST]
    name = cells[NAME].text.strip()[:_LONGEST]
    person = SheetPerson(line, name, typed)
    if not typed:
        return _refuse(person, ACCOUNT_MISSING)
    is_cut = cell.is_number and len(typed) >= _DIGITS_KEPT
    if is_cut or _SCIENTIFIC.fullmatch(typed):
        return _refuse(person, DAMAGED_NUMBER)
    if not name:
        return _refuse(person, NAME_MISSING)
    try:
        name = read_name(name)
    except NameRefusedError:
        return _refuse(person, NAME_WRONG)
    return SheetPerson(line, name, typed, canonical_account(typed))


def _refuse(person: SheetPerson, problem: str) -> SheetPerson:
    return SheetPerson(person.line, person.name, person.typed_account, problem=problem)
