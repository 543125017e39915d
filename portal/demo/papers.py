"""The blank forms of the download centre: sheets by openpyxl, letters by the press."""

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from portal.lib.pdf import open_press

STYLESHEET = Path(__file__).resolve().parent / "data" / "papers.css"
TEXT = "@"
LIST_ROWS = 300
VOUCHER_ROWS = 6
LINE = Border(*[Side(style="thin", color="808080")] * 4)
HEAD = PatternFill("solid", fgColor="F3EEE4")
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(vertical="center", wrap_text=True)

LIST_COLUMNS = (
    ("序号", 7),
    ("姓名\n（姓名中间不能有空格和符号）", 24),
    ("身份证号码\n（身份证号码含X，必须大写）", 28),
    ("手机号码", 18),
    ("性别", 8),
    ("备注", 22),
)
LIST_NOTES = (
    "注意：",
    "1.文件格式要求为 Excel 电子格式，注册信息将作为培训合格证书的重要数据，事关职称评审等工作，"
    "请认真填写，确保信息的真实准确；",
    "2.各单位指定专人将未注册的参训学员名单（电子件）发送至 2020gxkm@cqhrsp.com，在收到邮件后"
    " 2 个工作日内统一注册账号，注册完毕会回复邮件；",
    "3.身份证号码和手机号码两栏已设为“文本”格式，请勿改为数字，否则末几位会丢失；",
    "4.从第 6 行起逐行填写，不要合并单元格，不要增减列。",
)
# The official form: who, then one line a year, then the proof.
VOUCHER_COLUMNS = (
    ("缴费年度", 14),
    ("订单编号", 28),
    ("付款人", 16),
    ("缴费时间", 18),
    ("缴费平台", 26),
)
VOUCHER_NOTES = (
    "注意：",
    "1.请提前在{portal}网络学习服务平台注册账号，并如实填写姓名、身份证号码、手机号等信息，"
    "工作人员将依据上表信息及平台注册信息免费开通{years}年度专业技术人员继续教育公需科目补学权限。",
    "2.请将此表发送至 cqgxkm@cqhrsp.com 邮箱，工作人员审核通过后（一般在 3 个工作日内完成审核）"
    "可免费进入现平台进行补学。",
)


def build_registration_list() -> bytes:
    """附件2: the list by which staff register the people of a unit."""
    book = Workbook()
    sheet = _start_sheet(
        book, "学员注册名单", LIST_COLUMNS, "重庆市专业技术人员继续教育培训学员注册名单"
    )
    for row, pairs in (
        (2, ("区    县：", "联 系 人：")),
        (3, ("单位全称：", "联系电话：")),
    ):
        sheet.cell(row, 1, pairs[0])
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=3)
        sheet.cell(row, 4, pairs[1])
        sheet.merge_cells(start_row=row, end_row=row, start_column=4, end_column=6)
        sheet.row_dimensions[row].height = 24
        sheet.cell(row, 1).number_format = sheet.cell(row, 4).number_format = TEXT
    _write_grid(sheet, LIST_COLUMNS, first_row=5, rows=LIST_ROWS)
    choice = DataValidation(type="list", formula1='"男,女"', allow_blank=True)
    sheet.add_data_validation(choice)
    choice.add(f"E6:E{5 + LIST_ROWS}")
    _write_notes(book, LIST_NOTES)
    return _save(book)


