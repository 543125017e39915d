"""The zip around a sheet: what it is, and whether it is safe to unpack, before any parsing."""

import re
import struct
import zlib
from collections.abc import Iterator
from enum import StrEnum
from io import BytesIO
from types import MappingProxyType
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

LARGEST_FILE = 5 * 1024 * 1024
# A list of 10,000 people is 3 MB unpacked, of 50,000 people 15 MB.
LARGEST_PART = 32 * 1024 * 1024
LARGEST_UNPACKED = 64 * 1024 * 1024
MOST_PARTS = 2000
# Lists reach 10 to 30; deflate ends at 1032. Small parts may be as empty as they like.
HIGHEST_RATIO = 200
SMALL_PART = 1024 * 1024
# A list of 50,000 people has 2.5 million tags; these are read in two or three seconds.
MOST_TAGS = 5_000_000
# Large, because older expats look at an unfinished tag again from its start with every piece.
_CHUNK = 1024 * 1024

_ZIP_START = b"PK\x03\x04"
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Names in the directory of an OLE container: what Office encrypts, and macros of old books.
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_MACRO_STREAM = "_VBA_PROJECT".encode("utf-16-le")
_MACRO_PARTS = re.compile(r"(?:^|/)(?:vbaproject\.bin|macrosheets/)")
_ENCRYPTED_FLAG = 0x1
# What zipfile raises over bytes that are no zip; NotImplementedError is a RuntimeError,
# offsets of 64 bits overflow.
_BROKEN = (
    *(BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, RuntimeError, OverflowError),
)


class Refusal(StrEnum):
    """Why a file is not read."""

    TOO_LARGE = "too_large"
    NOT_A_SHEET = "not_a_sheet"
    OLD_FORMAT = "old_format"
    ENCRYPTED = "encrypted"
    MACROS = "macros"
    BOMB = "bomb"
    UNSAFE = "unsafe"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    DAMAGED = "damaged"
    EMPTY = "empty"


MESSAGES = MappingProxyType(
    {
        Refusal.TOO_LARGE: "文件超过5 MB，请删除图片等无关内容，或分成几份上传。",
        Refusal.NOT_A_SHEET: "该文件不是 Excel 表格，请上传 .xlsx 文件。",
        Refusal.OLD_FORMAT: (
            "该文件是旧版或其他格式的表格，请用 Excel 或 WPS 打开，另存为 .xlsx 后再上传。"
        ),
        Refusal.ENCRYPTED: "该文件设有打开密码，请取消密码后再上传。",
        Refusal.MACROS: "该文件含有宏，请另存为不含宏的 .xlsx 后再上传。",
        Refusal.BOMB: (
            "文件解压后过大，请把名单复制到新的表格（不带多余的空白行列和格式）后再上传。"
        ),
        Refusal.UNSAFE: (
            "该文件含有不允许的内容（DOCTYPE），请用 Excel 或 WPS 重新另存为 .xlsx 后再上传。"
        ),
        Refusal.TOO_MANY_ROWS: "表格行数过多，请分成几份上传。",
        Refusal.TOO_MANY_COLUMNS: "表格列数过多，请删除名单以外的列后再上传。",
        Refusal.DAMAGED: (
            "文件已损坏，无法读取，请用 Excel 或 WPS 打开并另存为 .xlsx 后再上传。"
        ),
        Refusal.EMPTY: "表格中没有内容。",
    }
)


class SheetRefusedError(ValueError):
    """A file is not read; the text is fit for the person who sent it."""

    def __init__(self, reason: Refusal, message: str = "") -> None:
        self.reason = reason
        super().__init__(message or MESSAGES[reason])


class SheetPackage:
    """The parts of an .xlsx file, found by name whatever its spelling, each read in pieces.

    The zip's directory is believed in nothing but names: a part that is longer than it says
    ends where the directory says, and then fails its checksum.
    """

    def __init__(self, content: bytes) -> None:
        """Look at the directory only. Raises `SheetRefusedError`."""
        _check_container(content)
        try:
            self._zip = ZipFile(BytesIO(content))
        except _BROKEN as error:
            raise SheetRefusedError(Refusal.DAMAGED) from error
        parts = self._zip.infolist()
        _check_directory(parts)
        self._tags = 0
        # Some programs write back slashes, a leading slash, or other capitals than they name.
        self._parts = {spell_part(part.filename): part for part in parts}
        if any(_MACRO_PARTS.search(name) for name in self._parts):
            raise SheetRefusedError(Refusal.MACROS)

    def __contains__(self, name: str) -> bool:
        return spell_part(name) in self._parts

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the part in pieces; no more than its announced size is ever unpacked.

        Raises `SheetRefusedError` when the part is missing or broken.
        """
        part = self._parts.get(spell_part(name))
        if part is None:
            raise SheetRefusedError(Refusal.DAMAGED)
        if part.file_size > LARGEST_PART:
            raise SheetRefusedError(Refusal.BOMB)
        try:
            with self._zip.open(part) as file:
                # Never read(): it would unpack all that is there before it cuts.
                while piece := file.read(_CHUNK):
                    self._count_tags(piece)
                    yield piece
        except SheetRefusedError:
            raise
        except _BROKEN as error:
            raise SheetRefusedError(Refusal.DAMAGED) from error

    def _count_tags(self, piece: bytes) -> None:
        """Refuse what would take long: very many tags, or one with a megabyte in it."""
        tags = piece.count(b"<")
        self._tags += tags
        if self._tags > MOST_TAGS or (not tags and len(piece) == _CHUNK):
            raise SheetRefusedError(Refusal.BOMB)


def spell_part(name: str) -> str:
    """Return the one spelling of a part's name under which it is looked up."""
    return name.replace("\\", "/").lstrip("/").lower()


def _check_container(content: bytes) -> None:
    if len(content) > LARGEST_FILE:
        raise SheetRefusedError(Refusal.TOO_LARGE)
    if not content:
        raise SheetRefusedError(Refusal.EMPTY)
    if content.startswith(_OLE_START):
        if _ENCRYPTED_STREAM in content:
            raise SheetRefusedError(Refusal.ENCRYPTED)
        if _MACRO_STREAM in content:
            raise SheetRefusedError(Refusal.MACROS)
        raise SheetRefusedError(Refusal.OLD_FORMAT)
    if not content.startswith(_ZIP_START):
        raise SheetRefusedError(Refusal.NOT_A_SHEET)


def _check_directory(parts: list[ZipInfo]) -> None:
    if len(parts) > MOST_PARTS:
        raise SheetRefusedError(Refusal.BOMB)
    unpacked = 0
    for part in parts:
        if part.flag_bits & _ENCRYPTED_FLAG:
            raise SheetRefusedError(Refusal.ENCRYPTED)
        if part.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise SheetRefusedError(Refusal.DAMAGED)
        unpacked += part.file_size
        ratio = part.file_size / max(part.compress_size, 1)
        if part.file_size > SMALL_PART and ratio > HIGHEST_RATIO:
            raise SheetRefusedError(Refusal.BOMB)
    if unpacked > LARGEST_UNPACKED:
        raise SheetRefusedError(Refusal.BOMB)
