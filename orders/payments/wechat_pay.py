"""WeChat Pay v3 over wechatpayv3: a QR code on a desk, the bridge inside WeChat, H5 on other
phones.

Field facts: pay.weixin.qq.com, APIv3 of direct merchants.
"""

import json
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from wechatpayv3 import WeChatPay, WeChatPayType

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
    NumberUsedUp,
    Payer,
    PayerUnknown,
    Report,
    Return,
    Start,
    State,
)
from orders.payments.wechat_pay_bill import read_bill
from orders.payments.wechat_pay_client import ClientError, build_client
from orders.payments.wechat_pay_messages import (
    REFUND_STATES,
    Document,
    read_amount,
    read_error,
    read_notification,
    read_trade,
)

logger = logging.getLogger(__name__)

WECHAT_ZONE = ZoneInfo("Asia/Shanghai")
# The bill of a day is there from ten o'clock of the next one (vendor).
BILL_HOUR = 10
DESCRIPTION_LENGTH = 127
# What the buyer's number names in the address we are sent back to.
RETURN_FIELD = "out_trade_no"

_NO_SUCH = ("ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS")
# Statuses with which WeChat says no; all others leave the outcome in doubt.
_REFUSALS = (400, 403, 404)
_USED_UP = ("ORDERPAID", "ORDER_CLOSED", "OUT_TRADE_NO_USED")


def clean_description(title: str) -> str:
    """Return a title that WeChat takes as `description`: one line of 127 characters."""
    return " ".join(title.split())[:DESCRIPTION_LENGTH]


