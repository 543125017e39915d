"""One spelling for what people type into the login's first field."""

from portal.lib.identity import normalise_person_number
from portal.lib.phones import PhoneError, normalise_phone

# Of a phone or an ID number; user names with that many digits are found as well without.
SUSPICIOUS_DIGITS = 9


def canonical_account(text: str) -> str:
    """User name, phone or ID number in the one form that counters are kept under.

    Otherwise blanks, dashes and full-width digits would give a guesser new tries.
    """
    try:
        return normalise_phone(text)
    except PhoneError:
        return normalise_person_number(text).lower()


def looks_like_number(text: str) -> bool:
    """Whether `text` may be a phone or an ID number, whole or with a digit missing."""
    digits = sum(character.isdecimal() for character in normalise_person_number(text))
    return digits >= SUSPICIOUS_DIGITS
