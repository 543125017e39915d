"""Pure decisions about certificates: numbers, required details, masks, sizes of type."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

# The letters of a number: 公需 and 专业, as the centre's own registers abbreviate them.
SUBJECT_LETTERS = {"general": "GX", "professional": "ZY"}

# What the official manual asks for before printing (standards.md C4, DOM-13), in its words.
REQUIRED_DETAILS = {
    "region": "组织机构",
    "series": "专业序列",
    "level": "专业级别",
    "unit_name": "工作单位",
}


def format_number(*, year: int, subject: str, serial: int) -> str:
    """Return a certificate number: `2026-GX-0000001`."""
    return f"{year}-{SUBJECT_LETTERS[subject]}-{serial:07d}"


def find_missing_details(details: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels of required details that are empty, in the manual's order."""
    return tuple(
        label
        for name, label in REQUIRED_DETAILS.items()
        if not details.get(name, "").strip()
    )


@dataclass(frozen=True)
class MissingCredits:
    """Credits (学分) a plan still asks for; all zero when it is complete."""

    total: int
    compulsory: int
    elective: int


def count_missing_credits(
    *,
    required: int,
    compulsory: int,
    elective: int,
    compulsory_earned: int,
    elective_earned: int,
) -> MissingCredits:
    """Return what is missing: more of one kind does not make up for too little of the other."""
    missing_compulsory = max(0, compulsory - compulsory_earned)
    missing_elective = max(0, elective - elective_earned)
    open_credits = max(0, required - compulsory_earned - elective_earned)
    total = max(open_credits, missing_compulsory + missing_elective)
    return MissingCredits(total, missing_compulsory, missing_elective)


def format_chinese_date(day: date) -> str:
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def is_same_name(typed: str, name: str) -> bool:
    """Compare a typed name with a printed one: blanks and the width of dots do not count."""
    return _plain_name(typed) == _plain_name(name) != ""


def _plain_name(name: str) -> str:
    # The inner dot of a name is typed in half a dozen ways.
    folded = unicodedata.normalize("NFKC", name).translate(
        dict.fromkeys(map(ord, "•‧∙・."), "·")
    )
    return "".join(folded.split()).casefold()


def measure_text(text: str) -> float:
    """Return the rough width of a text in em: an ideograph is 1, a letter 0.56."""
    return sum(
        1.0 if unicodedata.east_asian_width(letter) in "WFA" else 0.56
        for letter in text
    )


# Size classes of the paper's stylesheet and how many em fit into the narrow column of 55 mm;
# the wide one takes 98. The third runs over two lines, what is longer over three.
_FITS = (("", 10.6), ("small", 13.4), ("smaller", 31.0))
_WIDE = 98 / 55


def choose_fit(text: str, *, wide: bool) -> str:
    """Return the size class in which a value fits its field."""
    room = _WIDE if wide else 1.0
    width = measure_text(text)
    for name, limit in _FITS:
        if width <= limit * room:
            return name
    return "smallest"
