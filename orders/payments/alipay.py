"""Alipay (page pay on a desk, wap pay on a phone) over python-alipay-sdk.

Field facts: Javadoc of Alipay's official Java SDK (AlipayTradePagePayModel and its like).
"""

import json
from collections.abc import Mapping
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from alipay import AliPay, DCAliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from alipay.utils import AliPayConfig
from django.conf import settings

from orders.payments.protocol import (
    Acknowledgement,
    Callbacks,
    Channel,
    Charge,
    GatewayRefused,
    GatewayUnavailable,
    Inbound,
    NotifyRejected,
    Report,
    Start,
    State,
)
from portal.lib.money import format_yuan, parse_yuan

# Alipay's clock, whatever TIME_ZONE the portal runs under.
ALIPAY_ZONE = ZoneInfo("Asia/Shanghai")
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"

TRADE_STATES = {
    "WAIT_BUYER_PAY": State.UNPAID,
    "TRADE_SUCCESS": State.PAID,
    # Paid as well, but no longer refundable.
    "TRADE_FINISHED": State.PAID,
    "TRADE_CLOSED": State.CLOSED,
}

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


class _Corrections:
    """What the SDK gets wrong, mixed in before its key-mode and certificate-mode clients."""

    def build_body(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # The SDK stamps the machine's naive local time.
        body: dict[str, Any] = super().build_body(*args, **kwargs)  # type: ignore[misc]
        body["timestamp"] = datetime.now(ALIPAY_ZONE).strftime(TIME_FORMAT)
        return body

    def _get_string_to_be_signed(self, raw_string: str, response_type: str) -> str:
        # The SDK counts braces, those inside a text value too; let the JSON reader find
        # the end of the object instead.
        start = raw_string.index("{", raw_string.index(f'"{response_type}"'))
        _, end = json.JSONDecoder().raw_decode(raw_string, start)
        return raw_string[start:end]


class _KeyClient(_Corrections, AliPay):  # type: ignore[misc]
    """Key mode: a bare RSA public key of Alipay's."""


class _CertificateClient(_Corrections, DCAliPay):  # type: ignore[misc]
    """Certificate mode: three certificates, their serial numbers in every request."""


def armour(key: str, label: str) -> str:
    """Return `key` as PEM; Alipay's console hands keys out as bare base64.

    `label` is what stands after BEGIN, such as `PRIVATE KEY`.
    """
    text = key.strip()
    if text.startswith("-----"):
        return text
    body = "".join(text.split())
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])


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

    def __init__(self, sdk: AliPay, *, app_id: str, seller_id: str, url: str) -> None:
        sdk._gateway = url
        self._sdk = sdk
        self._url = url
        self._app_id = app_id
        self.seller = seller_id
        parts = urlsplit(url)
        self.browser_sources: tuple[str, ...] = (f"{parts.scheme}://{parts.netloc}",)
        if parts.hostname and parts.hostname.endswith(".alipay.com"):
            # The gateway redirects on to the cashier's own host.
            self.browser_sources = ("https://*.alipay.com",)

    def start(self, charge: Charge, channel: Channel, callbacks: Callbacks) -> Start:
        order = {
            "subject": clean_subject(charge.title),
            "out_trade_no": charge.number,
            "total_amount": format_yuan(charge.amount_fen),
            "time_expire": _format_time(charge.expires_at),
            "return_url": callbacks.return_url,
            "notify_url": callbacks.notify_url,
        }
        if channel is Channel.PHONE:
            query = self._sdk.api_alipay_trade_wap_pay(
                quit_url=callbacks.return_url, **order
            )
        else:
            query = self._sdk.api_alipay_trade_page_pay(**order)
        return Start("redirect", f"{self._url}?{query}")

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
            amount_fen=_read_amount(
                message.get("refund_fee" if is_refund else "total_amount")
            ),
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

    def refund(self, charge: Charge, refund_number: str, amount_fen: int) -> State:
        answer = self._ask(
            "alipay.trade.refund",
            out_trade_no=charge.number,
            out_request_no=refund_number,
            refund_amount=format_yuan(amount_fen),
        )
        if answer["code"] != "10000":
            raise GatewayRefused(answer.get("sub_code", ""), answer.get("sub_msg", ""))
        # fund_change=N: a repeated request, or one still being worked on.
        return State.REFUNDED if answer.get("fund_change") == "Y" else State.UNKNOWN

    def query_refund(self, charge: Charge, refund_number: str) -> State:
        answer = self._ask(
            "alipay.trade.fastpay.refund.query",
            out_trade_no=charge.number,
            out_request_no=refund_number,
        )
        done = answer.get("refund_status") == "REFUND_SUCCESS"
        return State.REFUNDED if answer["code"] == "10000" and done else State.UNKNOWN

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

    def _ask(self, method: str, **business: str) -> dict[str, Any]:
        """Return a verified answer: done (10000) or a definite business refusal (40004)."""
        try:
            answer: dict[str, Any] = self._sdk.server_api(method, business)
        except _DOUBTS as error:
            raise GatewayUnavailable(f"{method}: {type(error).__name__}") from error
        refused = answer.get("code") == "40004"
        if answer.get("sub_code") == "ACQ.SYSTEM_ERROR":
            refused = False
        if answer.get("code") != "10000" and not refused:
            raise GatewayUnavailable(f"{method}: {_describe(answer)}")
        return answer


def _describe(answer: Mapping[str, Any]) -> str:
    return f"{answer.get('code')} {answer.get('sub_code', '')}".strip()


def _read(path: str, label: str) -> str:
    return armour(Path(path).read_text(), label)


def build_sdk(config: Mapping[str, Any]) -> AliPay:
    """Return the SDK's client for `config`: certificate mode when it names a root.

    Files: `app_private_key_file` and, in key mode, `alipay_public_key_file`; in certificate
    mode `app_certificate_file`, `alipay_certificate_file`, `alipay_root_file`.
    """
    private_key = _read(config["app_private_key_file"], "PRIVATE KEY")
    timeout = AliPayConfig(timeout=config["timeout_seconds"])
    if not config.get("alipay_root_file"):
        return _KeyClient(
            appid=config["app_id"],
            app_private_key_string=private_key,
            alipay_public_key_string=_read(
                config["alipay_public_key_file"], "PUBLIC KEY"
            ),
            sign_type="RSA2",
            config=timeout,
        )
    client = _CertificateClient(
        appid=config["app_id"],
        app_private_key_string=private_key,
        app_public_key_cert_string=_read(config["app_certificate_file"], "CERTIFICATE"),
        alipay_public_key_cert_string=_read(
            config["alipay_certificate_file"], "CERTIFICATE"
        ),
        alipay_root_cert_string=_read(config["alipay_root_file"], "CERTIFICATE"),
        sign_type="RSA2",
    )
    # Its constructor knows no `config`.
    client._config = timeout
    return client


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
    )
