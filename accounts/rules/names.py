"""Names as identity cards carry them: Han characters with the inner dot, or Latin letters."""

import re
import unicodedata

from accounts.errors import NameRefusedError

INNER_DOT = "·"
LONGEST = 40
# Dots that keyboards and sheets offer for the inner dot of Uygur, Tibetan and other names.
_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・･．", INNER_DOT))
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
# Assigned ideographs by code point and not by Python's tables, which differ by version: 3.11
# does not know extensions H and I, and people with such characters in their names exist.
_HAN_BLOCKS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFA6D),
    (0xFA70, 0xFAD9),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B739),
    (0x2B740, 0x2B81D),
    (0x2B820, 0x2CEA1),
    (0x2CEB0, 0x2EBE0),
    (0x2EBF0, 0x2EE5D),
    (0x2F800, 0x2FA1D),
    (0x30000, 0x3134A),
    (0x31350, 0x323AF),
)
_LATIN_NAME = re.compile(r"[A-Z]+(?:(?: |-|'|\. ?|, )[A-Z]+)*\.?", re.IGNORECASE)


def read_name(text: str) -> str:
    """Return the name as it is stored and printed: no outer blanks, one kind of dot.

    Blanks inside a Chinese name are refused and never repaired: 欧 阳 may be two people's
    cells run together. Private-use characters print as something else on another machine,
    control characters as nothing. Raises `NameRefusedError`.
    """
    name = text.strip().strip(_INVISIBLE).strip()
    latin = unicodedata.normalize("NFKC", name)
    if _is_latin(latin):
        return latin.upper()
    name = name.translate(_DOTS)
    if not _is_han(name):
        raise NameRefusedError
    return name


def _is_latin(name: str) -> bool:
    """Residence cards of foreigners carry names in Latin letters, blanks between them."""
    letters = "".join(
        part
        for part in unicodedata.normalize("NFD", name)
        if not unicodedata.combining(part)
    )
    return 2 <= len(name) <= LONGEST and _LATIN_NAME.fullmatch(letters) is not None


def _is_han(name: str) -> bool:
    parts = name.split(INNER_DOT)
    return 2 <= len(name) <= LONGEST and all(
        part and all(_is_han_character(character) for character in part)
        for part in parts
    )


def _is_han_character(character: str) -> bool:
    return character == "〇" or any(
        first <= ord(character) <= last for first, last in _HAN_BLOCKS
    )
