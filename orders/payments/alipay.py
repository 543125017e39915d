"""Alipay (page pay on a desk, wap pay on a phone) over python-alipay-sdk.

Field facts: Javadoc of Alipay's official Java SDK (AlipayTradePagePayModel and its like).
"""

import csv
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from http.client import HTTPException
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from alipay import AliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from django.conf import settings

from orders.payments.alipay_bill import fetch, read_bill
from orders.payments.alipay_sdk import ALIPAY_ZONE, TIME_FORMAT, build_sdk
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
from portal.lib.money import format_yuan, parse_yuan

TRADE_STATES = {
    "WAIT_BUYER_PAY": State.UNPAID,
    "TRADE_SUCCESS": State.PAID,
    # Paid as well, but no longer refundable.
    "TRADE_FINISHED": State.PAID,
    "TRADE_CLOSED": State.CLOSED,
}

REFUND_STATES = {
    "REFUND_SUCCESS": State.REFUNDED,
    "REFUND_FAIL": State.CLOSED,
}
# Asked sooner, Alipay may not know yet of a refund that it will make (vendor).
REFUND_QUERY_AFTER = timedelta(seconds=10)
# Bills are made in the morning of the next day.
BILL_DUE, ONE_DAY = time(12), timedelta(days=1)

# All of these mean "unknown, ask later": timeouts and refused connections (OSError), HTML or
# cut-off answers (ValueError, HTTPException), unsigned or wrongly signed answers, and an
# answer without any known key, on which the SDK itself trips (AttributeError).
_DOUBTS = (
    OSError,
    ValueError,
    HTTPException,
    AliPayException,
    AliPayValidationError,
    AttributeError,
)

# `subject` may not hold / = & (vendor); braces are left out of whatever is signed.
_SUBJECT_STOPS = str.maketrans(dict.fromkeys('/=&{}"\\', " "))


def clean_subject(title: str) -> str:
    """Return a title that Alipay accepts as `subject`: no / = &, at most 256 characters."""
    return " ".join(title.translate(_SUBJECT_STOPS).split())[:256]


def _format_time(moment: datetime) -> str:
    return moment.astimezone(ALIPAY_ZONE).strftime(TIME_FORMAT)


def _read_time(text: str | None) -> datetime | None:
    try:
        moment = datetime.strptime(text or "", TIME_FORMAT)  # noqa: DTZ007
    except ValueError:
        return None
    return moment.replace(tzinfo=ALIPAY_ZONE)


def _read_amount(text: str | None) -> int | None:
    try:
        return parse_yuan(text or "")
    except ValueError:
        return None


