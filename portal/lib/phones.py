"""Mainland mobile numbers: 11 digits, whatever the person puts around them."""

import re
import unicodedata

_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
# Blanks, dashes of several kinds, brackets and what copying leaves behind.
_DECORATION = re.compile(
    r"[\s()\-\u2010-\u2015\u2212\u200b-\u200d\u202a-\u202e\u2060\ufeff]+"
)


class PhoneError(ValueError):
    """Not a mobile number; the text is fit for the person who typed it."""

    def __init__(self) -> None:
        super().__init__("请填写11位手机号码，例如 138 0013 8000。")


def normalise_phone(text: str) -> str:
    """Return the 11 digits of a mobile number: `+86 138-0013-8000` is `13800138000`.

    Numbers of virtual operators (170, 171) pass: whether a phone answers is decided by the
    code sent to it. Raises `PhoneError`.
    """
    phone = _DECORATION.sub("", unicodedata.normalize("NFKC", text))
    for prefix in ("+86", "0086"):
        phone = phone.removeprefix(prefix)
    if len(phone) == 13:
        phone = phone.removeprefix("86")
    if not _MOBILE.fullmatch(phone):
        raise PhoneError
    return phone
