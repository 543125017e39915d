"""The daily trade bill of the WeChat Pay simulator: CSV with backticks, gzip, SHA-1."""

import gzip
import hashlib
import re
from collections.abc import Iterable
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from portal.lib.money import format_yuan
from portal.sandbox.store import Document
from portal.sandbox.wechat_pay_trades import ZONE, Refusal

HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,"
    "交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,"
    "充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,"
    "申请退款金额,费率备注"
)
TOTAL_HEADER = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,"
    "手续费总金额,订单总金额,申请退款总金额"
)


def read_day(text: str) -> date:
    """Return the day of a bill request: one that is over."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, "PARAM_ERROR", "账单日期格式错误"
        ) from error
    if day >= datetime.now(ZONE).date():
        raise Refusal(HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", "账单日期不正确")
    return day


def make_bill(
    trades: Iterable[Document], day: date, *, app_id: str, merchant_id: str
) -> bytes:
    """Return the bill of a day, not packed; empty when nothing happened."""
    rows = []
    paid_fen = refunded_fen = 0
    for trade in trades:
        head = _Row(trade, app_id, merchant_id)
        if _is_on(trade["paid_at"], day):
            paid_fen += trade["paid_fen"]
            rows.append(head.make_payment())
        for refund in trade["refunds"].values():
            if _is_on(refund["created_at"], day):
                refunded_fen += refund["amount_fen"]
                rows.append(head.make_refund(refund))
    if not rows:
        return b""
    paid, refunded = format_yuan(paid_fen), format_yuan(refunded_fen)
    total = [str(len(rows)), paid, refunded, "0.00", "0.00000", paid, refunded]
    lines = [HEADER, *map(_join, rows), TOTAL_HEADER, _join(total), ""]
    return ("\ufeff" + "\r\n".join(lines)).encode()


def pack(bill: bytes) -> tuple[bytes, str]:
    """Return the packed bill and the digest of the unpacked one."""
    return gzip.compress(bill), hashlib.sha1(bill, usedforsecurity=False).hexdigest()


def _is_on(moment: str, day: date) -> bool:
    return moment.startswith(day.isoformat())


def _join(fields: Iterable[str]) -> str:
    return ",".join(f"`{field}" for field in fields)


class _Row:
    """The fields that rows of one trade share."""

    def __init__(self, trade: Document, app_id: str, merchant_id: str) -> None:
        self._trade = trade
        self._app_id = app_id
        self._merchant_id = merchant_id

    def make_payment(self) -> list[str]:
        paid = format_yuan(self._trade["paid_fen"])
        money = {"settled": paid, "ordered": paid, "refunded": "0.00"}
        return self._make(self._trade["paid_at"], "SUCCESS", {}, money)

    def make_refund(self, refund: Document) -> list[str]:
        back = format_yuan(refund["amount_fen"])
        money = {"settled": "0.00", "ordered": "0.00", "refunded": back}
        return self._make(refund["created_at"], "REFUND", refund, money)

    def _make(
        self, moment: str, state: str, refund: dict[str, Any], money: dict[str, str]
    ) -> list[str]:
        trade = self._trade
        at = datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M:%S")
        # A row is one line, whatever a title holds; a comma stays, as in the real ones.
        title = re.sub(r"\s", " ", trade["subject"])
        return [
            *(at, self._app_id, self._merchant_id, "0", ""),
            *(trade["transaction_id"], trade["number"], trade["payer"] or "oSANDBOX"),
            *(trade["trade_type"], state, "OTHERS", "CNY", money["settled"], "0.00"),
            *(refund.get("refund_id", "0"), refund.get("number", "0")),
            *(money["refunded"], "0.00", "ORIGINAL" if refund else ""),
            *(refund.get("status", ""), title, "", "0.00000", "0.60%"),
            *(money["ordered"], money["refunded"], ""),
        ]
