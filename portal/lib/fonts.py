"""The fonts of the papers: which files, which characters they have, and small copies of them."""

import hashlib
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

# Raised when the trimmed copies would come out differently.
TRIM_RECIPE = 1
# Besides GB 2312: the dot inside names, which its table calls a katakana dot, and accents
# of pinyin are in it already.
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

    def read_coverage(self) -> frozenset[int]:
        """Return the code points for which the font has a glyph."""
        with TTFont(self.path, lazy=True) as font:
            return frozenset(font.getBestCmap())


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
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        _write_trimmed(source, draft)
        draft.replace(path)
    return path


def _write_trimmed(source: Path, target: Path) -> None:
    options = subset.Options(hinting=False, notdef_outline=True, name_IDs=["*"])
    with subset.load_font(str(source), options) as font:
        trimmer = subset.Subsetter(options)
        trimmer.populate(text=everyday_characters())
        trimmer.subset(font)
        subset.save_font(font, str(target), options)
