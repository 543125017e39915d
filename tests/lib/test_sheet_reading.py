import time
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from portal.lib.sheet_reading import (
    Refusal,
    SheetCell,
    SheetRefusedError,
    SheetRow,
    read_sheet,
)
from tests.factories.sheets import (
    Raw,
    make_book,
    make_list,
    make_parts,
    make_person,
    make_row,
    make_sheet,
    pack,
)

# A machine that has other things to do; the promise is "in seconds".
SECONDS = 10


def read_texts(content: bytes) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in read_sheet(content)]


def refuse(content: bytes, **limits: int) -> Refusal:
    start = time.process_time()
    with pytest.raises(SheetRefusedError) as refused:
        read_sheet(content, **limits)

    assert time.process_time() - start < SECONDS
    assert str(refused.value)
    return refused.value.reason


def test_texts_and_numbers() -> None:
    content = make_book(["姓名", 12, 1.5], [None, "甲"])

    assert read_sheet(content) == [
        SheetRow(
            1,
            (
                SheetCell("姓名"),
                SheetCell("12", is_number=True),
                SheetCell("1.5", is_number=True),
            ),
        ),
        SheetRow(2, (SheetCell(), SheetCell("甲"))),
    ]


def test_long_numbers_show_the_fifteen_digits_that_are_left() -> None:
    content = make_book([Raw('<c r="A1"><v>5.0010519900307398E+17</v></c>')])

    assert read_sheet(content)[0].cells == (
        SheetCell("500105199003074000", is_number=True),
    )


def test_phones_as_numbers_keep_their_digits() -> None:
    content = make_book([13800138000], [Raw('<c r="A2"><v>1.3800138E10</v></c>')])

    assert read_texts(content) == [["13800138000"], ["13800138000"]]


def test_shared_strings_without_phonetic_readings() -> None:
    cells = "".join(
        f'<c r="{place}1" t="s"><v>{number}</v></c>'
        for place, number in (("A", 0), ("B", 1), ("C", 0))
    )
    strings = (
        "<si><r><t>张</t></r><r><rPr/><t>三</t></r><rPh sb='0' eb='1'><t>zhang</t></rPh></si>"
        "<si><t xml:space='preserve'> 李四 </t></si>"
    )
    content = pack(make_parts(make_sheet(f'<row r="1">{cells}</row>'), strings=strings))

    assert read_texts(content) == [["张三", " 李四 ", "张三"]]


def test_formulas_count_by_their_saved_value() -> None:
    content = make_book(
        [
            Raw('<c r="A1" t="str"><f>B1&amp;"三"</f><v>张三</v></c>'),
            Raw('<c r="B1"><f>1+1</f><v>2</v></c>'),
            Raw('<c r="C1"><f>HYPERLINK("http://x")</f></c>'),
            Raw('<c r="D1" t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
        ]
    )

    assert read_texts(content) == [["张三", "2", "", "#DIV/0!"]]


def test_dates_and_truth_values() -> None:
    styles = (
        '<numFmts><numFmt numFmtId="176" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/>'
        '<numFmt numFmtId="177" formatCode="[Red]0.00&quot;days&quot;"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="176"/>'
        '<xf numFmtId="177"/></cellXfs>'
    )
    cells = [
        Raw('<c r="A1" s="1"><v>46161</v></c>'),
        Raw('<c r="B1" s="2"><v>46161.5</v></c>'),
        Raw('<c r="C1" s="3"><v>46161</v></c>'),
        Raw('<c r="D1" s="99"><v>46161</v></c>'),
        Raw('<c r="E1" t="b"><v>1</v></c>'),
        Raw('<c r="F1" t="d"><v>2026-05-19</v></c>'),
    ]
    content = pack(make_parts(make_sheet(make_row(1, *cells)), styles=styles))

    texts = ["2026-05-19", "2026-05-19", "46161", "46161", "TRUE", "2026-05-19"]
    assert read_texts(content) == [texts]
    assert [cell.is_number for cell in read_sheet(content)[0].cells] == [
        *(False, False, True, True, False, False)
    ]


def test_dates_of_1904() -> None:
    styles = '<cellXfs><xf numFmtId="14"/></cellXfs>'
    parts = make_parts(
        make_sheet(make_row(1, Raw('<c r="A1" s="0"><v>44699</v></c>'))),
        styles=styles,
        workbook_tail='<workbookPr date1904="1"/>',
    )

    assert read_texts(pack(parts)) == [["2026-05-19"]]


def test_sheets_that_wps_wrote() -> None:
    sheet = make_sheet(
        '<row spans="1:2"><c t="inlineStr"><is><t>姓名</t></is></c><c><v>7</v></c></row>',
        '<row r="3"><c r="B3" t="str"><v>甲</v></c></row>',
    )
    parts = make_parts(sheet, absolute=True, styles='<cellXfs><xf numFmtId="x"/>')
    # Styles that break off do not matter.
    assert read_sheet(pack(parts)) == [
        SheetRow(1, (SheetCell("姓名"), SheetCell("7", is_number=True))),
        SheetRow(3, (SheetCell(), SheetCell("甲"))),
    ]


def test_prefixed_and_strict_namespaces() -> None:
    cell = '<x:c r="A1" t="inlineStr"><x:is><x:t>甲</x:t></x:is></x:c>'
    sheet = (
        '<x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main">'
        f'<x:sheetData><x:row r="1">{cell}</x:row></x:sheetData></x:worksheet>'
    )

    assert read_texts(pack(make_parts(sheet))) == [["甲"]]


def test_parts_named_with_back_slashes_and_other_capitals() -> None:
    parts = {
        name.replace("/", "\\").replace("sheet1", "Sheet1"): content
        for name, content in make_parts(make_sheet(make_row(1, "甲"))).items()
    }

    assert read_texts(pack(parts)) == [["甲"]]


def test_books_of_openpyxl() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["姓名", 138, None, "尾"])
    sheet.merge_cells("A2:C2")
    sheet["A2"] = "合并"
    output = BytesIO()
    book.save(output)

    assert read_texts(output.getvalue()) == [["姓名", "138", "", "尾"], ["合并"]]


