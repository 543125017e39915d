"""Sheets of question pools: the blank form, the pool itself, and what is wrong in a sheet.

Every cell is text: nothing that anybody typed becomes a formula.
"""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from catalog.models import Course
from catalog.rules.moments import write_moment
from catalog.rules.question_sheets import (
    ACTIVE,
    CHAPTER,
    COURSE,
    MOMENT,
    MOST_ROWS,
    NO,
    RIGHT,
    STEM,
    WRONG,
    WRONG_OPTIONS,
    YES,
    CheckedQuestion,
    PoolQuestion,
    list_columns,
    list_columns_of,
)
from portal.lib.spreadsheet import make_text_cell

POOL_SHEET, NOTES_SHEET, COURSES_SHEET = "题目", "填写说明", "课程和章节"
PROBLEM = "错误说明"
_WIDTHS = {COURSE: 22, CHAPTER: 10, MOMENT: 10, STEM: 50, RIGHT: 26, ACTIVE: 8}
_PLAIN, _WRONG, _HEAD = "文本", "错误", "表头"
_NOTES = (
    "每行一题；在“题目”表填写后上传，上传后先检查，确认后才导入。",
    f"{COURSE}：必填，见“{COURSES_SHEET}”表，可从下拉列表选择。",
    f"{CHAPTER}：可空。填写后只在学习该章节时出题；不填则整门课程都可能出题。",
    f"{MOMENT}：可空，分:秒，例如 03:20。题目所问内容此时已在画面上或讲到，随后优先出题。",
    f"{STEM}：必填，200 字以内；{RIGHT}和{WRONG.format(1)}必填，各 120 字以内。",
    f"{ACTIVE}：是或否，不填为是。",
    "课程、章节、题干都相同的题目视为同一题：再次导入时更新选项、出现时间和启用，不会重复。",
)
_EXAMPLES = (
    (
        *("jixu-jiaoyu-zhidu", "1", "03:20"),
        "每年累计参加继续教育的时间应不少于多少学时？",
        *("90 学时", "30 学时", "60 学时", "120 学时", YES),
    ),
    (
        *("jixu-jiaoyu-zhidu", "", ""),
        "学时登记以什么为准？",
        *("平台自动记录", "本人口头说明", "同事证明", "", NO),
    ),
)


def write_question_template(courses: Iterable[Course]) -> bytes:
    """The blank form, with notes, examples and the courses with their chapters beside it.

    Examples stand apart: whatever stands in a list is sooner or later sent in.
    """
    listed = list(courses)
    book = _open_book()
    columns = list_columns(WRONG_OPTIONS)
    sheet = _open_sheet(book, POOL_SHEET, columns)
    _offer(sheet, columns.index(ACTIVE), f'"{YES},{NO}"')
    if listed:
        last = len(listed) + 1
        _offer(sheet, columns.index(COURSE), f"'{COURSES_SHEET}'!$A$2:$A${last}")
    _add_notes(book, columns)
    _add_courses(book, listed)
    return _save(book)


def write_question_pool(rows: Iterable[tuple[str, int | None, PoolQuestion]]) -> bytes:
    """Questions with their course's code and chapter's position, in the form of the import."""
    pool = list(rows)
    most = max([WRONG_OPTIONS, *(len(each.wrong) for _, _, each in pool)])
    book = _open_book()
    sheet = _open_sheet(book, POOL_SHEET, list_columns(most))
    for code, position, question in pool:
        moment = question.shown_at_ms
        wrong = [*question.wrong, *[""] * (most - len(question.wrong))]
        values = (
            code,
            position,
            "" if moment is None else write_moment(moment),
            question.stem,
            question.right,
            *wrong,
            YES if question.is_active else NO,
        )
        sheet.append([make_text_cell(sheet, value, style=_PLAIN) for value in values])
    return _save(book)


def write_question_errors(rows: Iterable[CheckedQuestion]) -> bytes:
    """The rows with problems as they were typed, marked, to correct and send again."""
    bad = [row for row in rows if row.problems]
    columns = list_columns_of(row.typed for row in bad)
    book = _open_book()
    sheet = _open_sheet(book, POOL_SHEET, [*columns, PROBLEM, "原文件行号"])
    for row in bad:
        cells = [
            make_text_cell(
                sheet,
                row.typed.cells.get(name, ""),
                style=_WRONG if name in row.problems else _PLAIN,
            )
            for name in columns
        ]
        said = "\n".join(f"{name}：{text}" for name, text in row.problems.items())
        cells.append(make_text_cell(sheet, said, style=_WRONG))
        cells.append(make_text_cell(sheet, row.typed.line, style=_PLAIN))
        sheet.append(cells)
    return _save(book)


def _open_book() -> Workbook:
    wrapped = Alignment(vertical="center", wrap_text=True)
    pink = PatternFill("solid", fgColor="FFF8D7DA")
    book = Workbook(write_only=True)
    for style in (
        NamedStyle(_PLAIN, alignment=wrapped),
        NamedStyle(_WRONG, alignment=wrapped, fill=pink),
        NamedStyle(_HEAD, alignment=wrapped, font=Font(bold=True)),
    ):
        style.number_format = "@"
        book.add_named_style(style)
    return book


def _open_sheet(book: Workbook, title: str, columns: Sequence[str]) -> Any:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, name in enumerate(columns, start=1):
        column = sheet.column_dimensions[get_column_letter(place)]
        column.width = _WIDTHS.get(name, 24)
        # Of cells still to be filled: Excel would make a time of day of 03:20.
        column.number_format = "@"
    sheet.append([make_text_cell(sheet, name, style=_HEAD) for name in columns])
    return sheet


def _offer(sheet: Any, place: int, formula: str) -> None:
    """A drop-down in a column."""
    choice = DataValidation(type="list", formula1=formula, allow_blank=True)
    letter = get_column_letter(place + 1)
    choice.add(f"{letter}2:{letter}{MOST_ROWS + 1}")
    sheet.data_validations.append(choice)


def _add_notes(book: Workbook, columns: Sequence[str]) -> None:
    sheet = _open_sheet(book, NOTES_SHEET, columns)
    for example in _EXAMPLES:
        sheet.append([make_text_cell(sheet, text, style=_PLAIN) for text in example])
    sheet.append([])
    for note in _NOTES:
        # Plain cells: a long sentence flows over its empty neighbours.
        sheet.append([make_text_cell(sheet, note)])


def _add_courses(book: Workbook, courses: Iterable[Course]) -> None:
    """Codes in column A, one to a course, for the drop-down; chapters to the right."""
    sheet = book.create_sheet(COURSES_SHEET)
    for letter, width in (("A", 24), ("B", 36), ("C", 80)):
        sheet.column_dimensions[letter].width = width
    head = (COURSE, "课程名称", "章节（序号. 名称）")
    sheet.append([make_text_cell(sheet, text, style=_HEAD) for text in head])
    for course in courses:
        chapters = sorted(course.chapters.all(), key=lambda each: each.position)
        values = (course.code, course.title, "；".join(map(str, chapters)))
        sheet.append([make_text_cell(sheet, value, style=_PLAIN) for value in values])


def _save(book: Workbook) -> bytes:
    output = BytesIO()
    book.save(output)
    return output.getvalue()
