"""WeChat Pay v3 on loopback: requests checked, answers and notifications signed.

Unlike the real one its `code_url` is a web address, so that a demonstration without WeChat
can open what a phone would scan.
"""

import json
import re
import threading
import uuid
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from portal.sandbox.notifier import Notifier
from portal.sandbox.simulator import Delivery, Phase, Trade
from portal.sandbox.store import Document, Store
from portal.sandbox.wechat_pay_api import BRAND, FAULTS, H5_PATH, ServerApi
from portal.sandbox.wechat_pay_documents import (
    describe_trade,
    merge,
    note_refund,
)
from portal.sandbox.wechat_pay_keys import WeChatPayKeys
from portal.sandbox.wechat_pay_signatures import Signer, WeChatPayAccount
from portal.sandbox.wechat_pay_trades import (
    PAID_STATES,
    STATE_LABELS,
    ZONE,
    TradeBook,
    format_now,
    is_over,
)
from portal.sandbox.wire import (
    Answer,
    Request,
    Route,
    cashier_path,
    redirect,
    render,
)

# Seconds; 24 hours and 4 minutes together (vendor).
RETRY_STEPS = (
    *(15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600),
    *(10800, 10800, 10800, 21600, 21600),
)
CHANNELS = {"NATIVE": "扫码支付", "JSAPI": "公众号支付", "MWEB": "手机网页支付"}


