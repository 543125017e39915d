"""The daily bill of the Alipay simulator: details and summary in GBK, zipped."""

import csv
import io
import secrets
import threading
import time
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from portal.lib.money import format_yuan
from portal.sandbox.store import Document

BILL_PATH = "/alipay/bill/"
# The address of a bill is good for so long (vendor).
VALID_SECONDS = 30

COLUMNS = (
    *("支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间"),
    *("门店编号", "门店名称", "操作员", "终端号", "对方账户", "订单金额（元）"),
    *("商家实收（元）", "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）"),
    *("商家优惠（元）", "券核销金额（元）", "券名称", "商家红包消费金额（元）"),
    *("卡消费金额（元）", "退款批次号/请求号", "服务费（元）", "分润（元）", "备注"),
)
SUMMARY = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）"
RULE = "-" * 40


class BillShelf:
    """Bills that wait for a while at an address nobody guesses."""

    def __init__(self) -> None:
        self._bills: dict[str, tuple[float, bytes]] = {}
        self._lock = threading.Lock()

    def put(self, content: bytes) -> str:
        """Keep a bill and return its path."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._bills[token] = (time.monotonic() + VALID_SECONDS, content)
        return BILL_PATH + token

    def take(self, token: str) -> bytes | None:
        with self._lock:
            ends_at, content = self._bills.get(token, (0.0, b""))
        return content if time.monotonic() < ends_at else None


def make_bill(trades: Iterable[Document], seller: str, day: str) -> bytes | None:
    """Return the zip of a day written yyyy-MM-dd, None for a day without business."""
    rows = [row for trade in trades for row in _list_rows(trade, day)]
    if not rows:
        return None
    table = io.StringIO()
    csv.writer(table).writerows([COLUMNS, *rows])
    begins = date.fromisoformat(day)
    ends = begins + timedelta(days=1)
    remarks = (
        "#支付宝业务明细查询",
        f"#账号：[{seller}0156]",
        f"#起始日期：[{begins:%Y年%m月%d日} 00:00:00]   "
        f"终止日期：[{ends:%Y年%m月%d日} 00:00:00]",
        f"#{RULE}业务明细列表{RULE}",
    )
    end = (
        f"#{RULE}业务明细列表结束{RULE}",
        f"#导出时间：[{ends:%Y年%m月%d日} 09:00:00]",
    )
    details = "\r\n".join([*remarks, table.getvalue().rstrip(), *end])
    summary = "\r\n".join([*remarks[:3], SUMMARY, f"合计,,{len(rows)},0,0.00"])
    name = f"{seller}0156_{begins:%Y%m%d}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}_业务明细(汇总).csv", summary.encode("gbk"))
        archive.writestr(f"{name}_业务明细.csv", details.encode("gbk"))
    return packed.getvalue()


def _list_rows(trade: Document, day: str) -> Iterator[list[str]]:
    if trade["paid_at"].startswith(day):
        yield _make_row(trade, "交易", trade["paid_at"], trade["paid_fen"])
    for number, amount_fen in trade["refunds"].items():
        moment = trade.get("refund_times", {}).get(number, "")
        if moment.startswith(day):
            yield _make_row(trade, "退款", moment, -amount_fen, number)


def _make_row(
    trade: Document, kind: str, moment: str, amount_fen: int, refund_number: str = ""
) -> list[str]:
    amount = format_yuan(amount_fen)
    values = {
        # The tab keeps sheets from rounding long numbers.
        "支付宝交易号": f"{trade['trade_no']}\t",
        "商户订单号": f"{trade['number']}\t",
        "业务类型": kind,
        "商品名称": trade["subject"],
        "创建时间": trade["created_at"],
        "完成时间": moment,
        "对方账户": "tes***@sandbox.com",
        "订单金额（元）": amount,
        "商家实收（元）": amount,
        "退款批次号/请求号": f"{refund_number}\t" if refund_number else "",
    }
    return [values.get(name, "") for name in COLUMNS]
