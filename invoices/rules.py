"""Pure decisions about invoices: tax, numbers, deadlines, amounts in words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from invoices.errors import IllegalTransitionError

# Twenty digits: year, province (50 is Chongqing), channel and serial (公告2024年第11号;
# standards.md C6). Given by the tax platform, never made here.
_NUMBER = re.compile(r"[0-9]{20}", re.ASCII)

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "requested": frozenset({"issuing"}),
    "issuing": frozenset({"issuing", "issued", "failed"}),
    "failed": frozenset({"requested"}),
    "issued": frozenset({"reversed"}),
    "reversed": frozenset(),
}

# Pauses after the first, second, ... try that brought no answer; the last one repeats. Whether
# an invoice was issued is unknown until the provider says so, so nobody gives up.
RETRY_PAUSES = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)


@dataclass(frozen=True)
class TaxRate:
    """A rate in force from a day on for a kind of taxpayer; `source` names the rule."""

    taxpayer: str
    valid_from: date
    permille: int
    source: str


def check_transition(old: str, new: str) -> None:
    """Raise `IllegalTransitionError` unless an invoice may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise IllegalTransitionError(old, new)


def find_rate(rates: Iterable[TaxRate], *, taxpayer: str, day: date) -> TaxRate:
    """Return the newest rate in force on `day`. Raises `LookupError` if none is."""
    valid = [
        rate for rate in rates if rate.taxpayer == taxpayer and rate.valid_from <= day
    ]
    if not valid:
        raise LookupError(f"no tax rate for {taxpayer} on {day}")
    return max(valid, key=lambda rate: rate.valid_from)


def split_tax(total_fen: int, permille: int) -> tuple[int, int]:
    """Return net amount and tax of a price that includes tax, in fen; they add up exactly.

    The net amount is rounded half up to the fen, as the tax platform does.
    """
    net = (total_fen * 1000 * 2 + (1000 + permille)) // (2 * (1000 + permille))
    return net, total_fen - net


def is_invoice_number(number: str) -> bool:
    return _NUMBER.fullmatch(number) is not None


def next_try(tries: int, now: datetime) -> datetime:
    """Return when to ask again after `tries` tries without an answer."""
    return now + RETRY_PAUSES[min(max(tries, 1), len(RETRY_PAUSES)) - 1]


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")


def amount_in_words(amount_fen: int) -> str:
    """Return an amount as invoices spell it: 3300 fen is 叁拾叁圆整 (支付结算办法附一)."""
    yuan, fen = divmod(amount_fen, 100)
    jiao, fen = divmod(fen, 10)
    words = f"{_spell_integer(yuan)}圆" if yuan else ""
    if not jiao and not fen:
        return (words or "零圆") + "整"
    if jiao:
        words += f"{_DIGITS[jiao]}角"
    elif yuan:
        words += "零"
    return words + (f"{_DIGITS[fen]}分" if fen else "整")


def _spell_integer(value: int) -> str:
    groups = []
    while value:
        value, group = divmod(value, 10000)
        groups.append(group)
    words = ""
    for index in reversed(range(len(groups))):
        group = groups[index]
        if not group:
            continue
        # A gap in front of what follows is spoken once: 壹万零伍佰.
        if words and group < 1000:
            words += "零"
        words += _spell_group(group) + _GROUPS[index]
    return words


def _spell_group(group: int) -> str:
    words, gap = "", False
    for place in reversed(range(4)):
        digit = group // 10**place % 10
        if digit:
            words += ("零" if gap and words else "") + _DIGITS[digit] + _PLACES[place]
            gap = False
        else:
            gap = True
    return words
