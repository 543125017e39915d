"""What every payment gateway offers: it reports, it never decides.

Nothing here knows the ORM, a request or a page. `orders.services.settlement` alone turns a
`Report` into a change of state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
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


class NumberUsedUp(GatewayRefused):
    """Nothing more can be started under this number: it is paid, closed, or was used in
    another way. Its attempt has to be ended before a new one is made."""


class PayerUnknown(GatewayRefused):
    """The gateway charges a person it knows by an openid, and none was given."""


class State(StrEnum):
    """What a gateway says about one attempt."""

    NOT_FOUND = "not_found"
    UNPAID = "unpaid"
    PAID = "paid"
    CLOSED = "closed"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"
    # Of a refund: the vendor holds the money, the bank does not take it. Somebody finishes it
    # in the vendor's console, under the same number; another number would pay twice.
    STUCK = "stuck"


class Channel(StrEnum):
    """Where the buyer sits: gateways have a page for desks and one for phones."""

    DESK = "desk"
    PHONE = "phone"
    # WeChat's own browser: its gateway pays inside the page, by the payer's openid.
    WECHAT = "wechat"


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
class Payer:
    """What a gateway may ask of whoever pays; empty when not known.

    `openid` names the person to WeChat's service account. `address` is the network address
    the browser comes from.
    """

    openid: str = ""
    address: str = ""


UNKNOWN_PAYER = Payer()


@dataclass(frozen=True)
class Return:
    """Money to go back. `number` is ours and stays the same over every retry.

    `created_at` is sent along by gateways that tell repetitions apart by it.
    """

    number: str
    amount_fen: int
    created_at: datetime
    gateway_number: str = ""


@dataclass(frozen=True)
class Callbacks:
    """Absolute addresses without a query string: some gateways would sign it wrongly."""

    notify_url: str
    return_url: str


@dataclass(frozen=True)
class Start:
    """How the buyer gets to the cashier.

    `form_sources` are the addresses that a form may lead to, redirects included.
    """

    class Kind(StrEnum):
        """`redirect`: go to `url`. `form`: post `fields` to `url`. `qr`: show `url` as a QR
        code to be scanned. `jsapi`: hand `fields` to WeChat's bridge inside the page."""

        REDIRECT = "redirect"
        FORM = "form"
        QR = "qr"
        JSAPI = "jsapi"

    kind: Kind
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)
    form_sources: tuple[str, ...] = ()


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
    read as a payment, and `refund_sent_at` the time that names it together with its number
    where a gateway wants both. Its payment may be named by `gateway_number` alone.
    `needs_query` says that the vendor wants this confirmed by a query before anybody acts
    on it. `raw` holds no secrets.
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
    refund_sent_at: datetime | None = None
    needs_query: bool = False
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BillLine:
    """One entry of a gateway's daily bill: money that came, or money that went back.

    `amount_fen` is never negative. `gateway_number` names the payment, for a refund too.
    `refund_number` is empty for a payment. `at` is the gateway's own time.
    """

    attempt_number: str
    amount_fen: int
    gateway_number: str = ""
    refund_number: str = ""
    at: datetime | None = None


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
    # How long after its creation an attempt may be started once more; None: until it expires.
    restart_within: timedelta | None

    def start(
        self,
        charge: Charge,
        channel: Channel,
        callbacks: Callbacks,
        payer: Payer = UNKNOWN_PAYER,
    ) -> Start:
        """Return the way to the cashier. No money moves and nothing is promised yet.

        Raises `GatewayUnavailable`, `NumberUsedUp`, `PayerUnknown`, and `GatewayRefused`
        for what asking again cannot mend.
        """

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

    def refund(self, charge: Charge, back: Return, notify_url: str) -> State:
        """Give money back; the same number never pays twice.

        UNKNOWN means accepted or in doubt: `query_refund` tells. Raises
        `GatewayUnavailable` and `GatewayRefused`.
        """

    def query_refund(self, charge: Charge, back: Return) -> State:
        """Return REFUNDED, NOT_FOUND when the gateway has never heard of it, CLOSED when it
        has failed for good, STUCK, or UNKNOWN while nothing is certain. Raises
        `GatewayUnavailable`."""

    def read_bill(self, day: date) -> Iterable[BillLine]:
        """Return the entries of a day by the gateway's calendar, which is Beijing's.

        An empty bill is a day without business. Raises `GatewayUnavailable` while the bill
        is not made yet or cannot be read to its end.
        """
