"""Alipay's daily trade bill: a zip with tables in GBK, fetched from an address that lives for
half a minute.

Columns: the vendor's 业务明细 as merchants download it. Lines that begin with # are remarks.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests

from orders.payments.bill_files import BILL_LIMIT, unzip
from orders.payments.protocol import BillLine
from portal.lib.money import parse_yuan

BILL_ZONE = ZoneInfo("Asia/Shanghai")
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"

GATEWAY_NUMBER = "支付宝交易号"
NUMBER = "商户订单号"
KIND = "业务类型"
FINISHED = "完成时间"
AMOUNT = "订单金额（元）"
REFUND_NUMBER = "退款批次号/请求号"
COLUMNS = (GATEWAY_NUMBER, NUMBER, KIND, FINISHED, AMOUNT, REFUND_NUMBER)
REFUND = "退款"
# 「#账号：[20880000000000010156]」: the merchant's number and a suffix.
ACCOUNT_MARK = "#账号："

_CONNECT_SECONDS = 5


def fetch(url: str, *, gateway: str, timeout_seconds: float) -> bytes:
    """Return what lies at a bill's address. Raises `OSError` and `ValueError`.

    The address comes in a signed answer; even so nothing is asked but Alipay's own hosts,
    or the gateway's where that is another.
    """
    parts, own = urlsplit(url), urlsplit(gateway)
    is_vendor = (parts.hostname or "").endswith(".alipay.com")
    if parts.scheme not in ("http", "https") or not (
        is_vendor or parts.netloc == own.netloc
    ):
        raise ValueError("the bill lies at a strange address")
    with requests.get(
        url,
        timeout=(_CONNECT_SECONDS, timeout_seconds),
        allow_redirects=False,
        stream=True,
    ) as response:
        if response.status_code != requests.codes.ok:
            raise ValueError(f"HTTP {response.status_code}")
        content = bytearray()
        for part in response.iter_content(64 * 1024):
            content += part
            if len(content) > BILL_LIMIT:
                raise ValueError("the bill is too large")
    return bytes(content)


def read_bill(content: bytes, seller: str) -> list[BillLine]:
    """Return the lines of a zip. Raises `ValueError` for what cannot be read to its end or is
    another merchant's."""
    tables = [text.decode("gbk") for text in unzip(content).values()]
    # Beside the details lies a summary with other columns.
    details = [table for table in tables if _find_header(table) is not None]
    if not details:
        raise ValueError("the archive holds no details")
    return [line for table in details for line in _read_table(table, seller)]


def _find_header(table: str) -> list[str] | None:
    for line in table.splitlines():
        if not line.startswith("#"):
            header = _split(line)
            return header if set(COLUMNS) <= set(header) else None
    return None


def _split(line: str) -> list[str]:
    # Numbers end in a tab, so that sheets do not round them.
    return [cell.strip() for cell in next(csv.reader([line]), [])]


def _read_table(table: str, seller: str) -> Iterator[BillLine]:
    header: list[str] = []
    for line in table.splitlines():
        if line.startswith(ACCOUNT_MARK):
            account = line.removeprefix(ACCOUNT_MARK).strip(" []\t")
            if not account.startswith(seller):
                raise ValueError("the bill of another merchant")
        if line.startswith("#") or not line.strip():
            continue
        if not header:
            header = _split(line)
            continue
        yield _read_line(dict(zip(header, _split(line), strict=True)))


def _read_line(row: dict[str, str]) -> BillLine:
    """A refund has a negative amount; its number is the payment's when none was given."""
    text = row[AMOUNT]
    is_refund = row[KIND] == REFUND or text.startswith("-")
    moment = datetime.strptime(row[FINISHED], TIME_FORMAT)  # noqa: DTZ007
    return BillLine(
        attempt_number=row[NUMBER],
        amount_fen=parse_yuan(text.removeprefix("-")),
        gateway_number=row[GATEWAY_NUMBER],
        refund_number=(row[REFUND_NUMBER] or row[NUMBER]) if is_refund else "",
        at=moment.replace(tzinfo=BILL_ZONE),
    )
