"""UnionPay's ACP 5.1.0 on the wire: the text that is signed, forms, answers and times.

Facts: UnionPay's Java SDK and its pages on open.unionpay.com, checked against genuine messages
of its test gateway.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

VERSION = "5.1.0"
# RSA with SHA-256; 5.0.0 beside it means SHA-1.
SIGN_METHOD = "01"
CURRENCY = "156"

# UnionPay writes times of its own zone without naming it.
ZONE = ZoneInfo("Asia/Shanghai")
TIME_FORMAT = "%Y%m%d%H%M%S"
# A message has about thirty fields.
FIELD_LIMIT = 100

_CLOSING = {"{": "}", "[": "]"}


def base_text(fields: Mapping[str, str]) -> str:
    """The text that is signed: all pairs but the signature, sorted by name.

    Values as they are: a certificate's line ends (CRLF) take part.
    """
    return "&".join(f"{k}={fields[k]}" for k in sorted(fields) if k != "signature")


def digest(fields: Mapping[str, str]) -> bytes:
    """What the signature is made of: lower-case hex of the SHA-256, which RSA hashes again."""
    return hashlib.sha256(base_text(fields).encode()).hexdigest().encode()


def parse_answer(text: str) -> dict[str, str]:
    """Return the fields of an answer: `k=v&k=v` that is not URL-encoded.

    An `&` between brackets belongs to the value. Raises `ValueError` for anything else, a
    repeated name included: which of the two would have been signed?
    """
    fields: dict[str, str] = {}
    for pair in _split_outside_brackets(text):
        name, equals, value = pair.partition("=")
        if not (name and equals) or name in fields:
            raise ValueError("not an answer of UnionPay's")
        fields[name] = value
    return fields


def _split_outside_brackets(text: str) -> list[str]:
    pairs: list[str] = []
    start = 0
    awaited = ""
    for place, sign in enumerate(text):
        if awaited:
            if sign == awaited:
                awaited = ""
        elif sign in _CLOSING:
            awaited = _CLOSING[sign]
        elif sign == "&":
            pairs.append(text[start:place])
            start = place + 1
    return [*pairs, text[start:]]


def parse_form(body: bytes) -> dict[str, str]:
    """Return the fields of a URL-encoded form. Raises `ValueError`, for repeated names too."""
    pairs = parse_qsl(
        body.decode(),
        keep_blank_values=True,
        strict_parsing=True,
        max_num_fields=FIELD_LIMIT,
        errors="strict",
    )
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field is repeated")
    return fields


def format_time(moment: datetime) -> str:
    return moment.astimezone(ZONE).strftime(TIME_FORMAT)


def read_time(text: str) -> datetime | None:
    """Return a moment written as yyyyMMddHHmmss, None for anything else."""
    if len(text) != 14 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=ZONE)
    except ValueError:
        return None


def read_time_near(text: str, near: datetime) -> datetime | None:
    """Return a moment written as MMddHHmmss: of the three possible years the nearest."""
    years = (near.astimezone(ZONE).year + step for step in (-1, 0, 1))
    moments = [moment for year in years if (moment := read_time(f"{year:04d}{text}"))]
    return min(moments, key=lambda moment: abs(moment - near), default=None)


def read_amount(text: str) -> int | None:
    """Return fen written in digits, None for anything else."""
    if not 1 <= len(text) <= 12 or not (text.isascii() and text.isdigit()):
        return None
    return int(text)


# Between their clock and ours.
CLOCK_MARGIN = timedelta(minutes=1)
