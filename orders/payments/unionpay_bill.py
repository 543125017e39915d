"""UnionPay's daily file: base64 of a deflated zip with one line of fixed width an entry (ZM).

Widths: 《全渠道平台接入接口规范 第3部分 文件接口》 6.1, as UnionPay's own demo reads them.
"""

import base64
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from orders.payments.bill_files import BILL_LIMIT, unzip
from orders.payments.protocol import BillLine
from orders.payments.unionpay_wire import read_amount, read_time_near

# In bytes; between two fields stands one more. What follows the merchant is not read.
# fmt: off
_WIDTHS = (3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4,
           32, 1, 21, 15)
# fmt: on
_STARTS = tuple(accumulate(_WIDTHS, lambda start, width: start + width + 1, initial=0))
_TIME, _AMOUNT, _QUERY_ID, _ORDER_ID, _TYPE, _ORIGINAL, _MERCHANT = (
    4,
    6,
    9,
    11,
    19,
    26,
    27,
)

PAYMENT = "01"
# 退货 and 消费撤销.
REFUNDS = ("04", "31")


@dataclass(frozen=True)
class Entry:
    """One line of the file."""

    kind: str
    number: str
    query_id: str
    original_query_id: str
    amount_fen: int
    at: datetime


def read_file(content: str, merchant_id: str, *, near: datetime) -> list[Entry]:
    """Return the entries in an answer's `fileContent`; `near` is a time of that day.

    Raises `ValueError` for what cannot be read to its end or is another merchant's.
    """
    try:
        packed = base64.b64decode(content, validate=True)
        inflater = zlib.decompressobj()
        archive = inflater.decompress(packed, BILL_LIMIT)
    except zlib.error as error:
        raise ValueError("fileContent is not deflated") from error
    if not inflater.eof:
        raise ValueError("fileContent is cut off or too large")
    files = [text for name, text in unzip(archive).items() if "ZM_" in name]
    if not files:
        raise ValueError("the archive holds no ZM file")
    return [
        _read_entry(line, merchant_id, near)
        for text in files
        for line in text.splitlines()
        if line.strip()
    ]


def _read_entry(line: bytes, merchant_id: str, near: datetime) -> Entry:
    if len(line) < _STARTS[len(_WIDTHS)] - 1:
        raise ValueError("a line is too short")

    def cut(place: int) -> str:
        start = _STARTS[place]
        return line[start : start + _WIDTHS[place]].decode("ascii").strip()

    amount_fen, at = read_amount(cut(_AMOUNT)), read_time_near(cut(_TIME), near)
    if amount_fen is None or at is None or cut(_MERCHANT) != merchant_id:
        raise ValueError("a line cannot be read or is not ours")
    return Entry(
        kind=cut(_TYPE),
        number=cut(_ORDER_ID),
        query_id=cut(_QUERY_ID),
        original_query_id=cut(_ORIGINAL),
        amount_fen=amount_fen,
        at=at,
    )


def describe(
    entries: Iterable[Entry], find_number: Callable[[str], str]
) -> Iterator[BillLine]:
    """Return the entries as payments and refunds.

    A refund names its payment by UnionPay's number only; `find_number` knows ours.
    """
    for entry in entries:
        if entry.kind == PAYMENT:
            yield BillLine(entry.number, entry.amount_fen, entry.query_id, at=entry.at)
        elif entry.kind in REFUNDS:
            yield BillLine(
                attempt_number=find_number(entry.original_query_id),
                amount_fen=entry.amount_fen,
                gateway_number=entry.original_query_id,
                refund_number=entry.number,
                at=entry.at,
            )
