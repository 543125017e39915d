"""UnionPay's gateway (front pay on desks and phones) over its ACP 5.1.0 protocol.

There is no kept Python client; the pieces are in the `unionpay_…` modules beside this one.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from orders.payments.bill_files import BILL_LIMIT
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
from orders.payments.unionpay_bill import Entry, describe, read_file
from orders.payments.unionpay_client import (
    BACK_PATH,
    FRONT_PATH,
    QUERY_PATH,
    UnionPayClient,
)
from orders.payments.unionpay_keys import MerchantKey, Trust, UntrustedError
from orders.payments.unionpay_wire import (
    CLOCK_MARGIN,
    CURRENCY,
    ZONE,
    format_time,
    parse_form,
    read_amount,
    read_time,
    read_time_near,
)

PAYMENT, REFUND, CANCELLATION = "01", "04", "31"

# Codes of an answer. A6 is a success with a blemish.
DONE = ("00", "A6")
IN_DOUBT = ("03", "04", "05")
# Closed for the moment, busy, asked too often, and an error without a name.
NOT_NOW = ("02", "06", "37", "99")
REPEATED = "12"
NO_SUCH_ORDER = "34"
NO_SUCH_FILE = "98"

# UnionPay's last advised query is two hours after the order.
DOUBT_ENDS_AFTER = timedelta(hours=2)
# A clearing day begins at 23:00 of the day before; its file is made on the next morning.
CLEARING_BEGINS = time(23)
FILE_READY = time(12)

# A certificate of 2 kB and a card number have no place in our records.
_NOT_KEPT = ("signature", "signPubKeyCert", "accNo")


class UnionPayGateway:
    """One merchant of UnionPay's."""

    code = "unionpay"

    def __init__(self, client: UnionPayClient, *, restart_within: timedelta) -> None:
        self._client = client
        self.seller = client.merchant_id
        self.restart_within: timedelta | None = restart_within
        parts = urlsplit(client.url)
        self.browser_sources: tuple[str, ...] = (f"{parts.scheme}://{parts.netloc}",)
        if parts.hostname and parts.hostname.endswith(".95516.com"):
            # The gateway sends the browser on to the cashier's own host.
            self.browser_sources = ("https://*.95516.com",)

    def start(
        self,
        charge: Charge,
        channel: Channel,
        callbacks: Callbacks,
        payer: Payer = UNKNOWN_PAYER,
    ) -> Start:
        fields = self._client.sign(
            {
                "txnType": PAYMENT,
                "txnSubType": "01",
                "bizType": "000201",
                "channelType": "07" if channel is Channel.DESK else "08",
                "orderId": charge.number,
                "txnTime": format_time(charge.created_at),
                "txnAmt": str(charge.amount_fen),
                "currencyCode": CURRENCY,
                "frontUrl": callbacks.return_url,
                "backUrl": callbacks.notify_url,
                "payTimeout": format_time(charge.expires_at),
            }
        )
        return Start(
            Start.Kind.FORM,
            self._client.url + FRONT_PATH,
            fields,
            form_sources=self.browser_sources,
        )

    def parse_notification(self, inbound: Inbound) -> Report:
        try:
            fields = parse_form(inbound.body)
            self._client.check(fields)
        except ValueError as error:
            raise NotifyRejected("unreadable form") from error
        except UntrustedError as error:
            raise NotifyRejected(str(error)) from error
        number = fields.get("orderId", "")
        if not number:
            raise NotifyRejected("not about an order")
        is_done = fields.get("respCode") in DONE
        kind = fields.get("txnType")
        if kind in (REFUND, CANCELLATION):
            # Its payment is named by UnionPay's own number only.
            return self._report(
                "",
                State.REFUNDED if is_done else State.UNKNOWN,
                fields,
                gateway_number=fields.get("origQryId", ""),
                refund_number=number,
                refund_sent_at=read_time(fields.get("txnTime", "")),
                needs_query=True,
            )
        is_payment = kind == PAYMENT and is_done
        return self._report(
            number,
            State.PAID if is_payment else State.UNKNOWN,
            fields,
            gateway_number=fields.get("queryId", ""),
            # 「对涉及资金类的交易，请再发起查询接口查询，确定交易成功后更新数据库」
            needs_query=True,
        )

    def acknowledge(self, *, accepted: bool) -> Acknowledgement:
        # The status alone counts; anything but 200 is sent again, five times in all.
        if accepted:
            return Acknowledgement(200, "text/plain", b"ok")
        return Acknowledgement(400, "text/plain", b"fail")

    def read_return(self, parameters: Mapping[str, str]) -> str:
        return parameters.get("orderId", "")

    def query(self, charge: Charge) -> Report:
        answer = self._query(charge.number, charge.created_at)
        if answer["respCode"] == NO_SUCH_ORDER:
            return Report(charge.number, State.NOT_FOUND, raw=_keep(answer))
        return self._report(
            charge.number,
            self._read_state(answer.get("origRespCode", ""), charge),
            answer,
            gateway_number=answer.get("queryId", ""),
        )

    def close(self, charge: Charge) -> State:
        """UnionPay knows no closing: `payTimeout`, the attempt's expiry, ends the order.

        Until then it can be paid and nothing may be taken for closed.
        """
        if not self._is_over(charge):
            return State.UNKNOWN
        state = self.query(charge).state
        return state if state in (State.CLOSED, State.NOT_FOUND) else State.UNKNOWN

    def refund(self, charge: Charge, back: Return, notify_url: str) -> State:
        payment_number = charge.gateway_number or self.query(charge).gateway_number
        answer = self._client.call(
            BACK_PATH,
            {
                "txnType": REFUND,
                "txnSubType": "00",
                "bizType": "000201",
                "channelType": "07",
                "orderId": back.number,
                # The same at every retry: number and time together name the refund.
                "txnTime": format_time(back.created_at),
                "origQryId": payment_number,
                "txnAmt": str(back.amount_fen),
                "currencyCode": CURRENCY,
                "backUrl": notify_url,
            },
        )
        code = answer.get("respCode", "")
        # 00 says that it was accepted, not that it was done.
        if code in DONE or code in IN_DOUBT or code == REPEATED:
            return State.UNKNOWN
        if not code or code in NOT_NOW:
            raise GatewayUnavailable(_describe(answer))
        raise GatewayRefused(code, answer.get("respMsg", ""))

    def query_refund(self, charge: Charge, back: Return) -> State:
        answer = self._query(back.number, back.created_at)
        if answer["respCode"] == NO_SUCH_ORDER:
            return State.NOT_FOUND
        if read_amount(answer.get("txnAmt", "")) != back.amount_fen:
            raise GatewayUnavailable("the answer is about another refund")
        code = answer.get("origRespCode", "")
        if code in DONE:
            return State.REFUNDED
        return State.UNKNOWN if not code or code in IN_DOUBT else State.CLOSED

    def read_bill(self, day: date) -> list[BillLine]:
        """The entries of a calendar day lie in the files of two clearing days, so it takes a
        day longer than elsewhere until they can be had."""
        entries = [
            *self._read_file(day),
            *self._read_file(day + timedelta(days=1)),
        ]
        numbers = {entry.query_id: entry.number for entry in entries}
        lines = describe(
            [entry for entry in entries if entry.at.date() == day],
            lambda query_id: numbers.get(query_id) or self._find_number(query_id),
        )
        return list(lines)

    def _read_file(self, clearing_day: date) -> list[Entry]:
        ends_at = datetime.combine(clearing_day, CLEARING_BEGINS, ZONE)
        if self._client.clock() < ends_at:
            raise GatewayUnavailable("the bill is not made yet")
        answer = self._client.fetch_file(
            {
                "txnType": "76",
                "txnSubType": "01",
                "bizType": "000000",
                "fileType": "00",
                "settleDate": f"{clearing_day:%m%d}",
                "txnTime": format_time(self._client.clock()),
            },
            2 * BILL_LIMIT,
        )
        code = answer.get("respCode", "")
        if code == NO_SUCH_FILE and self._is_file_due(clearing_day):
            # A day without business has no file.
            return []
        if code not in DONE:
            raise GatewayUnavailable(_describe(answer))
        try:
            noon = datetime.combine(clearing_day, time(12), ZONE)
            return read_file(answer.get("fileContent", ""), self.seller, near=noon)
        except ValueError as error:
            raise GatewayUnavailable(f"bill: {error}"[:200]) from error

    def _is_file_due(self, clearing_day: date) -> bool:
        due = datetime.combine(clearing_day + timedelta(days=1), FILE_READY, ZONE)
        return self._client.clock() >= due

    def _find_number(self, query_id: str) -> str:
        """Return our number of an older payment by UnionPay's; empty if it has none."""
        answer = self._client.call(
            QUERY_PATH,
            {
                "txnType": "00",
                "txnSubType": "00",
                "bizType": "000000",
                "queryId": query_id,
                "txnTime": format_time(self._client.clock()),
            },
        )
        code = answer.get("respCode", "")
        if code == NO_SUCH_ORDER:
            return ""
        if code not in DONE or answer.get("queryId") != query_id:
            raise GatewayUnavailable(_describe(answer))
        return answer.get("orderId", "")

    def _query(self, number: str, sent_at: datetime) -> dict[str, str]:
        """Return what UnionPay says about an order, found (00) or not known there (34)."""
        answer = self._client.call(
            QUERY_PATH,
            {
                "txnType": "00",
                "txnSubType": "00",
                "bizType": "000000",
                "orderId": number,
                "txnTime": format_time(sent_at),
            },
        )
        if answer.get("respCode") not in (*DONE, NO_SUCH_ORDER):
            raise GatewayUnavailable(_describe(answer))
        named = (answer.get("orderId"), answer.get("txnTime"))
        if named != (number, format_time(sent_at)):
            raise GatewayUnavailable("the answer is about another order")
        return answer

    def _read_state(self, code: str, charge: Charge) -> State:
        if code in DONE:
            return State.PAID
        if not code or code in IN_DOUBT:
            doubt_ends = charge.expires_at + DOUBT_ENDS_AFTER
            is_late = self._client.clock() > doubt_ends
            return State.CLOSED if is_late and code else State.UNKNOWN
        # A card was refused; until `payTimeout` the buyer may try another.
        return State.CLOSED if self._is_over(charge) else State.UNPAID

    def _is_over(self, charge: Charge) -> bool:
        return self._client.clock() > charge.expires_at + CLOCK_MARGIN

    def _report(
        self,
        number: str,
        state: State,
        fields: Mapping[str, str],
        *,
        gateway_number: str,
        refund_number: str = "",
        refund_sent_at: datetime | None = None,
        needs_query: bool = False,
    ) -> Report:
        currency = fields.get("currencyCode", "")
        return Report(
            attempt_number=number,
            state=state,
            amount_fen=read_amount(fields.get("txnAmt", "")),
            currency="CNY" if currency == CURRENCY else currency,
            seller=fields["merId"],
            gateway_number=gateway_number,
            paid_at=_read_paid_at(fields),
            event_id=fields.get("queryId", ""),
            refund_number=refund_number,
            refund_sent_at=refund_sent_at,
            needs_query=needs_query,
            raw=_keep(fields),
        )


