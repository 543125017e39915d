"""Sheets that go with a registration list: the blank form, what is wrong, what became of it.

Every cell is text: nothing a unit typed becomes a formula, and numbers keep their digits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import (
    Alignment,
    Border,
    Font,
    NamedStyle,
    PatternFill,
    Side,
)
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from accounts.rules.first_passwords import describe_first_password
from accounts.rules.roster_layout import MOST_PEOPLE
from accounts.rules.rosters import DAMAGED_NUMBER, CheckedRow, RosterHead
from portal.lib.masks import mask_id_number
from portal.lib.spreadsheet import make_text_cell

TITLE = "重庆市专业技术人员继续教育培训\n学员注册名单"
LIST_SHEET, NOTES_SHEET = "注册名单", "填写说明"
# Label with the note of the official form, width in characters, key of the problems.
_COLUMNS = (
    ("序号", 8, "row"),
    ("姓名\n（姓名中间不能有空格和符号）", 20, "name"),
    ("身份证号码\n（身份证号码含X，必须大写）", 28, "id_number"),
    ("手机号码", 18, "phone"),
    ("性别", 8, "gender"),
    ("备注", 22, "remark"),
)
_PROBLEMS_COLUMN = ("错误说明", 60, "")
# To find the row in the unit's own file; lists have no such column, so it is not read again.
_LINE_COLUMN = ("原文件行号", 12, "line")
_LABEL_OF = {key: label.partition("\n")[0] for label, _, key in _COLUMNS}
_HEAD_ROWS = 4
_A4 = 9
_NUMBERED_LINES = 20
# Named styles of our books.
_PLAIN, _BOXED, _WRONG, _HEAD, _TITLE = "文本", "名单", "错误", "表头", "名单标题"
_EXAMPLES = (
    ("示例1", "张三", "11010519491231002X", "19900000001", "女", ""),
    ("示例2", "买买提·艾力", "810000199408230021", "19900000002", "女", "居住证"),
)


class Outcome(StrEnum):
    """What became of a person of a list."""

    CREATED = "created"
    LINKED = "linked"
    REFUSED = "refused"


_OUTCOMES = {
    Outcome.CREATED: "新注册",
    Outcome.LINKED: "已有账号，已关联单位",
    Outcome.REFUSED: "未登记",
}


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A person of the reply; the number may be whole, it is masked when written."""

    name: str
    id_number: str
    outcome: Outcome
    reason: str = ""


def write_roster_template(*, first_password_rule: str) -> bytes:
    """Return the blank form: the list on the first sheet, notes and examples on the second.

    Examples stand apart because whatever stands in a list is sooner or later sent in.
    """
    book = _open_book()
    sheet = _open_list(book, RosterHead(), _COLUMNS)
    last_row = _HEAD_ROWS + MOST_PEOPLE
    letter = get_column_letter([key for *_, key in _COLUMNS].index("gender") + 1)
    choice = DataValidation(type="list", formula1='"男,女"', allow_blank=True)
    choice.add(f"{letter}{_HEAD_ROWS + 1}:{letter}{last_row}")
    choice.error, choice.errorTitle = "请选择“男”或“女”。", "性别"
    choice.showErrorMessage = True
    sheet.data_validations.append(choice)
    for number in range(1, _NUMBERED_LINES + 1):
        sheet.append(_make_row(sheet, (number, *[""] * (len(_COLUMNS) - 1))))
    _add_notes(book, first_password_rule)
    return _save(book)


def write_error_sheet(
    rows: Iterable[CheckedRow], *, head: RosterHead | None = None
) -> bytes:
    """Return the list as it was typed with what is wrong beside it, to correct and send again.

    An ID number that Excel cut is left empty: with its last digits gone it might pass for
    somebody else's when it comes back.
    """
    book = _open_book()
    columns = (*_COLUMNS, _PROBLEMS_COLUMN, _LINE_COLUMN)
    sheet = _open_list(book, head or RosterHead(), columns)
    for number, row in enumerate(rows, start=1):
        wrong = {problem.column for problem in row.problems}
        typed = row.typed
        is_cut = any(problem.text == DAMAGED_NUMBER for problem in row.problems)
        values = (
            number,
            typed.name.text,
            "" if is_cut else typed.id_number.text,
            typed.phone.text,
            typed.gender.text,
            typed.remark.text,
            _describe_problems(row),
            row.line,
        )
        styles = (
            _WRONG if key in wrong or (wrong and not key) else _BOXED
            for _, _, key in columns
        )
        sheet.append(
            [
                make_text_cell(sheet, value, style=style)
                for value, style in zip(values, styles, strict=True)
            ]
        )
    return _save(book)


def write_result_sheet(
    rows: Iterable[ResultLine], *, first_password_rule: str
) -> bytes:
    """Return the reply to a list: who got an account; no password and no whole number."""
    book = _open_book()
    sheet = book.create_sheet("注册结果")
    columns = (("序号", 8), ("姓名", 20), ("证件号码", 26), ("结果", 26), ("原因", 50))
    _set_widths(sheet, [width for _, width in columns])
    rule = describe_first_password(first_password_rule)
    sheet.append([make_text_cell(sheet, "用户名：本人身份证号码")])
    sheet.append([make_text_cell(sheet, f"初始密码规则：{rule}")])
    sheet.append(
        [make_text_cell(sheet, "首次登录须验证登记的手机号码，并设置自己的密码。")]
    )
    sheet.append([make_text_cell(sheet, label, style=_HEAD) for label, _ in columns])
    for number, row in enumerate(rows, start=1):
        values = (
            number,
            row.name,
            mask_id_number(row.id_number),
            _OUTCOMES[row.outcome],
            row.reason,
        )
        sheet.append(_make_row(sheet, values))
    return _save(book)


