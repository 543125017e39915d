"""Pure decisions about orders and payments: numbers, states, deadlines, mismatches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from orders.errors import IllegalTransitionError
from portal.lib.codes import random_code

Transitions = Mapping[str, frozenset[str]]

# Paid is final but for a refund. A closed order can still be paid: money that comes late is
# accepted when its lines are still free.
ORDER_TRANSITIONS: Transitions = {
    "pending": frozenset({"paid", "cancelled", "expired"}),
    "cancelled": frozenset({"paid"}),
    "expired": frozenset({"paid"}),
    "paid": frozenset({"refunded"}),
    "refunded": frozenset(),
}
ATTEMPT_TRANSITIONS: Transitions = {
    "waiting": frozenset({"paid", "closed", "review"}),
    "closed": frozenset({"paid", "review"}),
    "review": frozenset({"paid", "closed"}),
    "paid": frozenset(),
}

# Alipay and WeChat refuse an expiry of less than a minute from now.
SHORTEST_PAYING_TIME = timedelta(minutes=1)
# The vendors advise against asking at once: the notification usually comes first.
FIRST_POLL_AFTER = timedelta(seconds=60)
POLL_EVERY = timedelta(seconds=120)
# How long after the end of its time an attempt is asked about for the last time: a payment
# begun in the last second has come through by then.
LAST_QUESTION_AFTER = timedelta(minutes=5)
# A page that is reloaded must not become a stream of queries to the gateway.
SHORTEST_POLL_PAUSE = timedelta(seconds=10)


class Mismatch(StrEnum):
    """How a verified report of a payment differs from what was asked for."""

    AMOUNT = "amount"
    SELLER = "seller"


@dataclass(frozen=True)
class InvoiceDetails:
    """To whom an invoice shall be made out. `credit_code` is empty for a person."""

    buyer_kind: str
    title: str
    credit_code: str = ""
    email: str = ""


def check_transition(table: Transitions, old: str, new: str) -> None:
    """Raise `IllegalTransitionError` unless `new` may follow `old`."""
    if new not in table[old]:
        raise IllegalTransitionError(old, new)


def make_attempt_number(day: date) -> str:
    """`R`, the date as yyMMdd and 13 random characters: 20 of [0-9A-Z].

    Fits the number rules of Alipay (64, [A-Za-z0-9_]), WeChat Pay (6 to 32) and UnionPay
    (8 to 40, letters and digits only).
    """
    return f"R{day:%y%m%d}{random_code(13)}"


def make_order_number(day: date) -> str:
    """`D`, the date as yyMMdd and 9 random characters: short enough to read out."""
    return f"D{day:%y%m%d}{random_code(9)}"


def has_time_to_pay(*, expires_at: datetime, now: datetime) -> bool:
    """Tell whether a gateway would still accept a payment that has to end at `expires_at`."""
    return expires_at - now >= SHORTEST_PAYING_TIME


def find_mismatch(
    *,
    expected_fen: int,
    expected_seller: str,
    paid_fen: int | None,
    currency: str,
    seller: str,
) -> Mismatch | None:
    """Compare what a gateway reports with our own record.

    `seller` is empty when the report does not name one, as answers to our own signed
    queries; `expected_seller` when the attempt is older than that column.
    """
    if paid_fen != expected_fen or currency != "CNY":
        return Mismatch.AMOUNT
    if seller and expected_seller and seller != expected_seller:
        return Mismatch.SELLER
    return None