def test_hidden_rows_are_marked() -> None:
    sheet = make_sheet(
        make_row(1, "甲"),
        make_row(2, "乙", attributes='hidden="1"'),
        make_row(3, "丙", attributes='hidden="true"'),
        make_row(4, "丁", attributes='ht="0" customHeight="1"'),
        make_row(5, "戊", attributes='ht="20" hidden="0"'),
    )
    rows = read_sheet(pack(make_parts(sheet)))

    assert [row.is_hidden for row in rows] == [False, True, True, True, False]


def test_the_first_visible_sheet_with_content_is_read() -> None:
    sheets = [
        make_sheet(make_row(1, "密")),
        make_sheet(),
        make_sheet(make_row(9, "甲")),
    ]
    content = pack(make_parts(*sheets, states=["hidden", "visible", "visible"]))

    assert read_sheet(content) == [SheetRow(9, (SheetCell("甲"),))]


def test_control_characters_are_removed() -> None:
    content = make_book(["张_x0000__x000D_三", "a_x0041_", "行一\n行二"])

    assert read_texts(content) == [["张三", "aA", "行一\n行二"]]


def test_blanks_are_no_content() -> None:
    assert read_sheet(make_book(["甲", " "], [" ", "　", "\u00a0"])) == [
        SheetRow(1, (SheetCell("甲"),))
    ]


def test_a_long_text_is_cut() -> None:
    assert read_texts(make_book(["长" * 30_000])) == [["长" * 1000]]


def test_rows_up_to_the_limit() -> None:
    rows = [["甲"]] * (10 + 50)

    assert len(read_sheet(make_book(*rows), max_rows=10)) == 60
    assert refuse(make_book(*rows, ["甲"]), max_rows=10) is Refusal.TOO_MANY_ROWS


def test_columns_up_to_the_limit() -> None:
    assert len(read_sheet(make_book(["甲"] * 60))[0].cells) == 60
    assert refuse(make_book(["甲"] * 61)) is Refusal.TOO_MANY_COLUMNS
    assert refuse(make_book(["甲"] * 10_001)) is Refusal.TOO_MANY_COLUMNS


def test_formatted_empty_cells_count_for_nothing() -> None:
    empty = "".join(f'<c r="{letter}XD1" s="1"/>' for letter in "ABC")
    sheet = make_sheet(make_row(1, "甲", Raw(empty)), '<row r="1048576" ht="9"/>')

    assert read_texts(pack(make_parts(sheet))) == [["甲"]]