class AlipayGateway:
    """One merchant application at Alipay."""

    code = "alipay"
    restart_within = None

    def __init__(
        self,
        sdk: AliPay,
        *,
        app_id: str,
        seller_id: str,
        url: str,
        timeout_seconds: float = 8,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        sdk._gateway = url
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._sdk = sdk
        self._url = url
        self._app_id = app_id
        self.seller = seller_id
        parts = urlsplit(url)
        self.browser_sources: tuple[str, ...] = (f"{parts.scheme}://{parts.netloc}",)
        if parts.hostname and parts.hostname.endswith(".alipay.com"):
            # The gateway redirects on to the cashier's own host.
            self.browser_sources = ("https://*.alipay.com",)

    def start(
        self,
        charge: Charge,
        channel: Channel,
        callbacks: Callbacks,
        payer: Payer = UNKNOWN_PAYER,
    ) -> Start:
        order = {
            "subject": clean_subject(charge.title),
            "out_trade_no": charge.number,
            "total_amount": format_yuan(charge.amount_fen),
            "time_expire": _format_time(charge.expires_at),
            "return_url": callbacks.return_url,
            "notify_url": callbacks.notify_url,
        }
        if channel is not Channel.DESK:
            query = self._sdk.api_alipay_trade_wap_pay(
                quit_url=callbacks.return_url, **order
            )
        else:
            query = self._sdk.api_alipay_trade_page_pay(**order)
        return Start(Start.Kind.REDIRECT, f"{self._url}?{query}")

    def parse_notification(self, inbound: Inbound) -> Report:
        message = self._verify(inbound.body)
        if message.get("app_id") != self._app_id:
            raise NotifyRejected("app_id is not ours")
        if message.get("seller_id") != self.seller:
            raise NotifyRejected("seller_id is not ours")
        # A refund comes as one more TRADE_SUCCESS (partial) or as TRADE_CLOSED (full).
        is_refund = "refund_fee" in message or "gmt_refund" in message
        refund_number = message.get("out_biz_no", "") or message["out_trade_no"]
        return Report(
            attempt_number=message["out_trade_no"],
            state=(
                State.REFUNDED
                if is_refund
                else TRADE_STATES.get(message.get("trade_status", ""), State.UNKNOWN)
            ),
            # `refund_fee` is the sum of all refunds so far, not this one.
            amount_fen=None if is_refund else _read_amount(message.get("total_amount")),
            seller=message["seller_id"],
            gateway_number=message.get("trade_no", ""),
            paid_at=_read_time(message.get("gmt_payment")),
            event_id=message.get("notify_id", ""),
            refund_number=refund_number if is_refund else "",
            raw=message,
        )

    def acknowledge(self, *, accepted: bool) -> Acknowledgement:
        # Exactly seven bytes; anything else is sent again eight times within 25 hours.
        body = b"success" if accepted else b"failure"
        return Acknowledgement(200, "text/plain", body)

    def read_return(self, parameters: Mapping[str, str]) -> str:
        return parameters.get("out_trade_no", "")

    def query(self, charge: Charge) -> Report:
        answer = self._ask("alipay.trade.query", out_trade_no=charge.number)
        if answer["code"] != "10000":
            if answer.get("sub_code") == "ACQ.TRADE_NOT_EXIST":
                return Report(charge.number, State.NOT_FOUND, raw=answer)
            raise GatewayUnavailable(_describe(answer))
        if answer.get("out_trade_no") != charge.number:
            raise GatewayUnavailable("the answer is about another attempt")
        return Report(
            attempt_number=charge.number,
            state=TRADE_STATES.get(answer.get("trade_status", ""), State.UNKNOWN),
            amount_fen=_read_amount(answer.get("total_amount")),
            gateway_number=answer.get("trade_no", ""),
            paid_at=_read_time(answer.get("send_pay_date")),
            raw=answer,
        )

    def close(self, charge: Charge) -> State:
        answer = self._ask("alipay.trade.close", out_trade_no=charge.number)
        if answer["code"] == "10000":
            return State.CLOSED
        if answer.get("sub_code") == "ACQ.TRADE_NOT_EXIST":
            return State.NOT_FOUND
        return State.UNKNOWN

    def refund(self, charge: Charge, back: Return, notify_url: str) -> State:
        answer = self._ask(
            "alipay.trade.refund",
            out_trade_no=charge.number,
            out_request_no=back.number,
            refund_amount=format_yuan(back.amount_fen),
        )
        if answer["code"] != "10000":
            raise GatewayRefused(answer.get("sub_code", ""), answer.get("sub_msg", ""))
        # fund_change=N: a repeated request, or one still being worked on.
        return State.REFUNDED if answer.get("fund_change") == "Y" else State.UNKNOWN

    def query_refund(self, charge: Charge, back: Return) -> State:
        """Alipay does not tell a refund that failed from one it never got: both are asked for
        again under the same number, which pays once."""
        answer = self._ask(
            "alipay.trade.fastpay.refund.query",
            out_trade_no=charge.number,
            out_request_no=back.number,
        )
        status = answer.get("refund_status", "")
        if answer["code"] != "10000":
            if answer.get("sub_code") == "ACQ.TRADE_NOT_EXIST":
                return State.NOT_FOUND
            raise GatewayUnavailable(_describe(answer))
        if not status:
            is_fresh = self._clock() - back.created_at < REFUND_QUERY_AFTER
            return State.UNKNOWN if is_fresh else State.NOT_FOUND
        if answer.get("out_request_no") != back.number or (
            _read_amount(answer.get("refund_amount")) != back.amount_fen
        ):
            raise GatewayUnavailable("the answer is about another refund")
        return REFUND_STATES.get(status, State.UNKNOWN)

    def read_bill(self, day: date) -> list[BillLine]:
        answer = self._call(
            "alipay.data.dataservice.bill.downloadurl.query",
            bill_type="trade",
            bill_date=f"{day:%Y-%m-%d}",
        )
        if answer.get("sub_code", "").lower().endswith("bill_not_exist"):
            if self._clock() < datetime.combine(day, BILL_DUE, ALIPAY_ZONE) + ONE_DAY:
                raise GatewayUnavailable("the bill is not made yet")
            # A day without business has no bill.
            return []
        if answer.get("code") != "10000":
            raise GatewayUnavailable(_describe(answer))
        try:
            content = fetch(
                answer.get("bill_download_url", ""),
                gateway=self._url,
                timeout_seconds=self._timeout_seconds,
            )
            return read_bill(content, self.seller)
        except (OSError, ValueError, csv.Error) as error:
            raise GatewayUnavailable(f"bill: {error}"[:200]) from error

    def _verify(self, body: bytes) -> dict[str, str]:
        """Return the fields of a notification without its signature."""
        try:
            fields = dict(
                parse_qsl(
                    body.decode(),
                    keep_blank_values=True,
                    strict_parsing=True,
                    max_num_fields=100,
                )
            )
        except ValueError as error:
            raise NotifyRejected("unreadable form") from error
        sign = fields.pop("sign", "")
        # The SDK takes a missing sign_type for RSA2.
        if fields.get("sign_type") != "RSA2":
            raise NotifyRejected("sign_type is not RSA2")
        try:
            # The SDK removes sign_type from what it is given.
            genuine = self._sdk.verify(dict(fields), sign)
        except Exception as error:
            # Broken base64 and whatever else: a genuine message raises nothing.
            raise NotifyRejected("unreadable signature") from error
        if not genuine:
            raise NotifyRejected("wrong signature")
        if not fields.get("out_trade_no"):
            raise NotifyRejected("not about a payment")
        return fields

    def _call(self, method: str, **business: str) -> dict[str, Any]:
        """Return a verified answer, whatever it says."""
        try:
            answer: dict[str, Any] = self._sdk.server_api(method, business)
        except _DOUBTS as error:
            raise GatewayUnavailable(f"{method}: {type(error).__name__}") from error
        return answer

    def _ask(self, method: str, **business: str) -> dict[str, Any]:
        """Return a verified answer: done (10000) or a definite business refusal (40004)."""
        answer = self._call(method, **business)
        refused = answer.get("code") == "40004"
        if answer.get("sub_code") == "ACQ.SYSTEM_ERROR":
            refused = False
        if answer.get("code") != "10000" and not refused:
            raise GatewayUnavailable(f"{method}: {_describe(answer)}")
        return answer


def _describe(answer: Mapping[str, Any]) -> str:
    return f"{answer.get('code')} {answer.get('sub_code', '')}".strip()


def build_gateway() -> AlipayGateway:
    """Return the gateway that `settings.ALIPAY` describes.

    Raises `GatewayUnavailable` without a merchant or when a key file cannot be read.
    """
    config = settings.ALIPAY
    if not (config["app_id"] and config["seller_id"]):
        raise GatewayUnavailable("no merchant is configured for Alipay")
    try:
        sdk = build_sdk(config)
    except (OSError, ValueError) as error:
        raise GatewayUnavailable("keys of Alipay cannot be read") from error
    return AlipayGateway(
        sdk,
        app_id=config["app_id"],
        seller_id=config["seller_id"],
        url=config["gateway"],
        timeout_seconds=config["timeout_seconds"],
    )
