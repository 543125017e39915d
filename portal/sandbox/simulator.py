"""What every simulated payment gateway offers to the parts that all of them share: the
cashier page, the list of trades, the notifier and the control address."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from portal.sandbox.store import Document
from portal.sandbox.wire import Answer, Route

# Longer than any client waits.
HANG_SECONDS = 30


@dataclass(frozen=True)
class Brand:
    """How a vendor is called. `code` stands in addresses: /cashier/<code>/, /control/<code>/."""

    code: str
    name: str
    # One character in the place of the logo.
    mark: str
    platform: str
    # What the vendor calls its own number of a trade.
    number_label: str
    # A class of the page: its colour.
    tone: str = ""


class Phase(StrEnum):
    """Whether a trade can be paid, whatever the vendor calls its states."""

    OPEN = "open"
    PAID = "paid"
    CLOSED = "closed"


@dataclass(frozen=True)
class Trade:
    """One trade as the cashier page and the list show it; times as `2026-06-15 10:00:00` of
    Beijing."""

    number: str
    # Names the cashier page; nobody guesses it.
    token: str
    subject: str
    amount_fen: int
    phase: Phase
    status: str
    channel: str
    payee: str
    gateway_number: str
    created_at: str
    expires_at: str = ""
    # Where the browser goes afterwards; empty when the buyer paid on another device.
    back_url: str = ""


@dataclass(frozen=True)
class Delivery:
    """A notification and how it is sent.

    It is accepted by an answer with one of `statuses` and, if given, exactly `text`; refused
    it is sent again after each of `steps` (seconds of real life). `sealer` names a function
    of the notifier that adds the headers of each single sending: a signature with its time.
    """

    url: str
    body: str
    content_type: str
    steps: Sequence[float]
    statuses: Sequence[int] = (200,)
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    sealer: str = ""


# Returns the headers that go with a body.
Sealer = Callable[[str], Mapping[str, str]]


class Simulator(Protocol):
    """One vendor's gateway.

    Numbers are the merchant's. Whatever takes one raises `KeyError` for an unknown trade.
    """

    brand: Brand
    # What can go wrong with the answers to server calls.
    fault_names: tuple[str, ...]

    @property
    def routes(self) -> list[Route]: ...

    @property
    def faults(self) -> list[str]:
        """What shall go wrong with the next calls, one each."""

    @property
    def requests(self) -> list[tuple[str, str]]:
        """(method or path, number) of every server call so far."""

    @property
    def released(self) -> threading.Event:
        """Set at the end: calls that hang on purpose return."""

    def list_trades(self) -> list[Trade]:
        """Every trade, oldest first."""

    def find_trade(self, token: str) -> Trade | None: ...

    def get_trade(self, number: str) -> Trade: ...

    def show(self, number: str) -> Document:
        """Return everything that is kept of a trade, for tests."""

    def enter(self, number: str) -> None:
        """The buyer has come to the cashier."""

    def pay(self, number: str, *, amount_fen: int | None = None) -> None:
        """Move the money, whatever the state; `amount_fen` in place of what was asked."""

    def fail(self, number: str) -> None:
        """The buyer's payment does not succeed."""

    def make_delivery(
        self,
        number: str,
        *,
        forged: bool = False,
        changes: Mapping[str, object] | None = None,
    ) -> Delivery:
        """Return a notification of the present state.

        `changes` replace fields before signing; a forged one is signed by nobody's key and
        speaks of money that never moved.
        """

    def send_back(self, number: str) -> Answer:
        """Lead the browser back to the merchant. Only with a `back_url`."""