class WeChatPayGateway:
    """One merchant number with one application id. `now` is the clock."""

    code = "wechat"
    restart_within = None

    def __init__(
        self,
        client: WeChatPay,
        *,
        app_id: str,
        merchant_id: str,
        browser_sources: tuple[str, ...] = (),
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._client = client
        self._app_id = app_id
        self._now = now
        self.seller = merchant_id
        self.browser_sources = browser_sources

    # --- Paying ------------------------------------------------------------------------

    def start(
        self,
        charge: Charge,
        channel: Channel,
        callbacks: Callbacks,
        payer: Payer = UNKNOWN_PAYER,
    ) -> Start:
        if channel is Channel.WECHAT:
            return self._start_bridge(charge, callbacks, payer)
        if channel is Channel.PHONE:
            return self._start_on_phone(charge, callbacks, payer)
        answer = self._order(charge, callbacks, WeChatPayType.NATIVE)
        return Start(Start.Kind.QR, _read_text(answer, "code_url"))

    def _start_bridge(
        self, charge: Charge, callbacks: Callbacks, payer: Payer
    ) -> Start:
        if not payer.openid:
            raise PayerUnknown("NO_OPENID", "the bridge charges a known openid only")
        answer = self._order(
            charge,
            callbacks,
            WeChatPayType.JSAPI,
            payer={"openid": payer.openid},
        )
        package = "prepay_id=" + _read_text(answer, "prepay_id")
        fields = {
            "appId": self._app_id,
            "timeStamp": str(int(self._now().timestamp())),
            "nonceStr": secrets.token_hex(16),
            "package": package,
        }
        signature = self._client.sign(list(fields.values()))
        return Start(
            Start.Kind.JSAPI,
            _make_return_url(charge, callbacks),
            {**fields, "signType": "RSA", "paySign": signature},
        )

    def _start_on_phone(
        self, charge: Charge, callbacks: Callbacks, payer: Payer
    ) -> Start:
        if not payer.address:
            raise GatewayRefused("NO_ADDRESS", "H5 wants the payer's network address")
        scene = {"payer_client_ip": payer.address, "h5_info": {"type": "Wap"}}
        answer = self._order(charge, callbacks, WeChatPayType.H5, scene_info=scene)
        url = _read_text(answer, "h5_url")
        back = quote(_make_return_url(charge, callbacks), safe="")
        return Start(Start.Kind.REDIRECT, f"{url}&redirect_url={back}")

    def _order(
        self,
        charge: Charge,
        callbacks: Callbacks,
        pay_type: WeChatPayType,
        **more: Any,
    ) -> Document:
        """Order a payment; the same call again answers the same way."""
        expires_at = charge.expires_at.astimezone(WECHAT_ZONE)
        status, answer = self._call(
            self._client.pay,
            description=clean_description(charge.title),
            out_trade_no=charge.number,
            amount={"total": charge.amount_fen, "currency": "CNY"},
            time_expire=expires_at.isoformat(timespec="seconds"),
            notify_url=callbacks.notify_url,
            pay_type=pay_type,
            **more,
        )
        if status == 200:
            return answer
        code, words = read_error(answer)
        if code in _USED_UP or "订单号重复" in words:
            raise NumberUsedUp(code, words)
        raise _make_error(status, answer)

    def read_return(self, parameters: Mapping[str, str]) -> str:
        return parameters.get(RETURN_FIELD, "")

    # --- What WeChat tells -------------------------------------------------------------

    def parse_notification(self, inbound: Inbound) -> Report:
        return read_notification(
            self._client,
            inbound,
            app_id=self._app_id,
            merchant_id=self.seller,
            now=self._now(),
        )

    def acknowledge(self, *, accepted: bool) -> Acknowledgement:
        # The status decides; the words are for whoever reads WeChat's console.
        if accepted:
            return Acknowledgement(204, "application/json", b"")
        body = json.dumps({"code": "FAIL", "message": "失败"}, ensure_ascii=False)
        return Acknowledgement(400, "application/json", body.encode())

    # --- Asking and ending -------------------------------------------------------------

    def query(self, charge: Charge) -> Report:
        status, answer = self._call(self._client.query, out_trade_no=charge.number)
        if status == 404 and read_error(answer)[0] in _NO_SUCH:
            return Report(charge.number, State.NOT_FOUND, raw=answer)
        if status != 200:
            raise GatewayUnavailable(_describe(status, answer))
        expected = (self._app_id, self.seller, charge.number)
        names = ("appid", "mchid", "out_trade_no")
        if tuple(answer.get(name) for name in names) != expected:
            raise GatewayUnavailable("the answer is about another attempt")
        return read_trade(answer)

    def close(self, charge: Charge) -> State:
        status, answer = self._call(self._client.close, out_trade_no=charge.number)
        code, _ = read_error(answer)
        if status == 204 or (status == 400 and code == "ORDER_CLOSED"):
            return State.CLOSED
        if status == 404 and code in _NO_SUCH:
            return State.NOT_FOUND
        if status == 400:
            return State.UNKNOWN
        raise GatewayUnavailable(_describe(status, answer))

    # --- Money back --------------------------------------------------------------------

    def refund(self, charge: Charge, back: Return, notify_url: str) -> State:
        status, answer = self._call(
            self._client.refund,
            out_refund_no=back.number,
            out_trade_no=charge.number,
            amount={
                "refund": back.amount_fen,
                "total": charge.amount_fen,
                "currency": "CNY",
            },
            # Without one of its own the SDK sends the address of payments.
            notify_url=notify_url,
        )
        if status != 200:
            raise _make_error(status, answer)
        said = REFUND_STATES.get(answer.get("status", ""), State.UNKNOWN)
        # Whether one has failed for good is for the query to say.
        return said if said is State.REFUNDED else State.UNKNOWN

    def query_refund(self, charge: Charge, back: Return) -> State:
        status, answer = self._call(
            self._client.query_refund, out_refund_no=back.number
        )
        if status == 404 and read_error(answer)[0] in _NO_SUCH:
            return State.NOT_FOUND
        if status != 200:
            raise GatewayUnavailable(_describe(status, answer))
        named = (answer.get("out_trade_no"), answer.get("out_refund_no"))
        amount_fen, _ = read_amount(answer, "refund")
        if (*named, amount_fen) != (charge.number, back.number, back.amount_fen):
            raise GatewayUnavailable("the answer is about another refund")
        return REFUND_STATES.get(answer.get("status", ""), State.UNKNOWN)

    def read_bill(self, day: date) -> Iterable[BillLine]:
        status, answer = self._call(self._client.trade_bill, bill_date=day.isoformat())
        if read_error(answer)[0] == "NO_STATEMENT_EXIST" and self._is_bill_made(day):
            return []
        if status != 200:
            raise GatewayUnavailable(_describe(status, answer))
        url = _read_text(answer, "download_url")
        # The SDK sends the merchant's signature along: to WeChat and nobody else.
        if not url.startswith(f"{self._client._core._gate_way}/"):
            raise GatewayUnavailable("the bill is at a strange address")
        status, packed = self._download(url)
        if status != 200:
            raise GatewayUnavailable(f"{status} for the bill")
        return read_bill(
            packed, digest=_read_text(answer, "hash_value"), app_id=self._app_id
        )

    def _is_bill_made(self, day: date) -> bool:
        now = self._now().astimezone(WECHAT_ZONE)
        return (now - timedelta(hours=BILL_HOUR)).date() > day

    # --- The wire ----------------------------------------------------------------------

    def _call(
        self, method: Callable[..., Any], **parameters: Any
    ) -> tuple[int, Document]:
        """Return status and answer. A 2xx answer is verified by the SDK.

        Raises `GatewayUnavailable` for everything that leaves the outcome in doubt.
        """
        try:
            status, text = method(**parameters)
            answer = json.loads(text) if text else {}
        except Exception as error:
            # Time-outs, refused connections, HTML in place of JSON, a wrong signature: the
            # SDK raises a bare Exception for the last.
            raise GatewayUnavailable(type(error).__name__) from error
        if not isinstance(answer, dict):
            raise GatewayUnavailable("unreadable answer")
        if status not in (200, 204, *_REFUSALS):
            raise GatewayUnavailable(_describe(status, answer))
        return status, answer

    def _download(self, url: str) -> tuple[int, bytes]:
        try:
            status, content = self._client.download_bill(url)
        except Exception as error:
            raise GatewayUnavailable(type(error).__name__) from error
        return status, content if isinstance(content, bytes) else content.encode()


def _make_return_url(charge: Charge, callbacks: Callbacks) -> str:
    return f"{callbacks.return_url}?{urlencode({RETURN_FIELD: charge.number})}"


def _read_text(answer: Document, name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise GatewayUnavailable(f"no {name} in the answer")
    return value


def _describe(status: int, answer: Document) -> str:
    return f"{status} {read_error(answer)[0]}".strip()


def _make_error(status: int, answer: Document) -> GatewayRefused | GatewayUnavailable:
    if status in _REFUSALS:
        return GatewayRefused(*read_error(answer))
    return GatewayUnavailable(_describe(status, answer))


def _list_browser_sources() -> tuple[str, ...]:
    """Where the answer to the pay button may lead: WeChat's phone page and its consent."""
    gateway = urlsplit(settings.WECHAT_PAY["gateway"])
    consent = urlsplit(settings.WECHAT["oauth_base"])
    pages = f"{gateway.scheme}://{gateway.netloc}"
    if gateway.hostname and gateway.hostname.endswith(".weixin.qq.com"):
        pages = "https://wx.tenpay.com"
    return tuple(dict.fromkeys((pages, f"{consent.scheme}://{consent.netloc}")))


def build_gateway() -> WeChatPayGateway:
    """Return the gateway that `settings.WECHAT_PAY` describes.

    Raises `GatewayUnavailable` without a merchant, when a key file cannot be read, or when
    certificate mode finds no certificate.
    """
    config = settings.WECHAT_PAY
    if not (config["app_id"] and config["merchant_id"]):
        raise GatewayUnavailable("no merchant is configured for WeChat Pay")
    try:
        client = build_client(config)
    except ClientError as error:
        raise GatewayUnavailable(str(error)) from error
    return WeChatPayGateway(
        client,
        app_id=config["app_id"],
        merchant_id=config["merchant_id"],
        browser_sources=_list_browser_sources(),
    )
