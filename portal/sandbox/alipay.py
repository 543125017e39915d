"""Alipay's open platform on loopback: requests checked, answers and notifications signed.

Facts: the vendor's documentation as collected in docs/payments.md.
"""

import json
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlencode

from portal.lib.money import format_yuan
from portal.sandbox.alipay_bills import BILL_PATH, BillShelf, make_bill
from portal.sandbox.alipay_trades import (
    BUYER_ID,
    METHODS,
    PAGE_METHODS,
    PAID_STATES,
    ZONE,
    Refusal,
    TradeBook,
    expire,
    format_now,
    read_time,
)
from portal.sandbox.keys import KeyRing, is_signed, sign, stranger_key
from portal.sandbox.notifier import Notifier
from portal.sandbox.simulator import (
    HANG_SECONDS,
    Brand,
    Delivery,
    Phase,
    Trade,
)
from portal.sandbox.store import Document, Store
from portal.sandbox.wire import (
    HTML,
    Answer,
    Request,
    Route,
    cashier_path,
    redirect,
    render,
)

GATEWAY_PATH = "/gateway.do"
BILL_METHOD = "alipay.data.dataservice.bill.downloadurl.query"
BRAND = Brand(
    code="alipay",
    name="支付宝",
    mark="支",
    platform="支付宝开放平台",
    number_label="支付宝交易号",
)

# 4 m, 10 m, 10 m, 1 h, 2 h, 6 h, 15 h: eight sends in 25 hours (vendor).
RETRY_STEPS = (240, 600, 600, 3600, 7200, 21600, 54000)
# Far below the eight hours of a clock in the wrong zone.
CLOCK_TOLERANCE = timedelta(minutes=15)
# What can go wrong with the answer to a server call; `hang` hangs after the work is done,
# so that the caller cannot know whether it was.
FAULTS = ("hang", "html", "system_error", "bad_signature")

STATUS_LABELS = {
    None: "等待付款",
    "WAIT_BUYER_PAY": "等待付款",
    "TRADE_SUCCESS": "支付成功",
    "TRADE_FINISHED": "交易完成",
    "TRADE_CLOSED": "交易已关闭",
}


@dataclass(frozen=True)
class AlipayAccount:
    """The merchant application that the simulator knows."""

    app_id: str
    seller_id: str


def signing_text(parameters: Mapping[str, str], *left_out: str) -> str:
    """The text that is signed: sorted pairs, blanks kept, without `left_out`."""
    return "&".join(
        f"{k}={v}" for k, v in sorted(parameters.items()) if k not in left_out
    )


