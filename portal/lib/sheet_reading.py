"""Reads the cells of an .xlsx file that a stranger sent, in bounded time and memory.

Not through calamine: it lays a sheet out as a full rectangle, so that two cells in opposite
corners end the whole process, which no `except` can catch, and it does not tell hidden rows.
Seeing to both needs the same pass over the same XML that reading the cells does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from portal.lib.number_formats import read_serial_date
from portal.lib.sheet_package import (
    LARGEST_FILE,
    Refusal,
    SheetPackage,
    SheetRefusedError,
)
from portal.lib.sheet_workbook import (
    TRUE,
    check_kind,
    clean_text,
    parse_part,
    read_book,
    read_date_styles,
    read_strings,
)

__all__ = [
    "LARGEST_FILE",
    "Refusal",
    "SheetCell",
    "SheetRefusedError",
    "SheetRow",
    "read_sheet",
]

# Title, head and foot of a list, beside the people in it.
ROWS_AROUND = 50
_REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]{1,7}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SheetCell:
    """What a cell shows; `is_number` tells that Excel holds it with 15 digits only."""

    text: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row with content: its number as Excel shows it, cells from column A on."""

    number: int
    cells: tuple[SheetCell, ...]
    is_hidden: bool = False


def read_sheet(
    content: bytes, *, max_rows: int = 10_000, max_columns: int = 60
) -> list[SheetRow]:
    """Return the rows with content of the first visible sheet that has any.

    Hidden rows are there and marked. The value of merged cells stands in the first of them.
    A formula counts by the value it was saved with. `max_rows` rows may stand under a head,
    so a few more are read. Raises `SheetRefusedError` and nothing else.
    """
    package = SheetPackage(content)
    check_kind(package)
    book = read_book(package)
    strings = read_strings(package, book.strings) if book.strings else []
    styles = read_date_styles(package, book.styles) if book.styles else frozenset()
    values = _Values(strings, styles, book.has_1904_dates)
    for name in book.sheets:
        parser = _SheetParser(values, max_rows + ROWS_AROUND, max_columns)
        parse_part(package, name, parser.start, parser.end, parser.text)
        if parser.rows:
            return parser.rows
    raise SheetRefusedError(Refusal.EMPTY)


@dataclass(frozen=True)
class _Values:
    """Turns what a cell stores into what it shows."""

    strings: list[str]
    date_styles: frozenset[int]
    has_1904_dates: bool

    def read(self, kind: str, style: str, stored: str) -> SheetCell:
        if kind == "s":
            return SheetCell(self._shared(stored))
        if kind in {"inlineStr", "str", "e", "d"}:
            return SheetCell(clean_text(stored))
        if kind == "b":
            return SheetCell("TRUE" if stored in TRUE else "FALSE")
        return self._number(style, stored)

    def _shared(self, stored: str) -> str:
        place = int(stored) if stored.strip().isdecimal() else -1
        if not 0 <= place < len(self.strings):
            raise SheetRefusedError(Refusal.DAMAGED)
        return self.strings[place]

    def _number(self, style: str, stored: str) -> SheetCell:
        try:
            number = float(stored)
        except ValueError:
            return SheetCell(clean_text(stored))
        if style.isdecimal() and int(style) in self.date_styles:
            shown = read_serial_date(number, has_1904_dates=self.has_1904_dates)
            if shown:
                return SheetCell(shown)
        # Fifteen digits, as Excel shows them: a float's own digits beyond are noise.
        shown = format(Decimal(f"{number:.15g}"), "f")
        return SheetCell(shown, is_number=True)


class _SheetParser:
    """Collects the rows of one sheet; ends at the first row or column too many."""

    def __init__(self, values: _Values, max_rows: int, max_columns: int) -> None:
        self.rows: list[SheetRow] = []
        self._values = values
        self._max_rows = max_rows
        self._max_columns = max_columns
        self._columns: dict[str, int] = {}
        self._number = 0
        self._is_hidden = False
        self._cells: list[SheetCell] = []
        self._column = 0
        self._cell: Mapping[str, str] | None = None
        self._pieces: list[str] = []
        self._is_text = False
        self._is_phonetic = False

    def start(self, tag: str, given: Mapping[str, str]) -> None:
        if tag == "c":
            self._cell = given
            self._column = self._find_column(given.get("r", ""))
            self._pieces.clear()
        elif tag in {"v", "t"}:
            self._is_text = self._cell is not None and not self._is_phonetic
        elif tag == "row":
            self._start_row(given)
        elif tag == "rPh":
            self._is_phonetic = True

    def text(self, data: str) -> None:
        if self._is_text:
            self._pieces.append(data)

    def end(self, tag: str) -> None:
        if tag in {"v", "t"}:
            self._is_text = False
        elif tag == "c":
            self._end_cell()
        elif tag == "row":
            self._end_row()
        elif tag == "rPh":
            self._is_phonetic = False

    def _find_column(self, reference: str) -> int:
        """The cell's column from 1; without a reference the one after the last."""
        if not reference:
            return self._column + 1
        found = _REFERENCE.fullmatch(reference)
        if not found:
            raise SheetRefusedError(Refusal.DAMAGED)
        letters = found[1]
        if letters not in self._columns:
            number = 0
            for letter in letters:
                number = number * 26 + ord(letter) - ord("A") + 1
            self._columns[letters] = number
        return self._columns[letters]

    def _start_row(self, given: Mapping[str, str]) -> None:
        number = given.get("r", "")
        before = self._number
        self._number = int(number) if number.isdecimal() else before + 1
        if self._number <= before or self._number > 1_048_576:
            raise SheetRefusedError(Refusal.DAMAGED)
        height = given.get("ht", "")
        self._is_hidden = given.get("hidden", "") in TRUE or height in {"0", "0.0"}
        self._cells = []
        self._column = 0

    def _end_cell(self) -> None:
        given, self._cell = self._cell, None
        if given is None or not self._pieces:
            return
        stored = "".join(self._pieces)
        cell = self._values.read(given.get("t", ""), given.get("s", ""), stored)
        if not cell.text or cell.text.isspace():
            return
        if self._column > self._max_columns:
            raise SheetRefusedError(Refusal.TOO_MANY_COLUMNS)
        missing = self._column - len(self._cells) - 1
        if missing < 0:
            raise SheetRefusedError(Refusal.DAMAGED)
        self._cells.extend([_NO_CELL] * missing)
        self._cells.append(cell)

    def _end_row(self) -> None:
        if not self._cells:
            return
        if len(self.rows) >= self._max_rows:
            raise SheetRefusedError(Refusal.TOO_MANY_ROWS)
        self.rows.append(SheetRow(self._number, tuple(self._cells), self._is_hidden))


_NO_CELL = SheetCell()