def test_opposite_corners_cost_nothing() -> None:
    far = Raw('<c r="XFD1048576"><v>1</v></c>')
    content = pack(make_parts(make_sheet(make_row(1, "甲"), make_row(1048576, far))))
    assert refuse(content) is Refusal.TOO_MANY_COLUMNS

    sheet = make_sheet(make_row(1, "甲"), make_row(1048576, "乙"))
    assert [row.number for row in read_sheet(pack(make_parts(sheet)))] == [1, 1048576]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("xl/vbaProject.bin", "x", Refusal.MACROS),
        ("xl/macrosheets/sheet1.xml", "x", Refusal.MACROS),
        (
            "[Content_Types].xml",
            '<Types><Override ContentType="application/vnd.ms-excel.sheet.macroEnabled'
            '.main+xml"/></Types>',
            Refusal.MACROS,
        ),
        (
            "[Content_Types].xml",
            '<Types><Override ContentType="application/vnd.ms-excel.sheet.binary'
            '.macroEnabled.main"/></Types>',
            Refusal.OLD_FORMAT,
        ),
        ("xl/workbook.xml", "<workbook><sheets/></workbook>", Refusal.DAMAGED),
        ("xl/workbook.xml", "", Refusal.DAMAGED),
        (
            "xl/workbook.xml",
            '<?xml version="1.0" encoding="no-such"?><w/>',
            Refusal.DAMAGED,
        ),
        ("xl/_rels/workbook.xml.rels", "<Relationships/>", Refusal.DAMAGED),
        ("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row>", Refusal.DAMAGED),
        ("xl/worksheets/sheet1.xml", b"\x00\x01", Refusal.DAMAGED),
    ],
)
def test_a_part_that_is_not_right(
    name: str, content: str | bytes, reason: Refusal
) -> None:
    parts = make_parts(make_sheet(make_row(1, "甲"))) | {name: content}

    assert refuse(pack(parts)) is reason


@pytest.mark.parametrize(
    "name",
    [
        "[Content_Types].xml",
        "_rels/.rels",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/worksheets/sheet1.xml",
        "xl/sharedStrings.xml",
        "xl/styles.xml",
    ],
)
def test_document_types_are_refused(name: str) -> None:
    laughs = '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">'
    sheet = make_sheet(make_row(1, "甲"))
    parts = make_parts(sheet, strings="<si><t>甲</t></si>", styles="<cellXfs/>")
    parts[name] = f"<!DOCTYPE x [{laughs}]>{parts[name]!s}"

    assert refuse(pack(parts)) is Refusal.UNSAFE


@pytest.mark.parametrize(
    "cells",
    [
        '<c r="A1" t="s"><v>0</v></c>',
        '<c r="A1" t="s"><v>-1</v></c>',
        f'<c r="A1" t="s"><v>{"9" * 5000}</v></c>',
        '<c r="ZZZZ99999999999"><v>1</v></c>',
        '<c r="B1"><v>1</v></c><c r="A1"><v>1</v></c>',
        '<c r="A1"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c>',
        '</row><row r="9999999"><c r="A1"><v>1</v></c>',
        f'</row><row r="{"9" * 5000}"><c r="A1"><v>1</v></c>',
        '<c r="A1" t="inlineStr"><is><t>&#1;</t></is></c>',
    ],
)
def test_cells_that_cannot_be(cells: str) -> None:
    content = pack(make_parts(make_sheet(f'<row r="1">{cells}</row>')))

    assert refuse(content) is Refusal.DAMAGED


@pytest.mark.parametrize(
    ("stored", "text", "is_number"),
    [
        ("1e999", "Infinity", True),
        ("nan", "NaN", True),
        ("-0.1", "-0.1", True),
        ("1E-7", "0.0000001", True),
        ("abc", "abc", False),
        ("2026-05-19T00:00:00", "2026-05-19T00:00:00", False),
    ],
)
def test_odd_numbers(stored: str, text: str, is_number: bool) -> None:
    content = make_book([Raw(f'<c r="A1" s="5"><v>{stored}</v></c>')])

    assert read_sheet(content)[0].cells == (SheetCell(text, is_number=is_number),)


GOOD = make_list(*(make_person(n) for n in range(20)))
GOOD_PARTS = make_parts(
    make_sheet(make_row(1, "甲", 7, Raw('<c r="C1" t="s" s="0"><v>0</v></c>'))),
    strings="<si><t>乙</t></si>",
    styles='<cellXfs><xf numFmtId="14"/></cellXfs>',
)


def read_or_refuse(content: bytes) -> None:
    with suppress(SheetRefusedError):
        read_sheet(content)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)),
        min_size=1,
        max_size=8,
    )
)
def test_a_damaged_file_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    content = bytearray(GOOD)
    for place, value in changes:
        content[place] = value

    read_or_refuse(bytes(content))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(GOOD_PARTS)), st.data())
def test_damaged_parts_are_read_or_refused(name: str, data: st.DataObject) -> None:
    part = str(GOOD_PARTS[name]).encode()
    start = data.draw(st.integers(0, len(part)))
    end = data.draw(st.integers(start, min(len(part), start + 20)))
    middle = data.draw(
        st.binary(max_size=4) | st.sampled_from([b"<", b"/>", b'"', b"9" * 30])
    )

    read_or_refuse(pack(GOOD_PARTS | {name: part[:start] + middle + part[end:]}))


def test_a_file_cut_off_is_refused() -> None:
    for end in range(4, len(GOOD), 97):
        assert refuse(GOOD[:end]) is Refusal.DAMAGED