class AlipaySimulator:
    """The gateway's endpoint, its trades and what it tells the merchant about them."""

    brand = BRAND
    fault_names: tuple[str, ...] = FAULTS

    def __init__(
        self, store: Store, keys: KeyRing, notifier: Notifier, account: AlipayAccount
    ) -> None:
        self.account = account
        self.trades = TradeBook(store)
        # One for each of the next server calls.
        self.faults: list[str] = []
        # (method, out_trade_no) of every server call so far.
        self.requests: list[tuple[str, str]] = []
        # Ends the calls that were told to hang.
        self.released = threading.Event()
        self._keys = keys
        self._notifier = notifier
        self._bills = BillShelf()

    @property
    def routes(self) -> list[Route]:
        pattern = re.escape(GATEWAY_PATH)
        return [
            ("GET", pattern, self.serve_gateway),
            ("POST", pattern, self.serve_gateway),
            ("GET", f"{BILL_PATH}([0-9A-Za-z_-]+)", self._serve_bill),
        ]

    def serve_gateway(self, request: Request) -> Answer:
        parameters = request.query or request.form
        method = parameters.get("method", "")
        if method in PAGE_METHODS:
            return self._serve_page(parameters)
        fault = self.faults.pop(0) if self.faults else ""
        try:
            business = self._check_request(parameters)
            self.requests.append((method, business.get("out_trade_no", "")))
            if fault == "system_error":
                raise Refusal("40004", "ACQ.SYSTEM_ERROR", "系统错误")
            if method == BILL_METHOD:
                result = self._make_bill(request, business)
            else:
                result = self._call(method, business)
        except Refusal as refusal:
            result = refusal.answer
        return self._answer(method, result, fault)

    def _make_bill(self, request: Request, business: Mapping[str, str]) -> Document:
        trades = self.trades.list_trades()
        day = business.get("bill_date", "")
        try:
            content = make_bill(trades, self.account.seller_id, day)
        except ValueError as error:
            raise Refusal("40004", "isv.invalid-arguments", "参数有误") from error
        if content is None:
            raise Refusal("40004", "isp.bill_not_exist", "账单不存在")
        url = f"http://{request.headers['host']}{self._bills.put(content)}"
        return {"code": "10000", "msg": "Success", "bill_download_url": url}

    def _serve_bill(self, _request: Request, token: str) -> Answer:
        content = self._bills.take(token)
        if content is None:
            return Answer(b"<html><h1>404</h1></html>", HTML, HTTPStatus.NOT_FOUND)
        return Answer(content, "application/octet-stream")

    def _serve_page(self, parameters: Mapping[str, str]) -> Answer:
        try:
            business = self._check_request(parameters)
            trade = self.trades.open_trade(parameters, business)
        except Refusal as refusal:
            return render("error.html", refusal.answer, status=HTTPStatus.BAD_REQUEST)
        return redirect(cashier_path(BRAND.code, trade["token"]))

    def _check_request(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return the business parameters of a request that is signed and for us."""
        if parameters.get("sign_type") != "RSA2":
            raise Refusal("40002", "isv.invalid-signature-type", "无效签名类型")
        text = signing_text(parameters, "sign")
        app_key = self._keys.app.public_key()
        if not is_signed(app_key, text, parameters.get("sign", "")):
            raise Refusal("40002", "isv.invalid-signature", "验签出错")
        if parameters.get("app_id") != self.account.app_id:
            raise Refusal("40002", "isv.invalid-app-id", "无效的AppID参数")
        try:
            sent_at = read_time(parameters.get("timestamp", ""))
            business: dict[str, str] = json.loads(parameters.get("biz_content", "{}"))
        except ValueError as error:
            raise Refusal("40002", "isv.invalid-parameter", "参数无效") from error
        if abs(datetime.now(ZONE) - sent_at) > CLOCK_TOLERANCE:
            raise Refusal("40002", "isv.invalid-timestamp", "非法的时间戳参数")
        return business

    def _call(self, method: str, business: Mapping[str, str]) -> Document:
        if method not in METHODS:
            raise Refusal("40002", "isv.invalid-method", "不存在的方法名")
        try:
            with self.trades.edit(business.get("out_trade_no", "")) as trade:
                expire(trade)
                if trade["status"] is None:
                    raise KeyError(trade["number"])
                refunded = len(trade["refunds"])
                result = METHODS[method](trade, business)
        except KeyError as error:
            raise Refusal("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在") from error
        if len(trade["refunds"]) > refunded:
            self._notify_refund(trade, business)
        return {"code": "10000", "msg": "Success", **result}

    def _answer(self, method: str, result: Document, fault: str) -> Answer:
        if fault == "hang":
            self.released.wait(HANG_SECONDS)
        if fault == "html":
            return Answer(b"<html><h1>502 Bad Gateway</h1></html>", HTML, 502)
        inner = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        key = stranger_key() if fault == "bad_signature" else self._keys.gateway
        node = method.replace(".", "_") + "_response"
        text = f'{{"{node}":{inner},"sign":"{sign(key, inner)}"}}'
        return Answer(text.encode(), HTML)

    def list_trades(self) -> list[Trade]:
        return [self._describe(trade) for trade in self.trades.list_trades()]

    def find_trade(self, token: str) -> Trade | None:
        trade = self.trades.find_by_token(token)
        return None if trade is None else self._describe(trade)

    def get_trade(self, number: str) -> Trade:
        return self._describe(self.trades.get(number))

    def show(self, number: str) -> Document:
        return self.trades.get(number)

    def enter(self, number: str) -> None:
        self.trades.enter(number)

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
        texts = {key: str(value) for key, value in (changes or {}).items()}
        notice = self.make_notice(number, forged=forged, **texts)
        return self._pack(self.trades.get(number), notice)

    def send_back(self, number: str) -> Answer:
        return redirect(self.make_return_url(number))

    def _describe(self, trade: Document) -> Trade:
        """What the shared pages show of a trade."""
        is_over = trade.get("expired") and trade["status"] is None
        status = "TRADE_CLOSED" if is_over else trade["status"]
        phases = {
            "TRADE_CLOSED": Phase.CLOSED,
            **dict.fromkeys(PAID_STATES, Phase.PAID),
        }
        return Trade(
            number=trade["number"],
            token=trade["token"],
            subject=trade["subject"],
            amount_fen=trade["amount_fen"],
            phase=phases.get(status, Phase.OPEN),
            status=STATUS_LABELS[status],
            channel="手机网站支付" if "wap" in trade["method"] else "电脑网站支付",
            payee=self.account.seller_id,
            gateway_number=trade["trade_no"],
            created_at=trade["created_at"],
            expires_at=trade["expires_at"],
            back_url=trade["return_url"],
        )

    def make_notice(
        self, number: str, *, forged: bool = False, **changes: str
    ) -> dict[str, str]:
        """Return the signed form of a notification about the present state.

        `changes` replace fields before signing; a forged one is signed by nobody's key.
        """
        trade = self.trades.get(number)
        amount = format_yuan(trade["paid_fen"] or trade["amount_fen"])
        notice = {
            "notify_time": format_now(),
            "notify_type": "trade_status_sync",
            "notify_id": uuid.uuid4().hex,
            "charset": "utf-8",
            "version": "1.0",
            "app_id": self.account.app_id,
            "auth_app_id": self.account.app_id,
            "seller_id": self.account.seller_id,
            "buyer_id": BUYER_ID,
            "out_trade_no": trade["number"],
            "trade_no": trade["trade_no"],
            "trade_status": "TRADE_SUCCESS" if forged else trade["status"],
            "subject": trade["subject"],
            "body": "",
            "total_amount": amount,
            "receipt_amount": amount,
            "gmt_create": trade["created_at"],
            "gmt_payment": trade["paid_at"] or format_now(),
            **changes,
        }
        key = stranger_key() if forged else self._keys.gateway
        signature = sign(key, signing_text(notice))
        return {**notice, "sign_type": "RSA2", "sign": signature}

    def make_return_url(self, number: str) -> str:
        """Return where the cashier sends the browser: signed, but without any state."""
        trade = self.trades.get(number)
        parameters = {
            "charset": "utf-8",
            "out_trade_no": number,
            "method": trade["method"] + ".return",
            "total_amount": format_yuan(trade["amount_fen"]),
            "trade_no": trade["trade_no"],
            "auth_app_id": self.account.app_id,
            "app_id": self.account.app_id,
            "seller_id": self.account.seller_id,
            "version": "1.0",
            "timestamp": format_now(),
        }
        parameters["sign"] = sign(self._keys.gateway, signing_text(parameters))
        parameters["sign_type"] = "RSA2"
        return f"{trade['return_url']}?{urlencode(parameters)}"

    def _notify_refund(self, trade: Document, business: Mapping[str, str]) -> None:
        # Still TRADE_SUCCESS after a partial refund, TRADE_CLOSED after a full one.
        notice = self.make_notice(
            trade["number"],
            out_biz_no=business.get("out_request_no", ""),
            refund_fee=format_yuan(sum(trade["refunds"].values())),
            gmt_refund=f"{format_now()}.000",
        )
        if trade["notify_url"]:
            self._notifier.enqueue(self._pack(trade, notice))

    @staticmethod
    def _pack(trade: Document, notice: Mapping[str, str]) -> Delivery:
        return Delivery(
            url=trade["notify_url"],
            body=urlencode(notice),
            content_type="application/x-www-form-urlencoded; charset=utf-8",
            steps=RETRY_STEPS,
            text="success",
        )
