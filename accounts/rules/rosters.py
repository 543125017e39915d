"""Registration lists (附件2): what stands in them and what is wrong with it.

Two steps, both pure: `find_roster` finds head, columns and people in the rows of a sheet,
`check_roster` says of every person what is wrong. Nothing is repaired that could be a
different person: blanks inside a name or a number, digits that Excel dropped.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from accounts.errors import NameRefusedError
from accounts.rules.identity import read_id_number
from accounts.rules.names import read_name
from accounts.rules.roster_layout import (
    Roster,
    RosterCell,
    RosterHead,
    RosterRow,
    find_roster,
)
from portal.lib.identity import PersonNumberError
from portal.lib.phones import PhoneError, normalise_phone

__all__ = [
    "CellProblem",
    "CheckedRow",
    "Roster",
    "RosterCell",
    "RosterHead",
    "RosterRow",
    "check_roster",
    "find_roster",
]

DAMAGED_NUMBER = (
    "该单元格是数字格式，Excel 只保留15位有效数字，号码已损坏，"
    "请改为文本格式后重新填写。"
)
NAME_BLANK = "姓名中间不能有空格和符号（间隔号“·”除外）。"
NAME_MISSING = "请填写姓名。"
PHONE_MISSING = "请填写手机号码。"
PHONE_REFUSED = "手机号码应为11位数字，请核对。"
GENDER_REFUSED = "性别请填写“男”或“女”。"
GENDER_DISAGREES = "性别与身份证号码第17位不一致，请核对。"
HIDDEN = "该行在表格中被隐藏，请确认需要注册。"
# From here on a number in a cell has lost digits, or may have.
_DIGITS_KEPT = 15
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]+", re.IGNORECASE | re.ASCII)
_BLANK = re.compile(r"\s")
# As many lines as a message names; a list may repeat one number ten thousand times.
_LINES_NAMED = 5


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong, or worth a look, with a cell; `row` stands for the whole row."""

    column: str
    text: str


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A person of the list as far as it could be read; what was typed is in `typed`.

    `problems` keep the row from being registered, `hints` only ask for a look.
    """

    line: int
    name: str
    id_number: str
    id_kind: str
    phone: str
    gender: str
    remark: str
    typed: RosterRow
    problems: tuple[CellProblem, ...] = ()
    hints: tuple[CellProblem, ...] = ()

    @property
    def is_valid(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class _Draft:
    """A row while it is checked."""

    typed: RosterRow
    name: str = ""
    id_number: str = ""
    id_kind: str = ""
    phone: str = ""
    gender: str = ""
    problems: list[CellProblem] = field(default_factory=list)
    hints: list[CellProblem] = field(default_factory=list)

    def refuse(self, column: str, text: str) -> None:
        self.problems.append(CellProblem(column, text))

    def hint(self, column: str, text: str) -> None:
        self.hints.append(CellProblem(column, text))


def check_roster(roster: Roster, *, today: date) -> list[CheckedRow]:
    """Check every person of the list at once, in the order of the list."""
    drafts = [_check_row(row, today=today) for row in roster.rows]
    _refuse_repeated(
        drafts, lambda draft: draft.id_number, "id_number", "身份证号码与第{}重复。"
    )
    # The same person twice shares the phone too, and has been told already.
    _refuse_repeated(
        drafts,
        lambda draft: draft.phone,
        "phone",
        "手机号码与第{}相同，每人须填写本人手机号码。",
        same=lambda draft: draft.id_number or str(draft.typed.line),
    )
    return [_freeze(draft) for draft in drafts]


def _freeze(draft: _Draft) -> CheckedRow:
    return CheckedRow(
        line=draft.typed.line,
        name=draft.name,
        id_number=draft.id_number,
        id_kind=draft.id_kind,
        phone=draft.phone,
        gender=draft.gender,
        remark=draft.typed.remark.text.strip(),
        typed=draft.typed,
        problems=tuple(draft.problems),
        hints=tuple(draft.hints),
    )


def _check_row(row: RosterRow, *, today: date) -> _Draft:
    draft = _Draft(row)
    if row.is_hidden:
        draft.hint("row", HIDDEN)
    _check_name(draft)
    is_male = _check_id_number(draft, today=today)
    _check_phone(draft)
    _check_gender(draft, is_male)
    return draft


def _check_name(draft: _Draft) -> None:
    typed = draft.typed.name.text
    if not typed.strip():
        draft.refuse("name", NAME_MISSING)
        return
    try:
        draft.name = read_name(typed)
    except NameRefusedError as error:
        draft.name = typed.strip()
        has_blank = _BLANK.search(draft.name) is not None
        draft.refuse("name", NAME_BLANK if has_blank else str(error))
        return
    if draft.name != typed.strip():
        draft.hint("name", f"姓名将登记为“{draft.name}”。")


def _check_id_number(draft: _Draft, *, today: date) -> bool | None:
    """Read the ID number; return whether it is a man's where it tells."""
    typed = draft.typed.id_number
    lost_digits = typed.is_number and len(typed.text) >= _DIGITS_KEPT
    if lost_digits or _SCIENTIFIC.fullmatch(typed.text.strip()):
        draft.refuse("id_number", DAMAGED_NUMBER)
        return None
    try:
        number, draft.id_kind = read_id_number(typed.text, today=today)
    except PersonNumberError as error:
        draft.refuse("id_number", str(error))
        return None
    draft.id_number = number.number
    if number.number != typed.text:
        draft.hint("id_number", _describe_change(typed.text, number.number))
    for warning in number.warnings:
        draft.hint("id_number", warning)
    return number.is_male


def _describe_change(typed: str, number: str) -> str:
    if typed.strip() == number:
        return "已去掉号码前后的空格。"
    if unicodedata.normalize("NFKC", typed) != typed:
        return "已将全角字符改为半角。"
    if typed.strip().upper() == number:
        return "已将小写字母改为大写。"
    return "已去掉号码前后看不见的字符。"


def _check_phone(draft: _Draft) -> None:
    typed = draft.typed.phone.text
    if not typed.strip():
        draft.refuse("phone", PHONE_MISSING)
        return
    try:
        draft.phone = normalise_phone(typed)
    except PhoneError:
        draft.refuse("phone", PHONE_REFUSED)


def _check_gender(draft: _Draft, is_male: bool | None) -> None:
    typed = _BLANK.sub("", draft.typed.gender.text)
    if not typed:
        return
    gender = typed.removesuffix("性")
    if gender not in {"男", "女"}:
        draft.refuse("gender", GENDER_REFUSED)
        return
    draft.gender = gender
    if is_male is not None and is_male != (gender == "男"):
        draft.refuse("gender", GENDER_DISAGREES)


def _refuse_repeated(
    drafts: Iterable[_Draft],
    value: Callable[[_Draft], str],
    column: str,
    text: str,
    *,
    same: Callable[[_Draft], str] | None = None,
) -> None:
    """Refuse every row whose value another row has too, naming the other lines.

    Rows for which `same` is equal count as one.
    """
    groups: defaultdict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        if value(draft):
            groups[value(draft)].append(draft)
    for group in groups.values():
        if len(group) < 2 or (same and len({same(draft) for draft in group}) < 2):
            continue
        lines = [draft.typed.line for draft in group]
        for draft in group:
            draft.refuse(column, text.format(_name_others(lines, draft.typed.line)))


def _name_others(lines: Sequence[int], line: int) -> str:
    named: list[str] = []
    for other in lines:
        if other != line:
            named.append(str(other))
        if len(named) == _LINES_NAMED:
            break
    return "、".join(named) + ("行等" if len(lines) - 1 > len(named) else "行")
