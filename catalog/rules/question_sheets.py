"""Sheets of questions: where things stand in them, and what is wrong cell by cell."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from catalog.errors import QuestionSheetError
from catalog.rules.moments import EXAMPLE, read_moment, write_moment
from portal.lib.sheet_reading import SheetRow

MOST_ROWS = 2000
COURSE, CHAPTER, MOMENT = "课程编号", "章节序号", "出现时间"
STEM, RIGHT, ACTIVE = "题干", "正确选项", "启用"
WRONG = "错误选项{}"
WRONG_OPTIONS = 3
YES, NO = "是", "否"
LONGEST_STEM, LONGEST_OPTION = 200, 120

_NEEDED = (COURSE, STEM, RIGHT, WRONG.format(1))
_PLAIN_HEADS = frozenset({COURSE, CHAPTER, MOMENT, STEM, RIGHT, ACTIVE})
_WRONG_HEAD = re.compile(r"错误选项\s*([1-9])", re.ASCII)
_HEAD_ROWS = 5

Cells = Mapping[str, str]


@dataclass(frozen=True)
class KnownChapter:
    """A chapter that questions may name; a length of 0 is not known yet."""

    pk: int
    duration_ms: int


@dataclass(frozen=True)
class KnownCourse:
    """A course that questions may name, with its chapters by their position."""

    pk: int
    chapters: Mapping[int, KnownChapter]


@dataclass(frozen=True)
class PoolQuestion:
    """A question of a pool, comparable with another of the same `key`."""

    course_id: int
    chapter_id: int | None
    shown_at_ms: int | None
    stem: str
    right: str
    wrong: tuple[str, ...]
    is_active: bool

    @property
    def key(self) -> tuple[int, int | None, str]:
        """A sheet sent again finds its questions by this."""
        return self.course_id, self.chapter_id, self.stem


@dataclass(frozen=True)
class TypedQuestion:
    """A row as it was typed: its number as Excel shows it, and its cells by column."""

    line: int
    cells: Cells


@dataclass
class CheckedQuestion:
    """A row with what is wrong in which column; `question` is there when nothing is."""

    typed: TypedQuestion
    problems: dict[str, str] = field(default_factory=dict)
    question: PoolQuestion | None = None


def list_columns(wrong_options: int = WRONG_OPTIONS) -> list[str]:
    """The columns of a sheet in their order, with so many for wrong options."""
    wrong = [WRONG.format(number) for number in range(1, wrong_options + 1)]
    return [COURSE, CHAPTER, MOMENT, STEM, RIGHT, *wrong, ACTIVE]


def list_columns_of(rows: Iterable[TypedQuestion]) -> list[str]:
    """The columns that hold everything these rows were typed in."""
    numbers = {
        int(found[1])
        for row in rows
        for name in row.cells
        if (found := _WRONG_HEAD.fullmatch(name))
    }
    return list_columns(max([WRONG_OPTIONS, *numbers]))


def find_questions(rows: Sequence[SheetRow]) -> list[TypedQuestion]:
    """The filled rows under the head. Raises `QuestionSheetError` without head or rows."""
    start, columns = _find_head(rows)
    found = []
    for row in rows[start:]:
        cells = {
            name: row.cells[place].text.strip() if place < len(row.cells) else ""
            for name, place in columns.items()
        }
        if any(cells.values()):
            found.append(TypedQuestion(row.number, cells))
    if not found:
        raise QuestionSheetError("表中没有题目，请在表头下方逐行填写后再上传。")
    if len(found) > MOST_ROWS:
        raise QuestionSheetError(f"一次最多导入 {MOST_ROWS} 题，请分成几份上传。")
    return found


def _find_head(rows: Sequence[SheetRow]) -> tuple[int, dict[str, int]]:
    for number, row in enumerate(rows[:_HEAD_ROWS], start=1):
        columns: dict[str, int] = {}
        for place, cell in enumerate(row.cells):
            name = _read_head(cell.text)
            if name:
                columns.setdefault(name, place)
        if all(name in columns for name in _NEEDED):
            return number, columns
    raise QuestionSheetError(
        f"表头中没有找到{'、'.join(_NEEDED)}这几列，请使用模板填写。"
    )


def _read_head(text: str) -> str:
    """The column a head names; notes in brackets or lines below the name do not matter."""
    name = re.split(r"[\n(（]", text.strip(), maxsplit=1)[0].strip()
    wrong = _WRONG_HEAD.fullmatch(name)
    if wrong:
        return WRONG.format(wrong[1])
    return name if name in _PLAIN_HEADS else ""


def check_questions(
    rows: Iterable[TypedQuestion], courses: Mapping[str, KnownCourse]
) -> list[CheckedQuestion]:
    """Check every cell; two rows for the same question are a fault of the second."""
    checked = []
    first_lines: dict[tuple[int, int | None, str], int] = {}
    for typed in rows:
        row = _check(typed, courses)
        if row.question:
            first = first_lines.setdefault(row.question.key, typed.line)
            if first != typed.line:
                row.problems[STEM] = f"与第{first}行为同一题。"
                row.question = None
        checked.append(row)
    return checked


def _check(typed: TypedQuestion, courses: Mapping[str, KnownCourse]) -> CheckedQuestion:
    row = CheckedQuestion(typed)
    course = _find_course(row, courses)
    chapter = _find_chapter(row, course)
    moment = _read_moment(row, chapter)
    stem = _read_text(row, STEM, LONGEST_STEM, is_needed=True)
    right = _read_text(row, RIGHT, LONGEST_OPTION, is_needed=True)
    wrong = _read_wrong(row, right)
    is_active = _read_active(row)
    if not row.problems and course:
        chapter_id = chapter.pk if chapter else None
        row.question = PoolQuestion(
            course.pk, chapter_id, moment, stem, right, wrong, is_active
        )
    return row


def _find_course(
    row: CheckedQuestion, courses: Mapping[str, KnownCourse]
) -> KnownCourse | None:
    code = row.typed.cells[COURSE]
    course = courses.get(code)
    if course is None:
        row.problems[COURSE] = "没有这个课程编号。" if code else "请填写课程编号。"
    return course


def _find_chapter(
    row: CheckedQuestion, course: KnownCourse | None
) -> KnownChapter | None:
    text = unicodedata.normalize("NFKC", row.typed.cells.get(CHAPTER, ""))
    if not text or course is None:
        return None
    # Four digits are more chapters than a course has; int() of a novel would take long.
    is_number = text.isascii() and text.isdecimal() and len(text) <= 4
    chapter = course.chapters.get(int(text)) if is_number else None
    if chapter is None:
        row.problems[CHAPTER] = "该课程没有这个序号的章节。"
    return chapter


def _read_moment(row: CheckedQuestion, chapter: KnownChapter | None) -> int | None:
    text = row.typed.cells.get(MOMENT, "")
    if not text:
        return None
    try:
        moment = read_moment(text)
    except ValueError:
        row.problems[MOMENT] = f"请以文本填写分:秒，例如 {EXAMPLE}。"
        return None
    if chapter is None:
        if not row.typed.cells.get(CHAPTER):
            row.problems[MOMENT] = "填写出现时间须同时填写章节序号。"
    elif chapter.duration_ms and moment >= chapter.duration_ms:
        end = write_moment(chapter.duration_ms)
        row.problems[MOMENT] = f"超出章节视频的时长（{end}）。"
    return moment


def _read_text(
    row: CheckedQuestion, column: str, longest: int, *, is_needed: bool = False
) -> str:
    text = " ".join(row.typed.cells.get(column, "").split())
    if not text and is_needed:
        row.problems[column] = f"请填写{column}。"
    if len(text) > longest:
        row.problems[column] = f"不能超过{longest}个字。"
    return text


def _read_wrong(row: CheckedQuestion, right: str) -> tuple[str, ...]:
    columns = sorted(name for name in row.typed.cells if _WRONG_HEAD.fullmatch(name))
    found: list[str] = []
    for column in columns:
        text = _read_text(row, column, LONGEST_OPTION)
        if text and text in (right, *found):
            row.problems[column] = "与其他选项重复。"
        elif text:
            found.append(text)
    if not found:
        row.problems.setdefault(WRONG.format(1), "至少填写一个错误选项。")
    return tuple(found)


def _read_active(row: CheckedQuestion) -> bool:
    text = row.typed.cells.get(ACTIVE, "")
    if text not in ("", YES, NO):
        row.problems[ACTIVE] = f"请选择“{YES}”或“{NO}”。"
    return text != NO