def _describe_problems(row: CheckedRow) -> str:
    return "\n".join(
        problem.text
        if problem.column == "row"
        else f"{_LABEL_OF[problem.column]}：{problem.text}"
        for problem in row.problems
    )


def _open_book() -> Workbook:
    line = Side(style="thin", color="FF808080")
    box = Border(left=line, right=line, top=line, bottom=line)
    wrapped = Alignment(vertical="center", wrap_text=True)
    middle = Alignment(horizontal="center", vertical="center", wrap_text=True)
    pink = PatternFill("solid", fgColor="FFF8D7DA")
    bold, large = Font(bold=True), Font(bold=True, size=16)
    book = Workbook(write_only=True)
    for style in (
        NamedStyle(_PLAIN, alignment=wrapped),
        NamedStyle(_BOXED, alignment=wrapped, border=box),
        NamedStyle(_WRONG, alignment=wrapped, border=box, fill=pink),
        NamedStyle(_HEAD, alignment=middle, border=box, font=bold),
        NamedStyle(_TITLE, alignment=middle, font=large),
    ):
        style.number_format = "@"
        book.add_named_style(style)
    return book


def _open_list(
    book: Workbook, head: RosterHead, columns: Sequence[tuple[str, int, str]]
) -> Any:
    """Return a new sheet with title, head and columns of the official form."""
    sheet = book.create_sheet(LIST_SHEET)
    _set_widths(sheet, [width for _, width, _ in columns])
    _print_on_a4(sheet)
    sheet.freeze_panes = f"A{_HEAD_ROWS + 1}"
    for row, height in ((1, 44), (2, 22), (3, 22), (4, 48)):
        sheet.row_dimensions[row].height = height
    for merged in ("A1:F1", "A2:C2", "D2:F2", "A3:C3", "D3:F3"):
        sheet.merged_cells.add(merged)
    sheet.append([make_text_cell(sheet, TITLE, style=_TITLE)])
    for left, right in (
        (f"区    县：{head.district}", f"联系人：{head.contact}"),
        (f"单位全称：{head.unit_name}", f"联系电话：{head.phone}"),
    ):
        line = (left, "", "", right)
        sheet.append([make_text_cell(sheet, text, style=_PLAIN) for text in line])
    sheet.append([make_text_cell(sheet, label, style=_HEAD) for label, *_ in columns])
    return sheet


def _set_widths(sheet: Any, widths: Sequence[int]) -> None:
    """Set widths, and text as the format of cells that are still to be filled."""
    for place, width in enumerate(widths, start=1):
        column = sheet.column_dimensions[get_column_letter(place)]
        column.width = width
        column.number_format = "@"


def _print_on_a4(sheet: Any) -> None:
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.orientation = "portrait"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"1:{_HEAD_ROWS}"
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.center.text = "第 &P 页，共 &N 页"


def _make_row(sheet: Any, values: Sequence[object]) -> list[Any]:
    return [make_text_cell(sheet, value, style=_BOXED) for value in values]


def _add_notes(book: Workbook, first_password_rule: str) -> None:
    rule = describe_first_password(first_password_rule)
    sheet = book.create_sheet(NOTES_SHEET)
    _set_widths(sheet, [width for _, width, _ in _COLUMNS])
    notes = (
        "注意：",
        "1.文件格式要求为Excel电子格式（.xlsx），注册信息将作为培训合格证书的重要数据，"
        "事关职称评审等相关工作，请认真填写，确保信息的真实准确；",
        "2.请在“注册名单”工作表中填写，每行一人，姓名、身份证号码、手机号码必填；"
        f"一份名单最多{MOST_PEOPLE}人，单元格请保持文本格式；",
        "3.姓名中间不能有空格和符号（少数民族姓名的间隔号“·”除外）；"
        "身份证号码含X，必须大写，前后不要有空格、特殊字符；每人填写本人手机号码；",
        "4.各单位指定专人在本平台上传未注册的参训学员名单，提交后2个工作日内，"
        "由市人服中心工作人员统一为参训学员注册账号，注册完毕会回复，请注意查收"
        f"（用户名统一为身份证号码，初始密码为{rule}）。",
    )
    for number, note in enumerate(notes, start=1):
        sheet.merged_cells.add(f"A{number}:F{number}")
        sheet.row_dimensions[number].height = 20 if number == 1 else 40
        sheet.append([make_text_cell(sheet, note, style=_PLAIN)])
    sheet.append([])
    sheet.append([make_text_cell(sheet, "填写示例：", bold=True)])
    labels = [label.partition("\n")[0] for label, *_ in _COLUMNS]
    sheet.append([make_text_cell(sheet, label, style=_HEAD) for label in labels])
    for example in _EXAMPLES:
        sheet.append(_make_row(sheet, example))


def _save(book: Workbook) -> bytes:
    output = BytesIO()
    book.save(output)
    return output.getvalue()
