"""The blank forms of the download centre, read back as whoever opens them sees them."""

from io import BytesIO

from django.conf import LazySettings
from openpyxl import load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from orders.rules.claims import list_facts
from portal.demo.papers import VOUCHER_ROWS, build_voucher_form


def read_voucher_form(last_year: int) -> Worksheet:
    sheet = load_workbook(BytesIO(build_voucher_form(last_year))).active
    assert isinstance(sheet, Worksheet)
    return sheet


def texts_of(sheet: Worksheet, row: int) -> list[str]:
    return [str(cell.value) for cell in sheet[row] if cell.value is not None]


def test_voucher_form_has_the_official_lines(settings: LazySettings) -> None:
    settings.PORTAL_NAME = "重庆人社培训网"

    sheet = read_voucher_form(2025)

    lines = [texts_of(sheet, row) for row in range(1, sheet.max_row + 1)]
    assert lines[:4] == [
        ["2011-2025年公需科目缴费凭证"],
        ["姓名", "手机号码"],
        ["身份证号码"],
        ["缴费年度", "订单编号", "付款人", "缴费时间", "缴费平台"],
    ]
    blank = 4 + VOUCHER_ROWS
    assert lines[4:blank] == [[]] * VOUCHER_ROWS
    assert lines[blank : blank + 2] == [
        ["以下请填写相关缴费证明材料（如缴费平台网页截图等）"],
        [],
    ]
    notes = "".join(line[0] for line in lines[blank + 2 :])
    assert "请提前在重庆人社培训网网络学习服务平台注册账号" in notes
    assert "免费开通2011-2025年度专业技术人员继续教育公需科目补学权限" in notes
    assert "cqgxkm@cqhrsp.com" in notes
    assert "一般在 3 个工作日内完成审核" in notes


def test_numbers_on_the_voucher_form_stay_text() -> None:
    """An ID or order number typed into a cell of numbers loses its last digits."""
    sheet = read_voucher_form(2025)

    cells = [cell for row in sheet[f"A2:E{4 + VOUCHER_ROWS}"] for cell in row]
    # Of merged cells only the first can be typed into.
    formats = {each.number_format for each in cells if isinstance(each, Cell)}
    assert formats == {"@"}


def test_online_form_asks_for_what_the_paper_form_does() -> None:
    asked = {"order_number": "1", "payer": "2", "paid_on": "3", "platform": "4"}

    labels = [label for label, _ in list_facts(asked)]

    assert texts_of(read_voucher_form(2025), 4) == ["缴费年度", *labels]
