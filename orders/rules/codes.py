"""Activation codes: how one is made, written, read and checked; how often what may be tried."""

import unicodedata
from datetime import date, timedelta

from accounts.rules.throttles import DAY, HOUR, Limit
from orders.errors import CodeMistypedError
from portal.lib.codes import CROCKFORD, random_code

# 19 random characters are 95 bits; the twentieth checks them.
RANDOM_LENGTH = 19
CODE_LENGTH = RANDOM_LENGTH + 1
GROUP_LENGTH = 4
_VALUES = {character: value for value, character in enumerate(CROCKFORD)}
# x^5 + x^2 + 1 over two elements: its root has 31 different powers, one for each place.
_POLYNOMIAL = 0b100101
# Crockford's base32 reads these as the figures that they are mistaken for.
_LOOK_ALIKE = str.maketrans("OIL", "011")
_BETWEEN = " -\t\r\n\u2010\u2011\u2012\u2013\u2014\u2212\u200b\ufeff"

# Codes handed over at once; a larger unit sends several sheets.
MOST_ROWS = 5000
# A sheet of cards is made while the buyer waits.
CARDS_A_SHEET = 100
# What was in a sheet of people is forgotten so long after the end.
ROWS_KEPT = timedelta(days=30)

# Whoever types a code has it in hand: enough for a bad print, nothing for a guesser. A class
# behind one address has many honest mistakes.
REDEEM_PERSON = Limit(10, HOUR)
REDEEM_ADDRESS = Limit(100, HOUR)
# A look for somebody that finds nobody may be a question who has an account (security.md).
# Looks that find somebody by name and number tell nothing new and are not counted.
SEARCH_PERSON = Limit(30, DAY)
# Sheets are the same question asked thousands of times.
IMPORTS_A_DAY = 20
IMPORTED_ROWS_A_DAY = 2 * MOST_ROWS
# More people not found than this, and more than half: staff are shown it.
SUSPICIOUS_MISSES = 20


def make_secret() -> str:
    """A new code: 19 random characters and their check character."""
    body = random_code(RANDOM_LENGTH)
    return body + check_character(body)


def check_character(body: str) -> str:
    """The character that a body needs behind it.

    A weighted sum in the field of 32 elements, each place with a weight of its own: any one
    wrong character and any two exchanged ones, neighbours or not, are noticed.
    """
    total = 0
    for character in body:
        total = _double(total ^ _VALUES[character])
    return CROCKFORD[total]


def _double(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & 0b100000 else value


def read_secret(text: str) -> str:
    """The code as it is looked up, from what a person typed: blanks, dashes, small letters
    and look-alikes do not matter. Raises `CodeMistypedError`, which needs no look-up."""
    typed = unicodedata.normalize("NFKC", text).upper()
    secret = "".join(c for c in typed if c not in _BETWEEN).translate(_LOOK_ALIKE)
    is_written = len(secret) == CODE_LENGTH and all(c in _VALUES for c in secret)
    if not is_written or check_character(secret[:-1]) != secret[-1]:
        raise CodeMistypedError
    return secret


def format_secret(secret: str) -> str:
    """`7K3M-…`: groups of four, as it is printed."""
    groups = (
        secret[place : place + GROUP_LENGTH]
        for place in range(0, len(secret), GROUP_LENGTH)
    )
    return "-".join(groups)


def mask_secret(secret: str) -> str:
    """All but the last group: enough to tell two papers apart, 80 bits are left unknown."""
    hidden = "-".join(["****"] * (CODE_LENGTH // GROUP_LENGTH - 1))
    return f"{hidden}-{secret[-GROUP_LENGTH:]}"


def make_code_number() -> str:
    """The public number of a code: names it in pages, traces and enrolments, opens nothing."""
    return f"K{random_code(12)}"


def is_usable(*, training_end: date, today: date) -> bool:
    """Whether a code still gives something: codes are for the training period."""
    return today <= training_end


def looks_like_probing(*, checked: int, missed: int) -> bool:
    """Whether a sheet asks who has an account rather than hands codes over."""
    return missed > SUSPICIOUS_MISSES and 2 * missed > checked
