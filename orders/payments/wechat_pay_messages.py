"""What WeChat Pay says, by notification and by answer, read into reports."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from wechatpayv3 import WeChatPay

from orders.payments.protocol import Inbound, NotifyRejected, Report, State
from orders.payments.wechat_pay_client import is_known_serial

# Tencent's own SDK allows no more; a copied notification is worthless after it.
NOTIFY_TOLERANCE = timedelta(minutes=5)
# What our rows hold; WeChat's own numbers end at 32.
NUMBER_LENGTH = 64

TRADE_STATES = {
    "NOTPAY": State.UNPAID,
    "SUCCESS": State.PAID,
    # Money has gone back, in part or in full.
    "REFUND": State.REFUNDED,
    "CLOSED": State.CLOSED,
    "REVOKED": State.CLOSED,
    "PAYERROR": State.UNPAID,
    # A password is being typed: neither unpaid nor safe to close.
    "USERPAYING": State.UNKNOWN,
}
REFUND_STATES = {
    "SUCCESS": State.REFUNDED,
    "CLOSED": State.CLOSED,
    "PROCESSING": State.UNKNOWN,
    # The bank did not take it back; staff send it elsewhere in WeChat's console.
    "ABNORMAL": State.STUCK,
}
_SIGNED_HEADERS = (
    "wechatpay-serial",
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-signature",
    "wechatpay-signature-type",
)

Document = dict[str, Any]


def read_notification(
    client: WeChatPay,
    inbound: Inbound,
    *,
    app_id: str,
    merchant_id: str,
    now: datetime,
) -> Report:
    """Check cryptography, time and identity of a notification and return what it says.

    Raises `NotifyRejected`.
    """
    message = _open(client, inbound, now)
    event, resource = message["event_type"], message["resource"]
    if resource.get("mchid") != merchant_id:
        raise NotifyRejected("mchid is not ours")
    number = resource.get("out_trade_no")
    if not isinstance(number, str) or not 1 <= len(number) <= NUMBER_LENGTH:
        raise NotifyRejected("not about a payment")
    if event.startswith("REFUND."):
        return _read_refund_note(resource, message["id"])
    if not event.startswith("TRANSACTION."):
        raise NotifyRejected("not about a payment")
    if resource.get("appid") != app_id:
        raise NotifyRejected("appid is not ours")
    return read_trade(resource, event_id=message["id"])


def _open(client: WeChatPay, inbound: Inbound, now: datetime) -> Document:
    """Return a verified notification with its `resource` opened."""
    headers = {name: inbound.headers.get(name, "") for name in _SIGNED_HEADERS}
    # Before the SDK is asked: a serial unknown to it makes it call WeChat, once for each
    # forged post.
    if not is_known_serial(client, headers["wechatpay-serial"], now):
        raise NotifyRejected("unknown serial")
    # The SDK does not look at the time: what was copied once would pass for ever.
    if not _is_recent(headers["wechatpay-timestamp"], now):
        raise NotifyRejected("timestamp is not of now")
    try:
        message = client.callback(headers, inbound.body)
    except Exception as error:
        # Missing headers, broken base64 and whatever else: a genuine message raises nothing.
        raise NotifyRejected("unreadable message") from error
    # None: a wrong signature, WeChat's own probe with one, or another APIv3 key.
    if message is None:
        raise NotifyRejected("wrong signature")
    if not isinstance(message.get("resource"), dict) or not all(
        isinstance(message.get(name), str) for name in ("id", "event_type")
    ):
        raise NotifyRejected("unreadable message")
    opened: Document = message
    return opened


def _is_recent(text: str, now: datetime) -> bool:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        return False
    return abs(now.timestamp() - int(text)) <= NOTIFY_TOLERANCE.total_seconds()


def read_trade(trade: Document, *, event_id: str = "") -> Report:
    """Return what a trade's document says; the caller has checked whose it is."""
    amount_fen, currency = read_amount(trade, "total")
    return Report(
        attempt_number=trade["out_trade_no"],
        state=TRADE_STATES.get(str(trade.get("trade_state")), State.UNKNOWN),
        amount_fen=amount_fen,
        currency=currency,
        seller=str(trade.get("mchid", "")),
        gateway_number=str(trade.get("transaction_id", "")),
        paid_at=_read_time(trade.get("success_time")),
        event_id=event_id,
        # Who paid is nobody's business here.
        raw={name: value for name, value in trade.items() if name != "payer"},
    )


def _read_refund_note(resource: Document, event_id: str) -> Report:
    amount_fen, currency = read_amount(resource, "refund")
    return Report(
        attempt_number=resource["out_trade_no"],
        state=REFUND_STATES.get(str(resource.get("refund_status")), State.UNKNOWN),
        amount_fen=amount_fen,
        currency=currency,
        seller=str(resource["mchid"]),
        gateway_number=str(resource.get("transaction_id", "")),
        event_id=event_id,
        # Never empty: it is what keeps the note from being read as a payment.
        refund_number=str(resource.get("out_refund_no") or resource["out_trade_no"]),
        raw=resource,
    )


def read_error(answer: Document) -> tuple[str, str]:
    """Return code and words of a refusal, empty for any other answer."""
    return str(answer.get("code", "")), str(answer.get("message", ""))


def _read_time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def read_amount(document: Mapping[str, Any], name: str) -> tuple[int | None, str]:
    """Return an amount in fen, None if it is none, and its currency."""
    amount = document.get("amount")
    if not isinstance(amount, Mapping):
        return None, ""
    fen = amount.get(name)
    # A boolean is an int to Python.
    readable = type(fen) is int and fen >= 0
    return (fen if readable else None), str(amount.get("currency", "CNY"))
