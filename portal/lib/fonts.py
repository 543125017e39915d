"""The fonts of the papers: which files, which characters they have, and small copies of them."""

import hashlib
import secrets
import struct
import subprocess
import sys
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from fontTools.ttLib import TTFont

# Raised when the trimmed copies would come out differently.
TRIM_RECIPE = 1
# Besides GB 2312: the dot inside names, for which its table has a katakana dot, and signs of
# which it has the wide form only.
_EXTRA_CHARACTERS = "\u00b7\u00d7\u00a5\u2014\u2026"


class Role(Enum):
    """What a font is for.

    EVERYDAY fonts hold the characters of GB 2312 only: copies a fifth of the size, which
    take a third of the time to embed. COMPLETE ones have all of 通用规范汉字表 and serve the
    rest. RARE ones have one weight and serve what even those lack.
    """

    EVERYDAY = "everyday"
    COMPLETE = "complete"
    RARE = "rare"


@dataclass(frozen=True)
class FontFile:
    """One font file under the family name and weight (100 to 900) that stylesheets use."""

    family: str
    weight: int
    path: Path
    role: Role

    @property
    def face_rule(self) -> str:
        return (
            f"@font-face {{ font-family: '{self.family}'; font-weight: {self.weight};"
            f" src: url('{self.path.as_uri()}') }}"
        )

    def read_coverage(self) -> "Coverage":
        """Return the code points for which the font has a glyph."""
        with TTFont(self.path, lazy=True) as font:
            coverage = _read_groups(font.reader["cmap"])
            if coverage is None:
                points = tuple(sorted(font.getBestCmap()))
                coverage = Coverage(points, points)
        return coverage


@dataclass(frozen=True)
class Coverage:
    """Code points as sorted ranges; a set of them would take megabytes for each font."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __contains__(self, point: object) -> bool:
        if not isinstance(point, int):
            return False
        index = bisect_right(self.starts, point) - 1
        return index >= 0 and point <= self.ends[index]


def _read_groups(table: bytes) -> Coverage | None:
    """Read the ranges of a `cmap` table from its subtable of format 12, if it has one.

    Fonts beyond the basic plane do. fontTools' own reader builds a dictionary of glyph names
    for each subtable, 25 MB for the three fonts.
    """
    (count,) = struct.unpack_from(">H", table, 2)
    for record in range(count):
        _, _, offset = struct.unpack_from(">HHL", table, 4 + 8 * record)
        kind, _, _, _, groups = struct.unpack_from(">HHLLL", table, offset)
        if kind == 12:
            values = struct.unpack_from(f">{3 * groups}L", table, offset + 16)
            return Coverage(values[0::3], values[1::3])
    return None


def everyday_characters() -> str:
    """Return ASCII and GB 2312, which cover all but a few names and units."""
    rows = range(0xA1, 0xF8)
    cells = range(0xA1, 0xFF)
    pairs = (bytes([row, cell]) for row in rows for cell in cells)
    chinese = "".join(pair.decode("gb2312", errors="ignore") for pair in pairs)
    return "".join(map(chr, range(0x20, 0x7F))) + chinese + _EXTRA_CHARACTERS


def trim_font(source: Path, folder: Path) -> Path:
    """Return a copy of a font with the everyday characters only, made at first use.

    Takes about a second; the copy is named after what it was made from and is published
    whole, so processes that start together do not read each other's halves.
    """
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    path = folder / f"{source.stem}-{digest}-{TRIM_RECIPE}{source.suffix}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
        _write_trimmed(source, draft)
        draft.replace(path)
    return path


def _write_trimmed(source: Path, target: Path) -> None:
    # A process of its own: what the subsetter needs, 60 MB, never comes back to a worker.
    command = [
        *(sys.executable, "-m", "fontTools.subset", str(source)),
        f"--output-file={target}",
        f"--unicodes={','.join(f'{ord(each):x}' for each in everyday_characters())}",
        *("--no-hinting", "--notdef-outline", "--name-IDs=*"),
    ]
    subprocess.run(command, check=True, capture_output=True)
