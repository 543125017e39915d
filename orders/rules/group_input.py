"""Whom a group purchase is for, read from a pasted text or from a sheet.

Harmless things are put right and counted, so that the page can say so: full-width characters,
a small x, blanks and quotes around, empty lines, the same number twice. Nothing is repaired
that could be another person: blanks inside a number, digits that Excel dropped.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from accounts.errors import NameRefusedError
from accounts.rules.identity import read_id_number
from accounts.rules.names import read_name
from accounts.rules.roster_layout import HEAD_ROWS, name_column
from accounts.rules.rosters import DAMAGED_NUMBER
from orders.errors import GroupInputError
from portal.lib.identity import PersonNumberError, normalise_person_number
from portal.lib.sheet_reading import SheetCell, SheetRow

# The notices speak of thousands; a larger unit buys in several orders.
MAX_ROWS = 10_000
MAX_BYTES = 5 * 1024 * 1024

EMPTY, HEADING, EXTRA, SPLIT = "empty", "heading", "extra", "split"
FULL_WIDTH, LOWER_CASE, BLANK, REPEATED = (
    "full_width",
    "lower_case",
    "blank",
    "repeated",
)
# What was put right, as the page says it; the number of lines follows.
TIDIED: Mapping[str, str] = {
    FULL_WIDTH: "全角字符已改为半角",
    LOWER_CASE: "小写字母已改为大写",
    BLANK: "已去掉号码前后的空格、引号和不可见字符",
    REPEATED: "重复的号码只保留一个",
    SPLIT: "一行写有多个号码的已拆开",
    EXTRA: "已略去号码和姓名以外的内容",
    HEADING: "已略去标题和说明行",
    EMPTY: "已略去空行",
}

TWO_PEOPLE = "一行只能填写一人，请分行填写。"
TWO_NAMES = "同一号码填写了不同的姓名（第{}行），请核对。"
NAME_REFUSED = "姓名应与身份证一致，中间不能有空格和符号（间隔号“·”除外）。"
HIDDEN = "该行在表格中被隐藏，请确认需要购买。"

_SEPARATORS = re.compile(r"[\s,，;；、|]+")
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]+", re.IGNORECASE | re.ASCII)
_QUOTES = "'\"‘’“”`´＇＂.。:："
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u202a\u202c\u202d\u202e\xad"
_AROUND = _QUOTES + _INVISIBLE
_FULL_WIDTH_CHARACTERS = re.compile("[\uff01-\uff5e]")
_NOTE = re.compile(
    r"(?:注意|注|说明|填表说明|备注|填表人|审核人|合计|总计|共计)(?:\s*[:：]|$)"
)
_GENDERS = frozenset({"男", "女"})
# From here on a number in a cell has lost digits, or may have.
_DIGITS_KEPT = 15
# Shorter than a wrongly typed ID number, longer than a phone.
_NUMBER_LENGTHS = range(13, 23)
_FEWEST_DIGITS = 10


@dataclass(frozen=True, slots=True)
class GivenPerson:
    """A person as given. `line` is that of the text or, in a sheet, the one Excel shows.

    `is_kept` marks those that an earlier check found free and the buyer took over.
    """

    line: int
    number: str
    name: str = ""
    problem: str = ""
    hint: str = ""
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class GivenPeople:
    """All people of one input, and how often what was put right."""

    people: tuple[GivenPerson, ...]
    tidied: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckedPerson:
    """A person with the number as it is looked up; empty where it could not be read."""

    given: GivenPerson
    number: str = ""
    name: str = ""
    problems: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def is_readable(self) -> bool:
        return not self.problems


def describe_tidied(tidied: Mapping[str, int]) -> list[str]:
    """What was put right, in the words of the page: 小写字母已改为大写（3处）."""
    return [
        f"{text}（{tidied[key]}处）" for key, text in TIDIED.items() if tidied.get(key)
    ]


def read_paste(text: str) -> GivenPeople:
    """Read a pasted text, one person a line. Raises `GroupInputError`."""
    tidied: Counter[str] = Counter()
    people: list[GivenPerson] = []
    for line, content in enumerate(text.splitlines(), start=1):
        people += _read_line(line, content, tidied)
    return _limit(people, tidied)


def read_rows(rows: Sequence[SheetRow]) -> GivenPeople:
    """Read the rows of a sheet, with a head that names the columns or without one.

    Raises `GroupInputError`.
    """
    tidied: Counter[str] = Counter()
    start, columns = _find_columns(rows)
    people: list[GivenPerson] = []
    for row in rows[start:]:
        found = (
            _read_columns(row, columns, tidied)
            if columns
            else _read_free_row(row, tidied)
        )
        hint = HIDDEN if row.is_hidden else ""
        people += [replace(person, hint=hint) for person in found]
    return _limit(people, tidied)


def check_given(
    people: Iterable[GivenPerson], *, today: date
) -> tuple[list[CheckedPerson], Counter[str]]:
    """Read every number and name; keep a repeated number once.

    Returns the people in their order and how often what was put right.
    """
    tidied: Counter[str] = Counter()
    checked = [_check_person(person, tidied, today=today) for person in people]
    by_number: defaultdict[str, list[int]] = defaultdict(list)
    for place, person in enumerate(checked):
        if person.number:
            by_number[person.number].append(place)
    dropped: set[int] = set()
    for places in by_number.values():
        if len(places) > 1:
            dropped |= _merge(checked, places, tidied)
    return [
        person for place, person in enumerate(checked) if place not in dropped
    ], tidied


def _merge(
    checked: list[CheckedPerson], places: Sequence[int], tidied: Counter[str]
) -> set[int]:
    """Let one of several lines with the same number stand; contradicting names let none.

    A line with the name, where there is one: beside a number taken over from an earlier
    check a name is a new question, and counts as one.
    """
    names = {checked[place].name for place in places} - {""}
    if len(names) > 1:
        lines = [checked[place].given.line for place in places]
        for place in places:
            person = checked[place]
            others = [str(line) for line in lines if line != person.given.line][:5]
            problem = TWO_NAMES.format("、".join(others))
            checked[place] = replace(person, problems=(*person.problems, problem))
        return set()
    tidied[REPEATED] += len(places) - 1
    first = places[0]
    named = (checked[place] for place in places if checked[place].name)
    checked[first] = next(named, checked[first])
    return set(places[1:])


def _limit(people: list[GivenPerson], tidied: Counter[str]) -> GivenPeople:
    if not people:
        raise GroupInputError("没有找到证件号码，请每行填写一个身份证号码。")
    if len(people) > MAX_ROWS:
        raise GroupInputError(
            f"本次共{len(people)}人，一次最多{MAX_ROWS}人，请分几次提交。"
        )
    return GivenPeople(tuple(people), dict(tidied))


def _read_line(line: int, content: str, tidied: Counter[str]) -> Iterator[GivenPerson]:
    """Find number and name in a line, whichever comes first and whatever stands between."""
    words = [word for word in _SEPARATORS.split(content) if word.strip(_AROUND)]
    if not words:
        tidied[EMPTY] += 1
        return
    numbers = [word for word in words if _looks_like_number(word)]
    others = [word for word in words if not _looks_like_number(word)]
    if not numbers:
        if _is_heading(words):
            tidied[HEADING] += 1
        else:
            yield GivenPerson(line, content.strip().strip(_AROUND).strip())
        return
    if content != content.strip():
        tidied[BLANK] += 1
    names = [word for word in others if not _is_extra(word)]
    tidied[EXTRA] += len(others) > len(names)
    if len(numbers) == 1:
        yield GivenPerson(line, numbers[0], " ".join(names))
    elif names:
        yield GivenPerson(line, content.strip(), problem=TWO_PEOPLE)
    else:
        tidied[SPLIT] += 1
        yield from (GivenPerson(line, number) for number in numbers)


def _looks_like_number(word: str) -> bool:
    number = normalise_person_number(word.strip(_AROUND))
    return (
        len(number) in _NUMBER_LENGTHS
        and number.isascii()
        and number.isalnum()
        and sum(map(str.isdigit, number)) >= _FEWEST_DIGITS
    )


def _is_extra(word: str) -> bool:
    """Position, phone, gender: pasted along from a list."""
    return word in _GENDERS or any(map(str.isdigit, word))


def _is_heading(words: Iterable[str]) -> bool:
    return all(name_column(word) or _NOTE.match(word) for word in words)


def _find_columns(rows: Sequence[SheetRow]) -> tuple[int, Mapping[str, int]]:
    """Where the people begin and in which columns; no columns when the sheet has no head."""
    for place, row in enumerate(rows[:HEAD_ROWS]):
        columns: dict[str, int] = {}
        for number, cell in enumerate(row.cells):
            columns.setdefault(name_column(cell.text), number)
        if "id_number" in columns:
            return place + 1, columns
    return 0, {}


def _read_columns(
    row: SheetRow, columns: Mapping[str, int], tidied: Counter[str]
) -> Iterator[GivenPerson]:
    number, name = (_cell_of(row, columns, key) for key in ("id_number", "name"))
    if not number.text.strip():
        first = next((cell.text.strip() for cell in row.cells if cell.text.strip()), "")
        if not name.text.strip() or _NOTE.match(first):
            tidied[EMPTY if not _NOTE.match(first) else HEADING] += 1
            return
    if name_column(number.text) == "id_number":
        tidied[HEADING] += 1
        return
    yield GivenPerson(
        row.number,
        number.text,
        name.text.strip(),
        problem=DAMAGED_NUMBER if _lost_digits(number) else "",
    )


def _read_free_row(row: SheetRow, tidied: Counter[str]) -> Iterator[GivenPerson]:
    for person in _read_line(
        row.number, "\t".join(cell.text for cell in row.cells), tidied
    ):
        damaged = any(map(_lost_digits, row.cells))
        yield replace(person, problem=DAMAGED_NUMBER) if damaged else person


def _cell_of(row: SheetRow, columns: Mapping[str, int], key: str) -> SheetCell:
    place = columns.get(key, -1)
    return row.cells[place] if 0 <= place < len(row.cells) else SheetCell()


def _lost_digits(cell: SheetCell) -> bool:
    return cell.is_number and len(cell.text) >= _DIGITS_KEPT


def _check_person(
    given: GivenPerson, tidied: Counter[str], *, today: date
) -> CheckedPerson:
    problems, hints = [given.problem] if given.problem else [], []
    number = name = ""
    if not given.problem:
        try:
            number, found = _read_number(given.number, tidied, today=today)
            hints += found
        except PersonNumberError as error:
            damaged = _SCIENTIFIC.fullmatch(given.number.strip())
            problems.append(DAMAGED_NUMBER if damaged else str(error))
    if given.hint:
        hints.append(given.hint)
    if given.name:
        try:
            name = read_name(given.name)
        except NameRefusedError:
            problems.append(NAME_REFUSED)
    return CheckedPerson(given, number, name, tuple(problems), tuple(hints))


def _read_number(
    typed: str, tidied: Counter[str], *, today: date
) -> tuple[str, list[str]]:
    """The number as it is looked up, and doubts about it. Raises `PersonNumberError`."""
    bare = typed.strip().strip(_AROUND).strip()
    number, _ = read_id_number(bare, today=today)
    if bare != typed:
        tidied[BLANK] += 1
    if _FULL_WIDTH_CHARACTERS.search(bare):
        tidied[FULL_WIDTH] += 1
    if re.search("[a-z\uff41-\uff5a]", bare):
        tidied[LOWER_CASE] += 1
    return number.number, list(number.warnings)
