"""Money is integer fen everywhere; yuan only where it is shown or where a gateway wants it."""

import re

# At most two decimals and no sign: `1e3`, `+5`, `٣` and `1.005` are not amounts.
_YUAN = re.compile(r"(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,2}))?", re.ASCII)


def format_yuan(amount_fen: int) -> str:
    """Return an amount in yuan with two decimals: 3300 fen is `33.00`."""
    sign = "-" if amount_fen < 0 else ""
    yuan, fen = divmod(abs(amount_fen), 100)
    return f"{sign}{yuan}.{fen:02d}"


def parse_yuan(text: str) -> int:
    """Return the fen of an amount in yuan such as `33`, `33.0` or `33.00`.

    Raises `ValueError` for anything else, parts of a fen included.
    """
    match = _YUAN.fullmatch(text)
    if match is None:
        raise ValueError(f"not an amount in yuan: {text[:20]!r}")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