def _read_paid_at(fields: Mapping[str, str]) -> datetime | None:
    """The time of the payment has no year; the order's own time has."""
    ordered_at = read_time(fields.get("txnTime", ""))
    if ordered_at is None:
        return None
    return read_time_near(fields.get("traceTime", ""), ordered_at)


def _keep(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: fields[name] for name in fields if name not in _NOT_KEPT}


def _describe(answer: Mapping[str, str]) -> str:
    return f"{answer.get('respCode', '')} {answer.get('respMsg', '')}".strip()[:200]


def build_client(config: Mapping[str, Any]) -> UnionPayClient:
    """Return the client of `settings.UNIONPAY`. Raises `OSError` and `ValueError`."""
    key = MerchantKey.load(
        Path(config["merchant_key_file"]).read_bytes(), config["merchant_key_password"]
    )
    trust = Trust(
        Path(config["root_certificate_file"]).read_bytes(),
        Path(config["middle_certificate_file"]).read_bytes(),
        accepts_test_signer=config["accepts_test_signer"],
    )
    return UnionPayClient(
        merchant_id=config["merchant_id"],
        key=key,
        trust=trust,
        url=config["gateway"].rstrip("/"),
        file_url=config["file_url"],
        timeout_seconds=config["timeout_seconds"],
        clock=lambda: datetime.now(UTC),
    )


def build_gateway() -> UnionPayGateway:
    """Return the gateway that `settings.UNIONPAY` describes.

    Raises `GatewayUnavailable` without a merchant or when a key file cannot be read.
    """
    config = settings.UNIONPAY
    if not config["merchant_id"]:
        raise GatewayUnavailable("no merchant is configured for UnionPay")
    try:
        client = build_client(config)
    except (OSError, ValueError) as error:
        raise GatewayUnavailable("keys of UnionPay cannot be read") from error
    return UnionPayGateway(
        client, restart_within=timedelta(minutes=config["restart_minutes"])
    )
