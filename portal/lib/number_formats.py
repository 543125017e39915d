"""Excel's number formats: which of them show a date, and which date a number then is."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

# ECMA-376 part 1, 18.8.30, with the formats of the Chinese edition (27 to 36, 50 to 58).
_BUILT_IN_DATES = frozenset(
    str(number)
    for first, last in ((14, 17), (22, 22), (27, 31), (36, 36), (50, 54), (57, 58))
    for number in range(first, last + 1)
)
# Text in quotes, escaped characters, colours and conditions mean nothing here.
_DECORATION = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DATE_LETTERS = re.compile(r"[yd]|m{3,}", re.IGNORECASE)
_LAST_DAY = 2_958_465


def find_date_styles(used: Iterable[str], formats: Mapping[str, str]) -> frozenset[int]:
    """Places in `used` (format ids of the cell styles) whose numbers are dates."""
    return frozenset(
        place
        for place, number in enumerate(used)
        if number in _BUILT_IN_DATES or _shows_date(formats.get(number, ""))
    )


def _shows_date(code: str) -> bool:
    return _DATE_LETTERS.search(_DECORATION.sub("", code)) is not None


def read_serial_date(number: float, *, has_1904_dates: bool = False) -> str:
    """`2026-05-19` for 46161; empty for what is no date."""
    if not 1 <= number <= _LAST_DAY:
        return ""
    first = datetime(1904, 1, 1) if has_1904_dates else datetime(1899, 12, 30)  # noqa: DTZ001
    try:
        return f"{first + timedelta(days=int(number)):%Y-%m-%d}"
    except OverflowError:
        return ""
