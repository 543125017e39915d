"""Where things stand in a registration list, however a unit rearranged the official form."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import zip_longest
from types import MappingProxyType
from typing import Literal

from accounts.errors import RosterRefusedError
from portal.lib.sheet_reading import SheetCell, SheetRow

MOST_PEOPLE = 10_000
# A title, head lines and notes may stand above the table; further down is no head.
HEAD_ROWS = 50

# Heads of columns without blanks and bracketed notes. 电话 counts as a phone only here, in a
# row that also has 姓名: above the table it is the coordinator's.
COLUMNS = MappingProxyType(
    {
        **dict.fromkeys(("姓名", "学员姓名", "名字"), "name"),
        **dict.fromkeys(
            (
                *("身份证号码", "身份证号", "身份证", "身份号码", "公民身份号码"),
                *(
                    "公民身份证号码",
                    "居民身份证号码",
                    "证件号码",
                    "证件号",
                    "身份证件号码",
                ),
            ),
            "id_number",
        ),
        **dict.fromkeys(
            (
                *("手机号码", "手机号", "手机", "联系手机", "移动电话", "手机电话"),
                *("电话号码", "联系电话", "电话", "联系方式"),
            ),
            "phone",
        ),
        "性别": "gender",
        "备注": "remark",
        **dict.fromkeys(("序号", "编号", "号"), "position"),
    }
)
REQUIRED = MappingProxyType(
    {"name": "姓名", "id_number": "身份证号码", "phone": "手机号码"}
)
# What stands above the table, longest label first: 联系人电话 is no 联系人.
_LABELS = MappingProxyType(
    {
        "单位统一社会信用代码": "credit_code",
        "统一社会信用代码": "credit_code",
        "单位纳税人识别号": "credit_code",
        "纳税人识别号": "credit_code",
        "联系人电话": "phone",
        "缴费订单号": "order_number",
        "联系人手机": "phone",
        "联系电话": "phone",
        "填表单位": "unit_name",
        "单位全称": "unit_name",
        "单位名称": "unit_name",
        "所在区县": "district",
        "订单号": "order_number",
        "联系人": "contact",
        "区县": "district",
        "单位": "unit_name",
    }
)
_ONLY_2020 = ("单位纳税人识别号", "纳税人识别号", "缴费订单号", "填表单位")
_LABEL = re.compile(
    "("
    + "|".join(r"\s*".join(label) for label in _LABELS)
    + r")\s*(?:[（(][^）)]{0,30}[）)]\s*)?[:：]"
)
_BRACKETED = re.compile(r"[（(\[【].*?(?:[）)\]】]|$)")
_FILLER = " _＿\t\n\u3000"
_NOTE = re.compile(
    r"(?:注意|注|说明|填表说明|备注|填表人|审核人|制表人)\s*[:：]"
    r"|[0-9]{1,2}\s*[.．、]\s*\S{6,}"
)
_SUM = frozenset({"合计", "总计", "共计", "小计"})
_EXAMPLE = re.compile(r"示例|样例|例[:：]?$|例[0-9]")


@dataclass(frozen=True, slots=True)
class RosterCell:
    """A cell as it was typed; `is_number` when Excel holds it as a number."""

    text: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class RosterHead:
    """What the sheet says above the table, as typed."""

    district: str = ""
    contact: str = ""
    unit_name: str = ""
    phone: str = ""
    credit_code: str = ""
    order_number: str = ""


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A person's row; `line` is the row's number as Excel shows it."""

    line: int
    name: RosterCell
    id_number: RosterCell
    phone: RosterCell
    gender: RosterCell = RosterCell()
    remark: RosterCell = RosterCell()
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Roster:
    """A list as it was found in the sheet; `form` is the official form it looks like."""

    form: Literal["2026", "2020"]
    head: RosterHead
    rows: tuple[RosterRow, ...]

    @property
    def hidden_lines(self) -> tuple[int, ...]:
        """Lines of people whose rows the sheet does not show."""
        return tuple(row.line for row in self.rows if row.is_hidden)


def find_roster(rows: Sequence[SheetRow], *, most_people: int = MOST_PEOPLE) -> Roster:
    """Find head, columns and people. Raises `RosterRefusedError`."""
    start, end, columns = _find_columns(rows)
    form, head = _read_head(rows[:start])
    people = tuple(_read_people(rows[end:], columns))
    if not people:
        raise RosterRefusedError("名单中没有学员，请在表头下方逐行填写后再上传。")
    if len(people) > most_people:
        raise RosterRefusedError(
            f"名单共{len(people)}人，一份名单最多{most_people}人，请分成几份上传。"
        )
    return Roster(form, head, people)


def _compact(text: str) -> str:
    """A label without its blanks, line breaks and half- or full-width ways of writing."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def name_column(text: str) -> str:
    """Which column a head names: `姓  名（姓名中间不能有空格和符号）` is the name."""
    return COLUMNS.get(read_head(text), "")


def read_head(text: str) -> str:
    """The words of a column's head, without blanks, marks and what stands in brackets."""
    # Blanks first: a cell of brackets and line breaks would keep the pattern busy for hours.
    return _BRACKETED.sub("", _compact(text)).strip(":：*")