def build_voucher_form(last_year: int) -> bytes:
    """缴费凭证表: for who paid on a former platform, for years up to `last_year`."""
    years = f"2011-{last_year}"
    book, width = Workbook(), len(VOUCHER_COLUMNS)
    title = f"{years}年公需科目缴费凭证"
    sheet = _start_sheet(book, "缴费凭证表", VOUCHER_COLUMNS, title)
    _write_boxes(sheet, 2, ("姓名", "", "手机号码", "", ""), height=28)
    sheet.merge_cells(start_row=2, end_row=2, start_column=4, end_column=width)
    _write_boxes(sheet, 3, ("身份证号码", "", "", "", ""), height=28)
    sheet.merge_cells(start_row=3, end_row=3, start_column=2, end_column=width)
    _write_boxes(sheet, 4, [label for label, _ in VOUCHER_COLUMNS], height=28)
    for row in range(5, 5 + VOUCHER_ROWS):
        _write_boxes(sheet, row, [""] * width, height=24)
    row = 5 + VOUCHER_ROWS
    proof = "以下请填写相关缴费证明材料（如缴费平台网页截图等）"
    for text, height in ((proof, 28), ("", 300)):
        _write_boxes(sheet, row, [text] + [""] * (width - 1), height=height)
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=width)
        row += 1
    for note in VOUCHER_NOTES:
        text = note.format(portal=settings.PORTAL_NAME, years=years)
        sheet.cell(row, 1, text).alignment = LEFT
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=width)
        sheet.row_dimensions[row].height = 18 if note == VOUCHER_NOTES[0] else 36
        row += 1
    return _save(book)


def _write_boxes(
    sheet: Worksheet, row: int, texts: Sequence[str], *, height: int
) -> None:
    for column, text in enumerate(texts, start=1):
        cell = sheet.cell(row, column, text or None)
        cell.number_format, cell.border, cell.alignment = TEXT, LINE, CENTRE
    sheet.row_dimensions[row].height = height


def _start_sheet(
    book: Workbook, name: str, columns: tuple[tuple[str, int], ...], title: str
) -> Worksheet:
    sheet: Worksheet = book.active
    sheet.title = name
    sheet.cell(1, 1, title).font = Font(size=16, bold=True)
    sheet.cell(1, 1).alignment = CENTRE
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(columns))
    sheet.row_dimensions[1].height = 36
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for number, (_label, width) in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    return sheet


def _write_grid(
    sheet: Worksheet, columns: tuple[tuple[str, int], ...], *, first_row: int, rows: int
) -> None:
    """Write the head and empty text cells: Excel would cut a long number to 15 digits."""
    for number, (label, _width) in enumerate(columns, start=1):
        head = sheet.cell(first_row, number, label)
        head.font, head.fill = Font(bold=True), HEAD
        head.alignment, head.border = CENTRE, LINE
    for row in range(first_row + 1, first_row + 1 + rows):
        for number in range(1, len(columns) + 1):
            cell = sheet.cell(row, number)
            cell.number_format, cell.border, cell.alignment = TEXT, LINE, CENTRE
        sheet.cell(row, 1).value = str(row - first_row)
    sheet.row_dimensions[first_row].height = 38
    sheet.freeze_panes = sheet.cell(first_row + 1, 1)
    sheet.print_title_rows = f"{first_row}:{first_row}"


def _write_notes(book: Workbook, notes: tuple[str, ...]) -> None:
    sheet = book.create_sheet("填表说明")
    sheet.column_dimensions["A"].width = 100
    for row, note in enumerate(notes, start=1):
        sheet.cell(row, 1, note).alignment = LEFT


def _save(book: Workbook) -> bytes:
    output = BytesIO()
    book.save(output)
    return output.getvalue()


def build_commitment_letter() -> bytes:
    """缴费承诺书: for who paid and has no proof."""
    return _print("demo/commitment.html", {})


def build_record_card() -> bytes:
    """继续教育登记卡（2022版）: two blocks a page, each verified by a unit."""
    return _print("demo/record_card.html", {"blocks": range(2), "rows": range(3)})


def build_manual(
    articles: list[dict[str, Any]], hotlines: list[dict[str, Any]], day: date
) -> bytes:
    """The manual: the help pages in one document."""
    context = {"articles": articles, "hotlines": hotlines, "date": day}
    return _print("demo/manual.html", context)


def _print(template: str, context: dict[str, Any]) -> bytes:
    names = {
        "portal": settings.PORTAL_NAME,
        "organiser": settings.PORTAL_ORGANISER,
    }
    press = open_press(
        settings.NODE_MODULES, Path(settings.RARE_FONT_FILE), settings.VAR_DIR / "fonts"
    )
    html = render_to_string(template, names | context)
    return press.render(html, stylesheets=[STYLESHEET])
