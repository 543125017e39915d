"""What every payment gateway offers: it reports, it never decides.

Nothing here knows the ORM, a request or a page. `orders.services.settlement` alone turns a
`Report` into a change of state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class NotifyRejected(Exception):  # noqa: N818 - the protocol's own word for a refusal
    """A message that cannot be believed: bad signature or not for us. Change nothing."""


class GatewayUnavailable(Exception):  # noqa: N818 - a state of the gateway, not a fault of ours
    """The outcome is unknown (timeout, 5xx, unreadable, unverifiable): ask again later."""


class GatewayRefused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """The gateway has understood and said no; asking again changes nothing.

    `code` is the vendor's own error code.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code} {message}".strip())
        self.code = code


class State(StrEnum):
    """What a gateway says about one attempt."""

    NOT_FOUND = "not_found"
    UNPAID = "unpaid"
    PAID = "paid"
    CLOSED = "closed"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"


class Channel(StrEnum):
    """Where the buyer sits: gateways have one page for desks and one for phones."""

    DESK = "desk"
    PHONE = "phone"


@dataclass(frozen=True)
class Charge:
    """What a gateway needs to know of one attempt to pay.

    `number` names the attempt, never the order: a changed amount or gateway is a new number.
    """

    number: str
    amount_fen: int
    title: str
    created_at: datetime
    expires_at: datetime
    gateway_number: str = ""


@dataclass(frozen=True)
class Callbacks:
    """Absolute addresses without a query string: some gateways would sign it wrongly."""

    notify_url: str
    return_url: str


@dataclass(frozen=True)
class Start:
    """How the browser gets to the cashier: go to `url`, or post `fields` to it."""

    kind: str
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inbound:
    """A notification as it arrived; `headers` have lower-case names."""

    headers: Mapping[str, str]
    body: bytes
    content_type: str = ""


@dataclass(frozen=True)
class Report:
    """What a gateway says about one attempt, by notification, query or bill.

    `amount_fen` is None when the gateway named no readable amount. `seller` is the merchant
    that was paid, empty when the message does not name one. `paid_at` is the gateway's own
    time of the payment. `refund_number` marks a message about a refund, which must never be
    read as a payment. `raw` holds no secrets.
    """

    attempt_number: str
    state: State
    amount_fen: int | None = None
    currency: str = "CNY"
    seller: str = ""
    gateway_number: str = ""
    paid_at: datetime | None = None
    event_id: str = ""
    refund_number: str = ""
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Acknowledgement:
    """The exact answer to a notification that the vendor wants to see."""

    status: int
    content_type: str
    body: bytes


class PaymentGateway(Protocol):
    """One gateway. Calls that leave the house have a timeout and raise
    `GatewayUnavailable` whenever the outcome is in doubt."""

    code: str
    seller: str
    # Sources for the `form-action` of a page whose button leads to the cashier.
    browser_sources: tuple[str, ...]

    def start(self, charge: Charge, channel: Channel, callbacks: Callbacks) -> Start:
        """Return the way to the cashier. No money moves and nothing is promised yet."""

    def parse_notification(self, inbound: Inbound) -> Report:
        """Check cryptography and identity of a message and return what it says.

        Raises `NotifyRejected`.
        """

    def acknowledge(self, *, accepted: bool) -> Acknowledgement:
        """Return the answer to a notification."""

    def read_return(self, parameters: Mapping[str, str]) -> str:
        """Return the attempt number a returning browser names; unverified, maybe empty."""

    def query(self, charge: Charge) -> Report:
        """Ask for the state of an attempt. Raises `GatewayUnavailable`."""

    def close(self, charge: Charge) -> State:
        """End an unpaid attempt at the gateway.

        CLOSED or NOT_FOUND are final; UNKNOWN means that its state has changed meanwhile
        and must be queried. Raises `GatewayUnavailable`.
        """

    def refund(self, charge: Charge, refund_number: str, amount_fen: int) -> State:
        """Give money back; the same `refund_number` never pays twice.

        UNKNOWN means accepted or in doubt: `query_refund` tells. Raises
        `GatewayUnavailable` and `GatewayRefused`.
        """

    def query_refund(self, charge: Charge, refund_number: str) -> State:
        """Return REFUNDED, or UNKNOWN while nothing is certain. Raises `GatewayUnavailable`."""