class WeChatPaySimulator:
    """The server API, the phone's pay page and what the merchant is told."""

    brand = BRAND
    fault_names: tuple[str, ...] = FAULTS

    def __init__(
        self,
        store: Store,
        keys: WeChatPayKeys,
        notifier: Notifier,
        account: WeChatPayAccount,
    ) -> None:
        self.account = account
        self.trades = TradeBook(store)
        self.signer = Signer(keys, account)
        self._api = ServerApi(self.trades, self.signer, account, self.end_refund)
        self._keys = keys
        self._notifier = notifier
        for name in ("", "certificate", "forged"):
            notifier.add_sealer(f"wechat {name}", self.signer.make_sealer(name))

    @property
    def routes(self) -> list[Route]:
        return [*self._api.routes, ("GET", re.escape(H5_PATH), self.enter_on_phone)]

    @property
    def faults(self) -> list[str]:
        return self._api.faults

    @property
    def requests(self) -> list[tuple[str, str]]:
        return self._api.requests

    @property
    def released(self) -> threading.Event:
        return self._api.released

    # --- What the shared parts ask -----------------------------------------------------

    def list_trades(self) -> list[Trade]:
        return [_describe(trade, self.account) for trade in self.trades.list_trades()]

    def find_trade(self, token: str) -> Trade | None:
        trade = self.trades.find("token", token)
        return None if trade is None else _describe(trade, self.account)

    def get_trade(self, number: str) -> Trade:
        return _describe(self.trades.get(number), self.account)

    def show(self, number: str) -> Document:
        return self.trades.get(number)

    def enter(self, number: str) -> None:
        """A trade exists from the order call on. Raises `KeyError`."""
        self.trades.get(number)

    def pay(self, number: str, *, amount_fen: int | None = None) -> None:
        self.trades.pay(number, amount_fen=amount_fen)

    def fail(self, number: str) -> None:
        """A trade keeps waiting: the buyer may try again."""

    def make_delivery(
        self,
        number: str,
        *,
        forged: bool = False,
        changes: Mapping[str, object] | None = None,
    ) -> Delivery:
        trade = self.trades.get(number)
        seen = {**trade, "state": "SUCCESS"} if forged else trade
        resource = merge(describe_trade(seen, self.account), changes or {})
        return self._pack(
            "TRANSACTION.SUCCESS",
            "支付成功",
            resource,
            trade["notify_url"],
            trade,
            forged,
        )

    def make_refund_delivery(
        self, number: str, *, changes: Mapping[str, object] | None = None
    ) -> Delivery:
        """Return the notification of a refund's present state; `number` is the refund's."""
        refund = self.trades.get_refund(number)
        trade = self.trades.get(refund["trade"])
        resource = merge(note_refund(trade, refund, self.account), changes or {})
        kind = f"REFUND.{refund['status']}"
        return self._pack(
            kind, "退款通知", resource, refund["notify_url"], trade, False
        )

    def send_back(self, number: str) -> Answer:
        return redirect(self.trades.get(number)["back_url"])

    # --- What a phone does -------------------------------------------------------------

    def enter_on_phone(self, request: Request) -> Answer:
        """The `h5_url`: WeChat demands a Referer of the merchant's registered domain."""
        trade = self.trades.find("prepay_id", request.query.get("prepay_id", ""))
        referer = urlsplit(request.headers.get("referer", ""))
        words = ""
        if trade is None or trade["trade_type"] != "MWEB":
            words = "支付请求已失效，请重新发起支付"
        elif not referer.netloc:
            words = "商家参数格式有误，请联系商家解决"
        if trade is None or words:
            texts = {"code": "400", "msg": "", "sub_code": "H5", "sub_msg": words}
            return render("error.html", texts, status=HTTPStatus.BAD_REQUEST)
        with self.trades.edit(trade["number"]) as row:
            row["back_url"] = request.query.get("redirect_url", "")
        return redirect(cashier_path(BRAND.code, trade["token"]))

    def open_bridge(self, fields: Mapping[str, str]) -> Trade:
        """Return the trade that a page hands to WeixinJSBridge. Raises `ValueError` when
        WeChat would not open it."""
        prepay_id = fields.get("package", "").removeprefix("prepay_id=")
        trade = self.trades.find("prepay_id", prepay_id)
        if trade is None or trade["trade_type"] != "JSAPI":
            raise ValueError("no such prepay_id")
        if not self.signer.is_bridge_signed(fields):
            raise ValueError("wrong paySign")
        return _describe(trade, self.account)

    # --- What the merchant is told -----------------------------------------------------

    def end_refund(self, number: str, status: str = "SUCCESS") -> None:
        """Let a refund come to its end and tell the merchant, if it gave an address."""
        refund = self.trades.end_refund(number, status)
        if refund["notify_url"]:
            self._notifier.enqueue(self.make_refund_delivery(number))

    def _pack(
        self,
        event: str,
        summary: str,
        resource: Document,
        url: str,
        trade: Document,
        forged: bool,
    ) -> Delivery:
        original = "refund" if event.startswith("REFUND.") else "transaction"
        body = {
            "id": str(uuid.uuid4()),
            "create_time": format_now(),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": summary,
            "resource": {
                "original_type": original,
                **self._keys.encrypt(resource, original),
            },
        }
        name = "certificate" if trade["by_certificate"] else ""
        return Delivery(
            url=url,
            body=json.dumps(body, ensure_ascii=False),
            content_type="application/json",
            steps=RETRY_STEPS,
            statuses=(HTTPStatus.OK, HTTPStatus.NO_CONTENT),
            sealer=f"wechat {'forged' if forged else name}",
        )


def _describe(trade: Document, account: WeChatPayAccount) -> Trade:
    """What the shared pages show of a trade."""
    phase = Phase.OPEN
    if trade["state"] in PAID_STATES:
        phase = Phase.PAID
    elif trade["state"] == "CLOSED" or is_over(trade):
        phase = Phase.CLOSED
    return Trade(
        number=trade["number"],
        token=trade["token"],
        subject=trade["subject"],
        amount_fen=trade["amount_fen"],
        phase=phase,
        status=STATE_LABELS[trade["state"]],
        channel=CHANNELS[trade["trade_type"]],
        payee=account.merchant_id,
        gateway_number=trade["transaction_id"],
        created_at=_show_time(trade["created_at"]),
        expires_at=_show_time(trade["expires_at"]),
        back_url=trade["back_url"],
    )


def _show_time(text: str) -> str:
    """Beijing time as people read it, and as the list of all vendors sorts it."""
    if not text:
        return ""
    return datetime.fromisoformat(text).astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
