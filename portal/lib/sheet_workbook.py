"""The parts of a workbook around its cells: kind, visible sheets, shared strings, date styles."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from posixpath import normpath
from xml.parsers import expat

from portal.lib.number_formats import find_date_styles
from portal.lib.sheet_package import (
    Refusal,
    SheetPackage,
    SheetRefusedError,
    spell_part,
)
from portal.lib.spreadsheet import clean_cell

# What a cell of a list can mean is said by then; a long text is repeated by every cell that
# shares it and would cost its length each time.
LONGEST_CELL = 1000
TRUE = frozenset({"1", "true"})
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_", re.ASCII)
_MACRO_TYPE = "macroenabled"
_BINARY_TYPE = "sheet.binary"
_WORKBOOK_TYPE = "spreadsheetml.sheet.main"


class _LocalNames(dict[str, str]):
    """Names without their namespace: `main`, `strict` and a program's own are all read."""

    def __missing__(self, name: str) -> str:
        # A file may name what it likes; what is looked for is a dozen names.
        local = name.rpartition(" ")[2]
        if len(self) < 200:
            self[name] = local
        return local


_StartHandler = Callable[[str, Mapping[str, str]], None]


def _refuse_doctype(*_: object) -> None:
    raise SheetRefusedError(Refusal.UNSAFE)


def _ignore(*_: object) -> None:
    """Leave a piece of XML alone."""


def parse_part(
    package: SheetPackage,
    name: str,
    start: _StartHandler,
    end: Callable[[str], None] = _ignore,
    text: Callable[[str], None] = _ignore,
) -> None:
    """Run the handlers over a part, with local names; a document type ends it at once."""
    names = _LocalNames()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda tag, given: start(names[tag], given)
    parser.EndElementHandler = lambda tag: end(names[tag])
    if text is not _ignore:
        parser.CharacterDataHandler = text
    try:
        for piece in package.read(name):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, SheetRefusedError):
            raise
        # ValueError and LookupError come from encodings that Python does not know.
        raise SheetRefusedError(Refusal.DAMAGED) from error


def _attribute(given: Mapping[str, str], name: str) -> str:
    """An attribute by its local name: `r:id` and `id` alike."""
    for key, value in given.items():
        if key.rpartition(" ")[2] == name:
            return value
    return ""


def check_kind(package: SheetPackage) -> None:
    """Tell a workbook from other zips, and the kinds of workbook that are refused."""
    name = "[Content_Types].xml"
    if name not in package:
        raise SheetRefusedError(Refusal.NOT_A_SHEET)
    kinds: set[str] = set()

    def start(tag: str, given: Mapping[str, str]) -> None:
        if tag in {"Override", "Default"}:
            kinds.add(_attribute(given, "ContentType").lower())

    parse_part(package, name, start)
    for mark, reason in (
        # Binary workbooks call themselves macroEnabled even without macros.
        (_BINARY_TYPE, Refusal.OLD_FORMAT),
        (_MACRO_TYPE, Refusal.MACROS),
    ):
        if any(mark in kind for kind in kinds):
            raise SheetRefusedError(reason)
    # Some programs leave the type of the workbook out; then its place tells.
    is_book = any(_WORKBOOK_TYPE in kind for kind in kinds)
    if not is_book and "xl/workbook.xml" not in package:
        raise SheetRefusedError(Refusal.NOT_A_SHEET)


@dataclass(frozen=True)
class Book:
    """Where the parts of a workbook lie; `sheets` are the visible ones in their order."""

    sheets: list[str]
    strings: str
    styles: str
    has_1904_dates: bool


def _read_relations(package: SheetPackage, part: str) -> dict[str, tuple[str, str]]:
    """Relations of a part: id to (last word of the type, name of the part)."""
    folder, _, name = part.rpartition("/")
    place = f"{folder}/_rels/{name}.rels".lstrip("/")
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, given: Mapping[str, str]) -> None:
        if tag != "Relationship" or given.get("TargetMode") == "External":
            return
        target = given.get("Target", "").replace("\\", "/")
        # WPS writes absolute targets, Excel relative ones.
        path = target if target.startswith("/") else f"{folder}/{target}"
        kind = given.get("Type", "").rpartition("/")[2]
        found[given.get("Id", "")] = kind, normpath(path).lstrip("/")

    if place in package:
        parse_part(package, place, start)
    return found


def read_book(package: SheetPackage) -> Book:
    """Find the parts of the workbook. Raises `SheetRefusedError`."""
    roots = _read_relations(package, "").values()
    books = [path for kind, path in roots if kind == "officeDocument"]
    place = books[0] if books and books[0] in package else "xl/workbook.xml"
    sheets: list[str] = []
    flags: list[str] = []

    def start(tag: str, given: Mapping[str, str]) -> None:
        if tag == "sheet" and given.get("state", "visible") == "visible":
            sheets.append(_attribute(given, "id"))
        elif tag == "workbookPr":
            flags.append(given.get("date1904", ""))

    parse_part(package, place, start)
    relations = _read_relations(package, place)
    kinds = {kind: path for kind, path in relations.values() if path in package}
    # A part is read once however often, and however spelt, the book lists it.
    worksheets = dict.fromkeys(
        spell_part(path)
        for kind, path in (relations.get(sheet, ("", "")) for sheet in sheets)
        if kind == "worksheet" and path in package
    )
    if not worksheets:
        raise SheetRefusedError(Refusal.DAMAGED)
    return Book(
        list(worksheets),
        kinds.get("sharedStrings", ""),
        kinds.get("styles", ""),
        any(flag in TRUE for flag in flags),
    )


class _StringsParser:
    """Collects the shared strings without the phonetic readings that stand beside some."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._pieces: list[str] = []
        self._is_text = False
        self._is_phonetic = False

    def start(self, tag: str, given: Mapping[str, str]) -> None:
        if tag == "t":
            self._is_text = not self._is_phonetic
        elif tag == "si":
            self._pieces.clear()
        elif tag == "rPh":
            self._is_phonetic = True

    def end(self, tag: str) -> None:
        if tag == "t":
            self._is_text = False
        elif tag == "si":
            self.strings.append(clean_text("".join(self._pieces)))
        elif tag == "rPh":
            self._is_phonetic = False

    def text(self, data: str) -> None:
        if self._is_text:
            self._pieces.append(data)


def read_strings(package: SheetPackage, name: str) -> list[str]:
    """Return the shared strings in their order."""
    parser = _StringsParser()
    parse_part(package, name, parser.start, parser.end, parser.text)
    return parser.strings


def clean_text(text: str) -> str:
    """Turn Excel's `_x000D_` into what it stands for, then drop what no sheet should hold."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return clean_cell(text)[:LONGEST_CELL].strip("\n\t")


def read_date_styles(package: SheetPackage, name: str) -> frozenset[int]:
    """Places of the cell styles that show a number as a date."""
    formats: dict[str, str] = {}
    used: list[str] = []
    inside = [""]

    def start(tag: str, given: Mapping[str, str]) -> None:
        if tag == "numFmt":
            formats[given.get("numFmtId", "")] = given.get("formatCode", "")
        elif tag == "xf" and inside[0] == "cellXfs":
            used.append(given.get("numFmtId", ""))
        elif tag in {"cellXfs", "cellStyleXfs"}:
            inside[0] = tag

    try:
        parse_part(package, name, start)
    except SheetRefusedError as error:
        if error.reason is not Refusal.DAMAGED:
            raise
        # Odd styles do not make a list unreadable: dates then show as numbers.
        return frozenset()
    return find_date_styles(used, formats)
