"""Trades of the WeChat Pay simulator: what the merchant's calls and the buyer do to them."""

import re
import secrets
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from portal.sandbox.store import Document, Store
from portal.sandbox.wechat import find_person

ZONE = ZoneInfo("Asia/Shanghai")
KIND = "wechat pay trade"
REFUND_KIND = "wechat pay refund"

# Path of the order call, and what the answer's `trade_type` is called.
TRADE_TYPES = {"native": "NATIVE", "jsapi": "JSAPI", "h5": "MWEB"}
STATE_LABELS = {
    "NOTPAY": "等待付款",
    "SUCCESS": "支付成功",
    "REFUND": "转入退款",
    "CLOSED": "交易已关闭",
}
PAID_STATES = ("SUCCESS", "REFUND")
# A second order under one number has to be the same in all of these.
_SAME = ("trade_type", "subject", "amount_fen", "expires_at", "notify_url", "payer")


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, not a fault
    """An answer other than 200 and 204."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.answer = {"code": code, "message": message}


def format_now() -> str:
    return datetime.now(ZONE).isoformat(timespec="seconds")


def _digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def _refuse_parameter(name: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", f"参数错误：{name}")


def _check(name: str, is_right: bool) -> None:
    if not is_right:
        raise _refuse_parameter(name)


def _read(body: Mapping[str, Any], name: str, key: str, kind: type) -> Any:
    """Return `body[name][key]` if it is of a kind."""
    group = body.get(name)
    value = group.get(key) if isinstance(group, dict) else None
    _check(f"{name}.{key}", type(value) is kind)
    return value


def read_order(kind: str, body: Mapping[str, Any]) -> Document:
    """Check the body of an order call and return what a trade keeps of it."""
    number, subject = body.get("out_trade_no"), body.get("description")
    _check(
        "out_trade_no",
        isinstance(number, str)
        and re.fullmatch(r"[0-9A-Za-z_\-|*]{6,32}", number) is not None,
    )
    _check("description", isinstance(subject, str) and 1 <= len(subject) <= 127)
    amount_fen = _read(body, "amount", "total", int)
    _check("amount", amount_fen >= 1 and body["amount"].get("currency") == "CNY")
    url = urlsplit(str(body.get("notify_url", "")))
    _check("notify_url", url.scheme in ("http", "https") and not url.query)
    expires_at = _read_expiry(body)
    payer = ""
    if kind == "jsapi":
        payer = _read(body, "payer", "openid", str)
        _check("payer.openid", find_person(payer) is not None)
    if kind == "h5":
        _check(
            "payer_client_ip", bool(_read(body, "scene_info", "payer_client_ip", str))
        )
        info = _read(body, "scene_info", "h5_info", dict)
        _check("h5_info.type", info.get("type") in ("Wap", "iOS", "Android"))
    return {
        "number": number,
        "trade_type": TRADE_TYPES[kind],
        "subject": subject,
        "amount_fen": amount_fen,
        "notify_url": body["notify_url"],
        "expires_at": expires_at,
        "payer": payer,
    }


def _read_expiry(body: Mapping[str, Any]) -> str:
    text = body.get("time_expire", "")
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise _refuse_parameter("time_expire") from error
    _check("time_expire", moment.tzinfo is not None and moment > datetime.now(ZONE))
    return str(text)


def is_over(trade: Document) -> bool:
    """Whether the time to pay has passed. The state stays NOTPAY (vendor)."""
    text = trade["expires_at"]
    return bool(text) and datetime.fromisoformat(text) <= datetime.now(ZONE)


class TradeBook:
    """All trades and refunds, in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()

    def edit(self, number: str) -> AbstractContextManager[Document]:
        """Hand out a trade for change, alone. Raises `KeyError`."""
        return self._store.edit(KIND, number)

    def open_trade(self, kind: str, body: Mapping[str, Any]) -> Document:
        """Return the trade of an order call, new or the one of the same call before."""
        order = read_order(kind, body)
        # Of two orders of one number at one moment, one is the second.
        with self._lock:
            known = self._store.get(KIND, order["number"])
            if known is not None:
                _refuse_reuse(known, order)
                return known
            return self._keep(order)

    def _keep(self, order: Document) -> Document:
        trade = {
            **order,
            "token": secrets.token_urlsafe(16),
            "prepay_id": "wx" + secrets.token_hex(17),
            "state": "NOTPAY",
            "paid_fen": None,
            "transaction_id": "4200" + _digits(24),
            "back_url": "",
            "created_at": format_now(),
            "paid_at": "",
            # Whether its notifications are signed by the certificate's key.
            "by_certificate": False,
            "refunds": {},
        }
        self._store.put(KIND, trade["number"], trade)
        return trade

    def get(self, number: str) -> Document:
        """Return a trade as it stands. Raises `KeyError`."""
        trade = self._store.get(KIND, number)
        if trade is None:
            raise KeyError(number)
        return trade

    def find(self, field: str, value: str) -> Document | None:
        """Return the trade with a secret of its own: `token` or `prepay_id`."""
        for trade in self.list_trades():
            if secrets.compare_digest(str(trade[field]).encode(), value.encode()):
                return trade
        return None

    def list_trades(self) -> list[Document]:
        return list(self._store.list(KIND).values())

    def pay(self, number: str, *, amount_fen: int | None = None) -> None:
        """Move the money, whatever the state: a closed trade too can be paid by a test."""
        with self.edit(number) as trade:
            trade["state"] = "SUCCESS"
            trade["paid_fen"] = (
                trade["amount_fen"] if amount_fen is None else amount_fen
            )
            trade["paid_at"] = format_now()

    def close(self, number: str) -> None:
        with self.edit(number) as trade:
            if trade["state"] == "CLOSED":
                raise Refusal(HTTPStatus.BAD_REQUEST, "ORDER_CLOSED", "订单已关闭")
            if trade["state"] in PAID_STATES:
                raise Refusal(HTTPStatus.BAD_REQUEST, "ORDERPAID", "订单已支付")
            trade["state"] = "CLOSED"

    def open_refund(self, body: Mapping[str, Any], status: str) -> Document:
        """Return the refund of a call, new with `status` or the one of the same number."""
        number = str(body.get("out_refund_no", ""))
        _check(
            "out_refund_no",
            re.fullmatch(r"[0-9A-Za-z_\-|*@]{1,64}", number) is not None,
        )
        amount_fen = _read(body, "amount", "refund", int)
        total_fen = _read(body, "amount", "total", int)
        try:
            with self.edit(str(body.get("out_trade_no", ""))) as trade:
                if number not in trade["refunds"]:
                    _check_refund(trade, amount_fen, total_fen)
                    refund = _make_refund(trade, number, amount_fen, status, body)
                    trade["refunds"][number] = refund
                    trade["state"] = "REFUND"
                    self._store.put(REFUND_KIND, number, {"trade": trade["number"]})
        except KeyError as error:
            words = "订单不存在"
            raise Refusal(HTTPStatus.NOT_FOUND, "RESOURCE_NOT_EXISTS", words) from error
        refund = trade["refunds"].get(number)
        if refund["amount_fen"] != amount_fen:
            words = "订单金额或退款金额与之前请求不一致，请核实后再试"
            raise Refusal(HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", words)
        return dict(refund)

    def get_refund(self, number: str) -> Document:
        """Return a refund. Raises `KeyError`."""
        entry = self._store.get(REFUND_KIND, number)
        if entry is None:
            raise KeyError(number)
        return dict(self.get(entry["trade"])["refunds"][number])

    def end_refund(self, number: str, status: str) -> Document:
        """Let a refund come to its end: SUCCESS, CLOSED or ABNORMAL."""
        with self.edit(self.get_refund(number)["trade"]) as trade:
            refund = trade["refunds"][number]
            refund["status"] = status
            refund["success_time"] = format_now() if status == "SUCCESS" else ""
            return dict(refund)


def _refuse_reuse(known: Document, order: Document) -> None:
    if known["state"] in PAID_STATES:
        raise Refusal(HTTPStatus.BAD_REQUEST, "ORDERPAID", "订单已支付")
    if known["state"] == "CLOSED":
        raise Refusal(HTTPStatus.BAD_REQUEST, "ORDER_CLOSED", "订单已关闭")
    if any(known[name] != order[name] for name in _SAME):
        words = "201 商户订单号重复"
        raise Refusal(HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", words)


def _check_refund(trade: Document, amount_fen: int, total_fen: int) -> None:
    words = ""
    if trade["state"] not in PAID_STATES:
        words = "订单状态有误"
    elif total_fen != trade["amount_fen"]:
        words = "订单金额不一致"
    else:
        # Money of a refund that was closed never left.
        live = [
            each for each in trade["refunds"].values() if each["status"] != "CLOSED"
        ]
        back_fen = sum(each["amount_fen"] for each in live)
        if amount_fen < 1 or back_fen + amount_fen > trade["paid_fen"]:
            words = "申请退款金额大于订单可退金额"
    if words:
        raise Refusal(HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", words)


def _make_refund(
    trade: Document, number: str, amount_fen: int, status: str, body: Mapping[str, Any]
) -> Document:
    return {
        "number": number,
        "trade": trade["number"],
        "refund_id": "5030" + _digits(25),
        "amount_fen": amount_fen,
        "status": status,
        "created_at": format_now(),
        "success_time": "",
        "notify_url": str(body.get("notify_url", "")),
    }
