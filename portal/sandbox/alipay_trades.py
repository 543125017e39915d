"""Trades of the Alipay simulator: what the merchant's calls and the buyer do to them.

A trade exists for query and close only from the moment when the buyer has entered the
cashier (vendor), which is a status of None here before that.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from zoneinfo import ZoneInfo

from portal.lib.money import format_yuan, parse_yuan
from portal.sandbox.store import Document, Store

ZONE = ZoneInfo("Asia/Shanghai")
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
BUYER_ID = "2088000000000002"
KIND = "alipay trade"

PAGE_METHODS = {
    "alipay.trade.page.pay": "FAST_INSTANT_TRADE_PAY",
    "alipay.trade.wap.pay": "QUICK_WAP_PAY",
}
PAID_STATES = ("TRADE_SUCCESS", "TRADE_FINISHED")


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, not a fault
    """An answer other than 10000."""

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        super().__init__(sub_code)
        messages = {
            "40004": "Business Failed",
            "20000": "Service Currently Unavailable",
        }
        self.answer = {
            "code": code,
            "msg": messages.get(code, "Invalid Arguments"),
            "sub_code": sub_code,
            "sub_msg": sub_msg,
        }


def format_now() -> str:
    return datetime.now(ZONE).strftime(TIME_FORMAT)


def read_time(text: str) -> datetime:
    """Return a moment that is written without its zone. Raises `ValueError`."""
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=ZONE)


def _digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


def check_order(method: str, business: Mapping[str, str]) -> None:
    try:
        amount_fen = parse_yuan(business.get("total_amount", ""))
        if business.get("time_expire"):
            read_time(business["time_expire"])
    except ValueError as error:
        raise Refusal("40004", "ACQ.INVALID_PARAMETER", "参数无效") from error
    subject = business.get("subject", "")
    if (
        not re.fullmatch(r"[0-9A-Za-z_]{1,64}", business.get("out_trade_no", ""))
        or not 1 <= amount_fen <= 10_000_000_000
        or not 1 <= len(subject) <= 256
        or re.search(r"[/=&]", subject)
        or business.get("product_code") != PAGE_METHODS[method]
    ):
        raise Refusal("40004", "ACQ.INVALID_PARAMETER", "参数无效")


def expire(trade: Document) -> None:
    """Close a trade whose `time_expire` has passed."""
    unpaid = trade["status"] in (None, "WAIT_BUYER_PAY")
    if unpaid and trade["expires_at"] and format_now() > trade["expires_at"]:
        trade["expired"] = True
        if trade["status"] is not None:
            trade["status"] = "TRADE_CLOSED"


def answer_query(trade: Document, _business: Mapping[str, str]) -> Document:
    paid_fen = trade["paid_fen"] or trade["amount_fen"]
    answer = {
        "out_trade_no": trade["number"],
        "trade_no": trade["trade_no"],
        "trade_status": trade["status"],
        "total_amount": format_yuan(paid_fen),
        "buyer_logon_id": "tes***@sandbox.com",
        "buyer_user_id": BUYER_ID,
        # A lone brace inside a value, as a shop's own text may bring it.
        "subject": trade["subject"] + "}模拟",
    }
    if trade["paid_at"]:
        answer["send_pay_date"] = trade["paid_at"]
    return answer


def close_trade(trade: Document, _business: Mapping[str, str]) -> Document:
    if trade["status"] == "TRADE_CLOSED":
        raise Refusal("40004", "ACQ.REASON_TRADE_STATUS_INVALID", "交易状态不合法")
    if trade["status"] != "WAIT_BUYER_PAY":
        raise Refusal("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    trade["status"] = "TRADE_CLOSED"
    return {"out_trade_no": trade["number"], "trade_no": trade["trade_no"]}


def refund_trade(trade: Document, business: Mapping[str, str]) -> Document:
    request_number = business.get("out_request_no", "")
    try:
        amount_fen = parse_yuan(business.get("refund_amount", ""))
    except ValueError as error:
        raise Refusal("40004", "ACQ.INVALID_PARAMETER", "参数无效") from error
    refunds: dict[str, int] = trade["refunds"]
    is_first = request_number not in refunds
    if is_first:
        add_refund(trade, request_number, amount_fen)
    return {
        "out_trade_no": trade["number"],
        "trade_no": trade["trade_no"],
        "fund_change": "Y" if is_first else "N",
        "refund_fee": format_yuan(sum(refunds.values())),
    }


def add_refund(trade: Document, request_number: str, amount_fen: int) -> None:
    if trade["status"] != "TRADE_SUCCESS":
        raise Refusal("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    refunds: dict[str, int] = trade["refunds"]
    total = sum(refunds.values()) + amount_fen
    paid_fen = trade["paid_fen"]
    if amount_fen < 1 or total > paid_fen or (total < paid_fen and not request_number):
        raise Refusal("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
    refunds[request_number] = amount_fen
    trade.setdefault("refund_times", {})[request_number] = format_now()
    if total == paid_fen:
        trade["status"] = "TRADE_CLOSED"


def answer_refund_query(trade: Document, business: Mapping[str, str]) -> Document:
    amount_fen = trade["refunds"].get(business.get("out_request_no", ""))
    if amount_fen is None:
        return {}
    return {
        "out_trade_no": trade["number"],
        "out_request_no": business["out_request_no"],
        "refund_amount": format_yuan(amount_fen),
        "refund_status": "REFUND_SUCCESS",
    }


class TradeBook:
    """All trades, in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def edit(self, number: str) -> AbstractContextManager[Document]:
        """Hand out a trade for change, alone. Raises `KeyError`."""
        return self._store.edit(KIND, number)

    def open_trade(
        self, parameters: Mapping[str, str], business: Mapping[str, str]
    ) -> Document:
        """Return the trade of a pay page, new or the one of the same request before."""
        number = business.get("out_trade_no", "")
        check_order(parameters["method"], business)
        known = self._store.get(KIND, number)
        if known is not None:
            if known["amount_fen"] != parse_yuan(business["total_amount"]):
                raise Refusal("40004", "ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
            if known["status"] in PAID_STATES:
                raise Refusal("40004", "ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
            return known
        trade = {
            "number": number,
            "token": secrets.token_urlsafe(16),
            "method": parameters["method"],
            "subject": business["subject"],
            "amount_fen": parse_yuan(business["total_amount"]),
            "paid_fen": None,
            "status": None,
            "trade_no": datetime.now(ZONE).strftime("%Y%m%d22001") + _digits(15),
            "notify_url": parameters.get("notify_url", ""),
            "return_url": parameters.get("return_url", ""),
            "expires_at": business.get("time_expire", ""),
            "created_at": format_now(),
            "paid_at": "",
            "refunds": {},
        }
        self._store.put(KIND, number, trade)
        return trade

    def get(self, number: str) -> Document:
        """Return a trade as it stands. Raises `KeyError`."""
        with self._store.edit(KIND, number) as trade:
            expire(trade)
            return trade

    def find_by_token(self, token: str) -> Document | None:
        for number, trade in self._store.list(KIND).items():
            if secrets.compare_digest(str(trade["token"]), token):
                return self.get(number)
        return None

    def list_trades(self) -> list[Document]:
        return list(self._store.list(KIND).values())

    def enter(self, number: str) -> Document:
        """The buyer logs in at the cashier: from now on the trade exists."""
        with self._store.edit(KIND, number) as trade:
            expire(trade)
            if trade["status"] is None and not trade.get("expired"):
                trade["status"] = "WAIT_BUYER_PAY"
            return trade

    def pay(self, number: str, *, amount_fen: int | None = None) -> Document:
        """Move the money, whatever the state: a closed trade too can be paid by a test.

        `amount_fen` pays another amount than was asked for.
        """
        with self._store.edit(KIND, number) as trade:
            trade["status"] = "TRADE_SUCCESS"
            trade["paid_fen"] = (
                trade["amount_fen"] if amount_fen is None else amount_fen
            )
            trade["paid_at"] = format_now()
            return trade


# What a merchant's server may call.
METHODS: dict[str, Callable[[Document, Mapping[str, str]], Document]] = {
    "alipay.trade.query": answer_query,
    "alipay.trade.close": close_trade,
    "alipay.trade.refund": refund_trade,
    "alipay.trade.fastpay.refund.query": answer_refund_query,
}
