"""How personal data may be shown: enough to recognise one's own, too little for a stranger."""

import re
import unicodedata
from ipaddress import ip_address

# ID numbers by GB 11643 (17 digits and a check character), their 15-digit form of before
# 1999, and cards for foreigners of before 2023 (three letters and 12 digits); mainland mobile
# numbers, with or without the country code. Bounded by non-digits, so that a payment number
# of 28 digits stays readable.
ID_NUMBER = re.compile(
    r"(?<!\d)(?:\d{17}[\dXx]|\d{15})(?!\d)|(?<![A-Za-z])[A-Za-z]{3}\d{12}(?!\d)"
)
PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d{9}(?!\d)")
_DIGIT = re.compile(r"\d")
_FEW_DIGITS = 4
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s-]+(?=[\dXx])")


def holds_number(text: str) -> bool:
    """Whether somebody's whole ID number or phone stands in a free text, in any spelling."""
    plain = unicodedata.normalize("NFKC", text)
    joined = _BETWEEN_DIGITS.sub("", plain)
    return any(
        pattern.search(spelling)
        for pattern in (ID_NUMBER, PHONE)
        for spelling in (plain, joined)
    )


def mask_id_number(number: str) -> str:
    """`500105********4512`; empty stays empty."""
    if len(number) < 11:
        return "*" * len(number)
    return number[:6] + "*" * (len(number) - 10) + number[-4:]


def mask_numbers(text: str) -> str:
    """A text with the ID numbers and phones in it masked; other numbers stay."""
    text = ID_NUMBER.sub(lambda found: mask_id_number(found[0]), text)
    return PHONE.sub(lambda found: mask_phone(found[0]), text)


def mask_digits(text: str) -> str:
    """A text that should hold no number, with its digits as stars if it holds one after all.

    A digit or two stay: whoever reads `张三1` shall see what is wrong with it.
    """
    digits = sum(character.isdigit() for character in text)
    return _DIGIT.sub("*", text) if digits > _FEW_DIGITS else text


def mask_phone(phone: str) -> str:
    """`138****1234`; empty stays empty."""
    if len(phone) < 8:
        return "*" * len(phone)
    return f"{phone[:3]}****{phone[-4:]}"


def mask_address(address: str) -> str:
    """`203.0.113.*`, `2001:0db8:0001:*`: the network, not the connection; empty stays empty."""
    if ":" in address:
        return ":".join([*ip_address(address).exploded.split(":")[:3], "*"])
    return f"{address.rpartition('.')[0]}.*" if address else ""


def mask_email(address: str) -> str:
    """`z***@example.com`, no longer than 60 characters; empty stays empty."""
    name, _, host = address.partition("@")
    return f"{name[:1]}***@{host}"[:60] if address else ""


def mask_name(name: str) -> str:
    """`张*`, `张*三`, `欧**国`: first and last character of names of three and more."""
    if len(name) < 2:
        return name
    if len(name) == 2:
        return f"{name[0]}*"
    return name[0] + "*" * (len(name) - 2) + name[-1]
