"""A gateway without wires: what the vendor holds is a dictionary, and faults are told.

It keeps the promises of `orders.payments.protocol`, so a test may ask afterwards what the
vendor really took and gave back.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from typing import Any

from orders.payments.protocol import (
    UNKNOWN_PAYER,
    Acknowledgement,
    BillLine,
    Callbacks,
    Channel,
    Charge,
    GatewayRefused,
    GatewayUnavailable,
    Inbound,
    NotifyRejected,
    Payer,
    Report,
    Return,
    Start,
    State,
)
from orders.payments.registry import reset_gateways
from orders.rules.reconciliation import BILL_ZONE

KEY = b"of the bank in tests"


@dataclass
class Trade:
    """One payment as the vendor has it. `refunds` are number to (fen, state)."""

    number: str
    asked_fen: int
    state: State = State.UNPAID
    paid_fen: int = 0
    paid_at: datetime | None = None
    refunds: dict[str, tuple[int, State]] = field(default_factory=dict)
    refunded_at: dict[str, datetime] = field(default_factory=dict)

    @property
    def refunded_fen(self) -> int:
        done = (fen for fen, state in self.refunds.values() if state is State.REFUNDED)
        return sum(done)

    @property
    def held_fen(self) -> int:
        return self.paid_fen - self.refunded_fen


class Bank:
    """`faults` are taken from the front, one a call: `down` (nothing happens, no answer),
    `lost` (it happens, the answer is lost), `refuse` (a definite no), `slow` (accepted, done
    later by `finish`)."""

    browser_sources: tuple[str, ...] = ("https://bank.example",)
    restart_within = None

    def __init__(self, code: str) -> None:
        self.code = code
        self.seller = f"seller-{code}"
        self.now: datetime | None = None
        self.trades: dict[str, Trade] = {}
        self.faults: list[str] = []
        self.calls: list[tuple[str, str]] = []
        self.is_bill_ready = True
        self.extra_lines: list[BillLine] = []
        self._lock = Lock()

    # --- What buyers and the vendor's staff do --------------------------------------------

    def pay(self, number: str, fen: int | None = None, *, now: datetime) -> Trade:
        trade = self.trades[number]
        trade.state, trade.paid_at = State.PAID, now
        trade.paid_fen = trade.asked_fen if fen is None else fen
        return trade

    def pay_back(self, number: str, fen: int, refund: str, *, now: datetime) -> None:
        """Pay back at the vendor's console, without the portal."""
        self.trades[number].refunds[refund] = (fen, State.REFUNDED)
        self.trades[number].refunded_at[refund] = now

    def finish(self, number: str, refund: str, state: State, *, now: datetime) -> None:
        fen, _ = self.trades[number].refunds[refund]
        self.trades[number].refunds[refund] = (fen, state)
        self.trades[number].refunded_at[refund] = now

    def notice(self, number: str, **changes: Any) -> bytes:
        trade = self.trades[number]
        return self.sign(
            {
                "attempt": number,
                "state": State.PAID,
                "fen": trade.paid_fen,
                "seller": self.seller,
            }
            | changes
        )

    def refund_notice(self, number: str, refund: str, **changes: Any) -> bytes:
        fen, state = self.trades[number].refunds[refund]
        facts = {"attempt": number, "state": state, "fen": fen, "refund": refund}
        return self.sign(facts | {"seller": self.seller} | changes)

    def sign(self, message: Mapping[str, Any], key: bytes = KEY) -> bytes:
        text = json.dumps(message, sort_keys=True)
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return json.dumps({"text": text, "sign": signature}).encode()

    # --- The protocol -----------------------------------------------------------------------

    def start(
        self,
        charge: Charge,
        channel: Channel,
        callbacks: Callbacks,
        payer: Payer = UNKNOWN_PAYER,
    ) -> Start:
        self._take_call("start", charge.number)
        self.trades.setdefault(charge.number, Trade(charge.number, charge.amount_fen))
        return Start(Start.Kind.REDIRECT, f"https://bank.example/{charge.number}")

    def parse_notification(self, inbound: Inbound) -> Report:
        try:
            outer = json.loads(inbound.body)
            text, sign = outer["text"], outer["sign"]
            wanted = hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()
            is_genuine = hmac.compare_digest(wanted, sign)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise NotifyRejected("unreadable") from error
        if not is_genuine:
            raise NotifyRejected("wrong signature")
        message = json.loads(text)
        if message["seller"] != self.seller:
            raise NotifyRejected("not for us")
        return Report(
            attempt_number=message["attempt"],
            state=State(message["state"]),
            amount_fen=message["fen"],
            seller=message["seller"],
            gateway_number=message.get("gateway_number", f"B{message['attempt']}"),
            refund_number=message.get("refund", ""),
            raw=message,
        )

    def acknowledge(self, *, accepted: bool) -> Acknowledgement:
        return Acknowledgement(200, "text/plain", b"ok" if accepted else b"no")

    def read_return(self, parameters: Mapping[str, str]) -> str:
        return parameters.get("attempt", "")

    def query(self, charge: Charge) -> Report:
        self._take_call("query", charge.number)
        trade = self.trades.get(charge.number)
        if trade is None:
            return Report(charge.number, State.NOT_FOUND)
        return Report(
            attempt_number=charge.number,
            state=trade.state,
            amount_fen=trade.paid_fen or trade.asked_fen,
            gateway_number=f"B{charge.number}",
            paid_at=trade.paid_at,
        )

    def close(self, charge: Charge) -> State:
        self._take_call("close", charge.number)
        trade = self.trades.get(charge.number)
        if trade is None:
            return State.NOT_FOUND
        if trade.state is State.PAID:
            return State.UNKNOWN
        trade.state = State.CLOSED
        return State.CLOSED

    def refund(self, charge: Charge, back: Return, notify_url: str) -> State:
        fault = self._take_call("refund", back.number)
        with self._lock:
            trade = self.trades[charge.number]
            known = trade.refunds.get(back.number)
            if known is not None:
                return known[1]
            leaving = sum(
                fen
                for fen, state in trade.refunds.values()
                if state is not State.CLOSED
            )
            if fault == "refuse" or trade.paid_fen - leaving < back.amount_fen:
                raise GatewayRefused("NOT_ENOUGH")
            state = State.UNKNOWN if fault == "slow" else State.REFUNDED
            trade.refunds[back.number] = (back.amount_fen, state)
            trade.refunded_at[back.number] = self._moment()
        if fault == "lost":
            raise GatewayUnavailable("the answer was lost")
        return state

    def query_refund(self, charge: Charge, back: Return) -> State:
        self._take_call("query_refund", back.number)
        known = self.trades[charge.number].refunds.get(back.number)
        return State.NOT_FOUND if known is None else known[1]

    def read_bill(self, day: date) -> Iterable[BillLine]:
        if not self.is_bill_ready:
            raise GatewayUnavailable("the bill is not made yet")
        for trade in self.trades.values():
            if trade.paid_at and trade.paid_at.astimezone(BILL_ZONE).date() == day:
                yield BillLine(
                    trade.number, trade.paid_fen, f"B{trade.number}", "", trade.paid_at
                )
            for number, (fen, state) in trade.refunds.items():
                at = trade.refunded_at[number]
                is_of_day = at.astimezone(BILL_ZONE).date() == day
                if state is State.REFUNDED and is_of_day:
                    yield BillLine(trade.number, fen, f"B{trade.number}", number, at)
        yield from self.extra_lines

    def _take_call(self, name: str, number: str) -> str:
        self.calls.append((name, number))
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "down":
            raise GatewayUnavailable("no answer")
        return fault

    def _moment(self) -> datetime:
        assert self.now is not None, "the test tells the bank the time"
        return self.now


BANKS: dict[str, Bank] = {}


def open_banks(now: datetime | None = None) -> dict[str, Bank]:
    """Two banks with empty books; the gateways of the portal are theirs from now on."""
    BANKS.clear()
    reset_gateways()
    for code in ("east", "west"):
        BANKS[code] = Bank(code)
        BANKS[code].now = now
    return BANKS


def build_east() -> Bank:
    return BANKS["east"]


def build_west() -> Bank:
    return BANKS["west"]


GATEWAYS = {
    "east": ("东岸银行", "tests.orders.bank.build_east"),
    "west": ("西岸银行", "tests.orders.bank.build_west"),
}
