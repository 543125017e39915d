"""Person numbers: resident ID cards (GB 11643-1999) and foreigners' permanent residence cards.

Wider than a check of one county list: people born before 1997 carry numbers of Sichuan, and
counties were merged and renamed, so an unknown county is a warning and never a refusal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

# ISO 7064 MOD 11-2 as GB 11643 spells it out: weights of the first 17 digits and the check
# character for each remainder.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"

# GB/T 2260, first two digits; 81 to 83 are the residence permits of people from Hong Kong,
# Macau and Taiwan, 9 the first digit of the residence card of 2023.
PROVINCES = frozenset(
    str(code)
    for first, last in (
        *((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71)),
        (81, 83),
    )
    for code in range(first, last + 1)
)
# Every code Chongqing ever used since it is a municipality: districts, counties, former
# county-level cities. Only here does the portal know counties well enough to warn.
CHONGQING_COUNTIES = frozenset(
    [f"5001{number:02d}" for number in (*range(1, 21), *range(51, 58))]
    + [f"5002{number:02d}" for number in range(21, 44)]
    + [f"5003{number:02d}" for number in range(81, 85)]
)
EARLIEST_YEAR = 1900
USUAL_AGES = range(16, 101)

_FULL_WIDTH: Mapping[int, str] = {
    0xFF10 + offset: chr(0x30 + offset) for offset in range(10)
} | {0xFF21 + offset: chr(0x41 + offset) for offset in range(26)}
_FULL_WIDTH_LOWER: Mapping[int, str] = {
    0xFF41 + offset: chr(0x41 + offset) for offset in range(26)
}
# What copying from sheets and chats puts around a number and nobody sees.
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u202a\u202c\u202d\u202e"

_RESIDENT = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_FIRST_GENERATION = re.compile(r"[0-9]{15}", re.ASCII)
_FOREIGN_2004 = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)
_BLANKS = re.compile(r"\s+")


class Kind(StrEnum):
    """What a number stands for."""

    RESIDENT = "resident"
    HONG_KONG = "hong_kong"
    MACAU = "macau"
    TAIWAN = "taiwan"
    FOREIGN = "foreign"


class Defect(StrEnum):
    """Why a number is refused."""

    EMPTY = "empty"
    FORMAT = "format"
    INNER_BLANK = "inner_blank"
    FIRST_GENERATION = "first_generation"
    REGION = "region"
    BIRTH_DATE = "birth_date"
    BIRTH_YEAR = "birth_year"
    FUTURE = "future"
    CHECKSUM = "checksum"


class Doubt(StrEnum):
    """What looks odd about an accepted number."""

    UNKNOWN_COUNTY = "unknown_county"
    UNUSUAL_AGE = "unusual_age"


MESSAGES: Mapping[Defect, str] = {
    Defect.EMPTY: "请填写证件号码。",
    Defect.FORMAT: "证件号码应为18位，前17位为数字，末位为数字或大写字母X。",
    Defect.INNER_BLANK: "证件号码中间不能有空格或其他符号。",
    Defect.FIRST_GENERATION: "15位旧号码不再受理，请填写18位证件号码。",
    Defect.REGION: "证件号码的前两位不是有效的地区代码，请核对。",
    Defect.BIRTH_DATE: "证件号码中的出生日期（第7至14位）不存在，请核对。",
    Defect.BIRTH_YEAR: "证件号码中的出生年份早于1900年，请核对。",
    Defect.FUTURE: "证件号码中的出生日期晚于今天，请核对。",
    Defect.CHECKSUM: "证件号码校验不通过，请核对每一位数字。",
}
WARNINGS: Mapping[Doubt, str] = {
    Doubt.UNKNOWN_COUNTY: "证件号码前6位不是已知的区县代码，请再次核对。",
    Doubt.UNUSUAL_AGE: "按证件号码计算的年龄不在16至100岁之间，请再次核对。",
}


class PersonNumberError(ValueError):
    """A number is refused; the text is fit for the person who typed it."""

    def __init__(self, defect: Defect) -> None:
        self.defect = defect
        super().__init__(MESSAGES[defect])


@dataclass(frozen=True)
class PersonNumber:
    """An accepted number and what it says about the person.

    `birth_date` and `is_male` are None on residence cards of before December 2023, whose
    twelve digits give the birth year without its century.
    """

    number: str
    kind: Kind
    birth_date: date | None
    is_male: bool | None
    doubts: tuple[Doubt, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(WARNINGS[doubt] for doubt in self.doubts)

    def agrees_with_gender(self, gender: str) -> bool:
        """Whether `gender` (男 or 女, as the registration lists have it) can be true."""
        return self.is_male is None or gender == ("男" if self.is_male else "女")


def normalise_person_number(text: str) -> str:
    """Return `text` with half-width characters, capital letters and no outer blanks.

    Inner blanks stay: they are reported, never repaired, since a digit may be missing too.
    """
    text = text.translate(_FULL_WIDTH).translate(_FULL_WIDTH_LOWER)
    return text.strip().strip(_INVISIBLE).strip().upper()


def check_character(first17: str) -> str:
    """Return the 18th character for 17 digits (GB 11643-1999, 4.2.4; ISO 7064 MOD 11-2)."""
    total = sum(
        int(digit) * weight for digit, weight in zip(first17, WEIGHTS, strict=True)
    )
    return CHECK_CHARACTERS[total % 11]


def parse_person_number(text: str, *, today: date) -> PersonNumber:
    """Read a number as a person types it; `today` decides age and future birth dates.

    Raises `PersonNumberError`.
    """
    number = normalise_person_number(text)
    if _FOREIGN_2004.fullmatch(number):
        return PersonNumber(number, Kind.FOREIGN, birth_date=None, is_male=None)
    if not _RESIDENT.fullmatch(number):
        raise PersonNumberError(_shape_defect(number))
    kind = _kind_of(number)
    birth_date = _read_birth_date(number, today=today)
    if check_character(number[:17]) != number[17]:
        raise PersonNumberError(Defect.CHECKSUM)
    return PersonNumber(
        number,
        kind,
        birth_date,
        is_male=int(number[16]) % 2 == 1,
        doubts=tuple(_find_doubts(number, birth_date, today=today)),
    )


def _shape_defect(number: str) -> Defect:
    if not number:
        return Defect.EMPTY
    if _FIRST_GENERATION.fullmatch(number):
        return Defect.FIRST_GENERATION
    if _RESIDENT.fullmatch(_BLANKS.sub("", number)):
        return Defect.INNER_BLANK
    return Defect.FORMAT


def _kind_of(number: str) -> Kind:
    if number[0] == "9":
        return Kind.FOREIGN
    if number[:2] not in PROVINCES:
        raise PersonNumberError(Defect.REGION)
    special = {"81": Kind.HONG_KONG, "82": Kind.MACAU, "83": Kind.TAIWAN}
    return special.get(number[:2], Kind.RESIDENT)


def _read_birth_date(number: str, *, today: date) -> date:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise PersonNumberError(Defect.BIRTH_DATE) from None
    if born.year < EARLIEST_YEAR:
        raise PersonNumberError(Defect.BIRTH_YEAR)
    if born > today:
        raise PersonNumberError(Defect.FUTURE)
    return born


def _find_doubts(number: str, born: date, *, today: date) -> list[Doubt]:
    doubts = []
    if number.startswith("50") and number[:6] not in CHONGQING_COUNTIES:
        doubts.append(Doubt.UNKNOWN_COUNTY)
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    age = today.year - born.year - (0 if had_birthday else 1)
    if age not in USUAL_AGES:
        doubts.append(Doubt.UNUSUAL_AGE)
    return doubts