def _name_columns(row: SheetRow) -> dict[str, int]:
    columns: dict[str, int] = {}
    for place, cell in enumerate(row.cells):
        if cell.text and (column := name_column(cell.text)):
            columns.setdefault(column, place)
    return columns


def _find_columns(rows: Sequence[SheetRow]) -> tuple[int, int, dict[str, int]]:
    """Return first row of the head, first row after it, and the columns' places.

    A head may take two rows, where some cells are merged over both and others are not.
    """
    nearest: dict[str, int] = {}
    for start, row in enumerate(rows[:HEAD_ROWS]):
        columns, end = _name_columns(row), start + 1
        lower = _name_columns(rows[end]) if end < len(rows) else {}
        # A whole head below stands for itself: 联系电话 above it is the coordinator's.
        is_split = not lower.keys() >= REQUIRED.keys() or "name" in columns
        if columns and is_split and lower.keys() - columns.keys():
            columns, end = {**lower, **columns}, end + 1
        if columns.keys() >= REQUIRED.keys():
            above = _name_columns(rows[start - 1]) if start else {}
            return start, end, _add_optional(columns, above)
        if len(columns.keys() & REQUIRED) > len(nearest.keys() & REQUIRED):
            nearest = columns
    missing = [label for column, label in REQUIRED.items() if column not in nearest]
    if len(missing) == len(REQUIRED):
        raise RosterRefusedError
    raise RosterRefusedError(
        f"表头中没有找到“{'、'.join(missing)}”一列，请使用名单模板填写后再上传。"
    )


def _add_optional(columns: dict[str, int], above: dict[str, int]) -> dict[str, int]:
    """Add 性别 and 备注 of the row above, merged over both rows of the head."""
    taken = set(columns.values())
    return columns | {
        column: place
        for column, place in above.items()
        if column in {"gender", "remark"} - columns.keys() and place not in taken
    }


def _read_head(rows: Sequence[SheetRow]) -> tuple[Literal["2026", "2020"], RosterHead]:
    found: dict[str, str] = {}
    form: Literal["2026", "2020"] = "2026"
    for row in rows:
        for place, cell in enumerate(row.cells):
            for label, value in _split_labels(cell.text):
                column = _LABELS[label]
                if label in _ONLY_2020:
                    form = "2020"
                found[column] = (
                    found.get(column) or value or _read_neighbour(row.cells, place)
                )
    return form, RosterHead(**found)


def _split_labels(text: str) -> Iterator[tuple[str, str]]:
    """Labels and values of one cell: `区  县：渝中区   联系人：` has two."""
    if not text:
        return
    label = _BRACKETED.sub("", _compact(text)).rstrip(":：")
    if label in _LABELS:
        yield label, ""
        return
    marks = list(_LABEL.finditer(text))
    for mark, following in zip_longest(marks, marks[1:]):
        value = text[mark.end() : following.start() if following else None]
        yield _compact(mark[1]), value.strip(_FILLER)


def _read_neighbour(cells: Sequence[SheetCell], place: int) -> str:
    """The next cell with something in it, unless it is a label itself."""
    for cell in cells[place + 1 :]:
        if cell.text.strip(_FILLER):
            is_label = any(True for _ in _split_labels(cell.text))
            return "" if is_label else cell.text.strip(_FILLER)
    return ""


def _read_people(
    rows: Sequence[SheetRow], columns: dict[str, int]
) -> Iterator[RosterRow]:
    names = [item.name for item in fields(RosterRow)][1:6]
    places = [(name, columns[name]) for name in names if name in columns]
    for row in rows:
        cells = {
            name: RosterCell(row.cells[place].text, row.cells[place].is_number)
            for name, place in places
            if place < len(row.cells)
        }
        if not _is_person(row, cells):
            continue
        yield RosterRow(
            line=row.number,
            name=cells.get("name", _NOTHING),
            id_number=cells.get("id_number", _NOTHING),
            phone=cells.get("phone", _NOTHING),
            gender=cells.get("gender", _NOTHING),
            remark=cells.get("remark", _NOTHING),
            is_hidden=row.is_hidden,
        )


def _is_person(row: SheetRow, cells: dict[str, RosterCell]) -> bool:
    """Leave out empty and numbered lines, notes, sums, examples and repeated heads.

    A row with something under the ID number or the phone is a person whatever else it says:
    nobody may drop out of a list unnoticed.
    """
    name, number, phone = (
        cells.get(column, _NOTHING).text.strip() for column in REQUIRED
    )
    first = next((cell.text.strip() for cell in row.cells if cell.text.strip()), "")
    if _EXAMPLE.match(first) and first != name:
        return False
    if number or phone:
        return not (name_column(name) == "name" and name_column(number))
    return bool(name) and not _NOTE.match(first) and _compact(first) not in _SUM


_NOTHING = RosterCell()
