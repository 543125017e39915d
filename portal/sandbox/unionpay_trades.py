"""Orders and refunds of the UnionPay simulator: what merchant and buyer do to them.

A query knows an order only once the buyer has tried to pay it, which is a code of None here
before that.
"""

import re
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.sandbox.store import Document, Store

ZONE = ZoneInfo("Asia/Shanghai")
TIME_FORMAT = "%Y%m%d%H%M%S"
KIND = "unionpay trade"
REFUND_KIND = "unionpay refund"

PAYMENT, REFUND = "01", "04"
PAID = ("00", "A6")
# 交易未通过，请尝试使用其他银联卡支付.
CARD_REFUSED = "30"

# How old `txnTime` may be; the vendor says no more than that it has to be the present time.
FRESH_FOR = timedelta(minutes=15)

MESSAGES = {
    "00": "成功",
    "04": "交易状态未明，请查询对账结果",
    "05": "交易已受理，请稍后查询交易结果",
    "06": "系统繁忙，请稍后再试",
    "10": "报文格式错误",
    "11": "验证签名失败",
    "12": "重复交易",
    "30": "交易未通过，请尝试使用其他银联卡支付",
    "33": "交易金额超限",
    "34": "查无此交易",
    "35": "原交易不存在或状态不正确",
    "98": "文件不存在",
}


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, not a fault
    """An answer other than 00."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def now_text() -> str:
    return datetime.now(ZONE).strftime(TIME_FORMAT)


def read_time(text: str) -> datetime:
    """Return a moment of Beijing. Raises `ValueError`."""
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=ZONE)


def _digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def _check_order(fields: Mapping[str, str]) -> None:
    """Refuse what UnionPay would: form of numbers and amounts, an old `txnTime`."""
    try:
        sent_at = read_time(fields.get("txnTime", ""))
        amount = fields.get("txnAmt", "")
        is_well_formed = (
            re.fullmatch(r"[0-9A-Za-z]{8,40}", fields.get("orderId", ""))
            and re.fullmatch(r"[1-9][0-9]{0,11}", amount)
            and fields.get("currencyCode") == "156"
        )
    except ValueError as error:
        raise Refusal("10") from error
    if not is_well_formed or abs(datetime.now(ZONE) - sent_at) > FRESH_FOR:
        raise Refusal("10")


def is_over(trade: Document) -> bool:
    """Whether `payTimeout` has passed."""
    return bool(trade["expires_at"]) and now_text() > trade["expires_at"]


class TradeBook:
    """All orders and refunds, in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def edit(self, number: str) -> AbstractContextManager[Document]:
        """Hand out an order for change, alone. Raises `KeyError`."""
        return self._store.edit(KIND, number)

    def edit_refund(self, number: str) -> AbstractContextManager[Document]:
        """Hand out a refund for change, alone. Raises `KeyError`."""
        return self._store.edit(REFUND_KIND, number)

    def open_trade(self, fields: Mapping[str, str]) -> Document:
        """Return the order of a front request, new or the one of the same request before."""
        _check_order(fields)
        if fields.get("payTimeout"):
            try:
                read_time(fields["payTimeout"])
            except ValueError as error:
                raise Refusal("10") from error
        number = fields["orderId"]
        known = self._store.get(KIND, number)
        if known is not None:
            asked = (fields["txnTime"], int(fields["txnAmt"]))
            if (known["txn_time"], known["amount_fen"]) != asked:
                raise Refusal("12")
            if known["code"] in PAID:
                raise Refusal("12")
            return known
        trade = {
            "number": number,
            "token": secrets.token_urlsafe(16),
            "txn_time": fields["txnTime"],
            "amount_fen": int(fields["txnAmt"]),
            "paid_fen": None,
            "code": None,
            "query_id": f"{_digits(2)}{now_text()[2:]}{_digits(7)}",
            "trace_no": _digits(6),
            "channel": fields.get("channelType", ""),
            "front_url": fields.get("frontUrl", ""),
            "back_url": fields.get("backUrl", ""),
            "expires_at": fields.get("payTimeout", ""),
            "paid_at": "",
        }
        self._store.put(KIND, number, trade)
        return trade

    def get(self, number: str) -> Document:
        """Return an order with its refunds. Raises `KeyError`."""
        trade = self._store.get(KIND, number)
        if trade is None:
            raise KeyError(number)
        refunds = {
            key: refund["amount_fen"]
            for key, refund in self._store.list(REFUND_KIND).items()
            if refund["payment"] == number
        }
        return {**trade, "refunds": refunds}

    def get_refund(self, number: str) -> Document:
        """Return a refund as it stands. Raises `KeyError`."""
        refund = self._store.get(REFUND_KIND, number)
        if refund is None:
            raise KeyError(number)
        return refund

    def find_by_token(self, token: str) -> Document | None:
        for trade in self.list_trades():
            if secrets.compare_digest(str(trade["token"]), token):
                return trade
        return None

    def find(self, fields: Mapping[str, str]) -> tuple[str, Document] | None:
        """Return kind and document of what a query means: by number and time, or by UnionPay's
        own number. Orders that nobody has tried to pay are not known."""
        for kind in (KIND, REFUND_KIND):
            for number, document in self._store.list(kind).items():
                names = (number, document["txn_time"])
                is_meant = (fields.get("orderId"), fields.get("txnTime")) == names
                is_meant = is_meant or fields.get("queryId") == document["query_id"]
                if is_meant and document["code"] is not None:
                    return kind, document
        return None

    def list_trades(self) -> list[Document]:
        return list(self._store.list(KIND).values())

    def list_refunds(self) -> list[Document]:
        return list(self._store.list(REFUND_KIND).values())

    def pay(self, number: str, *, amount_fen: int | None = None) -> None:
        """Move the money, whatever the state: an order past its time too, by a test."""
        with self.edit(number) as trade:
            trade["code"] = "00"
            trade["paid_fen"] = (
                trade["amount_fen"] if amount_fen is None else amount_fen
            )
            trade["paid_at"] = now_text()

    def fail(self, number: str) -> None:
        with self.edit(number) as trade:
            trade["code"] = CARD_REFUSED

    def add_refund(self, fields: Mapping[str, str]) -> Document:
        """Pay back (a part of) an order, once for each number."""
        _check_order(fields)
        number = fields["orderId"]
        if self._store.get(REFUND_KIND, number) is not None:
            raise Refusal("12")
        payments = [
            trade
            for trade in self.list_trades()
            if trade["query_id"] == fields.get("origQryId") and trade["code"] in PAID
        ]
        if not payments:
            raise Refusal("35")
        payment = self.get(payments[0]["number"])
        amount_fen = int(fields["txnAmt"])
        if sum(payment["refunds"].values()) + amount_fen > payment["paid_fen"]:
            raise Refusal("33")
        refund = {
            "number": number,
            "payment": payment["number"],
            "payment_query_id": payment["query_id"],
            "txn_time": fields["txnTime"],
            "amount_fen": amount_fen,
            "paid_fen": amount_fen,
            "code": "00",
            "query_id": f"{_digits(2)}{now_text()[2:]}{_digits(7)}",
            "trace_no": _digits(6),
            "back_url": fields.get("backUrl", ""),
            "paid_at": now_text(),
        }
        self._store.put(REFUND_KIND, number, refund)
        return refund
