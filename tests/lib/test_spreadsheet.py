from io import BytesIO

import pytest
from openpyxl import load_workbook

from portal.lib.spreadsheet import clean_cell, write_sheet

COLUMNS = (("编号", 20), ("说明", 40))


def read_cells(content: bytes) -> list[list[object]]:
    book = load_workbook(BytesIO(content))
    assert len(book.worksheets) == 1
    return [[cell.value for cell in row] for row in book.worksheets[0].rows]


def test_every_cell_is_text() -> None:
    content = write_sheet("订单", COLUMNS, [("=1+1", 33), ("00123", None)])

    sheet = load_workbook(BytesIO(content)).worksheets[0]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert [cell.value for cell in cells] == ["=1+1", "33", "00123", None]
    assert {cell.data_type for cell in cells if cell.value} == {"s"}
    assert {cell.number_format for cell in cells if cell.value} == {"@"}


def test_head_is_the_first_row() -> None:
    content = write_sheet("订单", COLUMNS, [])

    assert read_cells(content) == [["编号", "说明"]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "{=A1}"])
def test_no_text_becomes_a_formula(start: str) -> None:
    content = write_sheet("订单", COLUMNS, [(f"{start}cmd|' /C calc'!A0", "")])

    sheet = load_workbook(BytesIO(content)).worksheets[0]
    assert sheet["A2"].data_type == "s"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("张\x00三\x1f", "张三"),
        ("a\x0bb\x7f\x9fc", "abc"),
        ("\ud800x\ufffe", "x"),
        ("行一\n行二\t尾", "行一\n行二\t尾"),
        (None, ""),
        (12, "12"),
    ],
)
def test_characters_that_break_a_file_are_removed(raw: object, clean: str) -> None:
    assert clean_cell(raw) == clean


def test_long_text_is_cut_at_excels_limit() -> None:
    assert len(clean_cell("长" * 40_000)) == 32_767
