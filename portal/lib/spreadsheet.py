"""Writes sheets in which every cell is text: what looks like a formula stays harmless."""

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

# Control characters but tab and line feed, lone surrogates and the two non-characters: XML
# cannot hold them, and Excel calls a file that does damaged.
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Excel's own limit.
_CELL_LENGTH = 32767

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def clean_cell(value: object) -> str:
    """Return a value as text that a cell can hold; None is empty."""
    text = "" if value is None else str(value)
    return _UNSTORABLE.sub("", text)[:_CELL_LENGTH]


def write_sheet(
    title: str,
    columns: Sequence[tuple[str, int]],
    rows: Iterable[Sequence[object]],
) -> bytes:
    """Return an .xlsx file of one sheet: a head of (label, width in characters), then rows.

    Cells are typed as text, so that `=1+1` is shown and not calculated, and long numbers
    keep every digit. Rows are streamed: a hundred thousand need no more memory than one.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(clean_cell(title)[:31])
    sheet.freeze_panes = "A2"
    for place, (_, width) in enumerate(columns, start=1):
        column = sheet.column_dimensions[get_column_letter(place)]
        column.width = width
        # Of cells still to be filled: as a number, an ID number would lose its last digits.
        column.number_format = "@"
    sheet.append([make_text_cell(sheet, label, bold=True) for label, _ in columns])
    for row in rows:
        sheet.append([make_text_cell(sheet, value) for value in row])
    output = BytesIO()
    book.save(output)
    return output.getvalue()


def make_text_cell(
    sheet: Any, value: object, *, bold: bool = False, style: str = ""
) -> WriteOnlyCell:
    """Return a cell of a write-only sheet that is text whatever it holds.

    `style` names one of the book's named styles, which then has to be in text format: for
    thousands of cells that is three times as fast as styles of their own.
    """
    text = clean_cell(value)
    # None and not an empty text: Excel wants something in a cell that is called text.
    cell = WriteOnlyCell(sheet, text or None)
    if style:
        cell.style = style
    else:
        cell.number_format = "@"
    if bold:
        cell.font = Font(bold=True)
    if text:
        # openpyxl guesses: a text that begins with = would become a formula.
        cell.data_type = "s"
    return cell
