"""What is said of a file before its cells are read, and what it may cost."""

import random
import re
import struct
import time
from io import BytesIO
from zipfile import ZIP_BZIP2, ZipFile, ZipInfo

import pytest

from portal.lib.sheet_reading import (
    LARGEST_FILE,
    Refusal,
    SheetRefusedError,
    read_sheet,
)
from tests.factories.sheets import (
    make_parts,
    make_row,
    make_sheet,
    pack,
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
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


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Refusal.EMPTY),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), Refusal.NOT_A_SHEET),
        ("姓名,身份证号码\n".encode("gb18030"), Refusal.NOT_A_SHEET),
        (b"<html><table></table></html>", Refusal.NOT_A_SHEET),
        (OLE + "Workbook".encode("utf-16-le"), Refusal.OLD_FORMAT),
        (OLE + "EncryptedPackage".encode("utf-16-le"), Refusal.ENCRYPTED),
        (OLE + "_VBA_PROJECT_CUR".encode("utf-16-le"), Refusal.MACROS),
        (b"PK\x03\x04" + bytes(100), Refusal.DAMAGED),
        (b"PK\x03\x04" + bytes(LARGEST_FILE), Refusal.TOO_LARGE),
        (pack({"word/document.xml": "<d/>"}), Refusal.NOT_A_SHEET),
        (
            pack({"[Content_Types].xml": "<Types/>", "word/document.xml": "<d/>"}),
            Refusal.NOT_A_SHEET,
        ),
        (pack(make_parts(make_sheet())), Refusal.EMPTY),
    ],
)
def test_what_is_no_readable_sheet(content: bytes, reason: Refusal) -> None:
    assert refuse(content) is reason


def test_a_file_of_five_megabytes_of_noise() -> None:
    noise = random.Random(7).randbytes(LARGEST_FILE - 4)

    assert refuse(b"PK\x03\x04" + noise) is Refusal.DAMAGED


def test_five_megabytes_of_pictures_beside_a_list() -> None:
    picture = random.Random(7).randbytes(LARGEST_FILE - 5000)
    parts = make_parts(make_sheet(make_row(1, "甲")))
    parts["xl/media/image1.png"] = picture

    assert read_texts(pack(parts)) == [["甲"]]


def _spell_at_random(_: re.Match[str]) -> str:
    return "".join(random.choice((str.upper, str.lower))(c) for c in "sheet1.xml")


class TestBombs:
    def test_a_small_file_that_unpacks_to_two_hundred_megabytes(self) -> None:
        parts = make_parts(make_sheet(make_row(1, "甲")))
        rows = "".join(make_row(n, "") for n in range(2, 200_000))
        sheet = make_sheet(rows + " " * 150_000_000)

        content = pack(parts | {"xl/worksheets/sheet1.xml": sheet})
        assert len(content) < LARGEST_FILE
        assert refuse(content) is Refusal.BOMB

    def test_many_parts(self) -> None:
        parts = make_parts(make_sheet(make_row(1, "甲")))

        content = pack(parts | {f"xl/{n}": "" for n in range(3000)})
        assert refuse(content) is Refusal.BOMB

    def test_a_part_with_a_ratio_no_list_has(self) -> None:
        parts = make_parts(make_sheet(make_row(1, "甲")))

        content = pack(parts | {"docProps/app.xml": " " * 2_000_000})
        assert refuse(content) is Refusal.BOMB

    def test_a_directory_that_lies_about_sizes(self) -> None:
        """Unpacking ends where the directory says, whatever is really there."""
        sheet = make_sheet(make_row(1, "甲"), tail=" " * 30_000_000)
        content = bytearray(pack(make_parts(sheet)))
        size = struct.pack("<L", len(sheet.encode()))
        assert content.count(size) == 2
        content = bytearray(bytes(content).replace(size, struct.pack("<L", 1000)))

        assert refuse(bytes(content)) is Refusal.DAMAGED

    def test_an_offset_beyond_all_files(self) -> None:
        output = BytesIO()
        with ZipFile(output, "w") as file:
            for name, part in make_parts(make_sheet(make_row(1, "甲"))).items():
                info = ZipInfo(name)
                info.extra = struct.pack("<HHQ", 1, 8, 2**64 - 1)
                file.writestr(info, part)
        content = bytearray(output.getvalue())
        place = -1
        while (place := content.find(b"PK\x01\x02", place + 1)) >= 0:
            content[place + 42 : place + 46] = b"\xff" * 4

        assert refuse(bytes(content)) is Refusal.DAMAGED

    def test_another_compression(self) -> None:
        output = BytesIO()
        with ZipFile(output, "w", ZIP_BZIP2) as file:
            for name, part in make_parts(make_sheet(make_row(1, "甲"))).items():
                file.writestr(name, part)

        assert refuse(output.getvalue()) is Refusal.DAMAGED

    def test_encrypted_entries(self) -> None:
        content = bytearray(pack(make_parts(make_sheet(make_row(1, "甲")))))
        place = content.find(b"PK\x01\x02")
        content[place + 8] |= 1

        assert refuse(bytes(content)) is Refusal.ENCRYPTED

    def test_millions_of_tags(self) -> None:
        """Noise between them keeps the ratio as low as a list's."""
        noise = random.Random(7).randbytes(300_000).hex()
        row = f"<!--{noise}-->" + '<row r="1">' + "<c/>" * 5_500_000 + "</row>"

        assert refuse(pack(make_parts(make_sheet(row)))) is Refusal.BOMB

    def test_the_longest_reading_there_can_be(self) -> None:
        noise = random.Random(7).randbytes(300_000).hex()
        row = f"<!--{noise}-->" + '<row r="1">' + "<c/>" * 4_900_000 + "</row>"

        assert refuse(pack(make_parts(make_sheet(row)))) is Refusal.EMPTY

    def test_a_tag_of_megabytes(self) -> None:
        attributes = " ".join(f'a{n:x}=""' for n in range(1_000_000))

        content = pack(make_parts(make_sheet(f"<row {attributes}/>")))
        assert refuse(content) is Refusal.BOMB

    def test_a_comment_of_megabytes(self) -> None:
        noise = random.Random(7).randbytes(2_000_000).hex()
        row = f"<!--{'<' * 4_000_000}{noise}{'<' * 500_000}-->"

        assert refuse(pack(make_parts(make_sheet(row)))) is Refusal.BOMB

    def test_a_sheet_that_is_listed_thousands_of_times(self) -> None:
        rows = "".join(make_row(n) for n in range(1, 20_000))
        parts = make_parts(*[make_sheet(rows)] * 5_000)
        for name in list(parts):
            if name.startswith("xl/worksheets/") and "sheet1.xml" not in name:
                del parts[name]
        relations = str(parts["xl/_rels/workbook.xml.rels"])
        spelt = re.sub(r"sheet\d+\.xml", _spell_at_random, relations)

        content = pack(parts | {"xl/_rels/workbook.xml.rels": spelt})
        assert refuse(content) is Refusal.EMPTY

    def test_one_long_text_in_every_cell(self) -> None:
        cell = '<c t="s"><v>0</v></c>'
        rows = f"<row>{cell * 60}</row>" * 10_000
        strings = f"<si><t>{'长' * 32_000}</t></si>"
        content = pack(make_parts(make_sheet(rows), strings=strings))

        assert refuse(content) is Refusal.BOMB
