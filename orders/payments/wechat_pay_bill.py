"""WeChat Pay's daily trade bill: a packed table whose fields each begin with a backtick."""

import hashlib
import zlib
from collections.abc import Iterator
from datetime import datetime
from hmac import compare_digest
from zoneinfo import ZoneInfo

from orders.payments.protocol import BillLine, GatewayUnavailable
from portal.lib.money import parse_yuan

BILL_ZONE = ZoneInfo("Asia/Shanghai")
GZIP_MARK = b"\x1f\x8b"
# Two hundred bytes a line: half a million payments in one day.
SIZE_LIMIT = 100 * 1024 * 1024

NUMBER = "商户订单号"
GATEWAY_NUMBER = "微信订单号"
APP_ID = "公众账号ID"
TIME = "交易时间"
STATE = "交易状态"
ORDERED = "订单金额"
REFUND_NUMBER = "商户退款单号"
REFUND_STATE = "退款状态"
REFUNDED = "申请退款金额"
COLUMNS = (
    *(NUMBER, GATEWAY_NUMBER, APP_ID, TIME, STATE, ORDERED),
    *(REFUND_NUMBER, REFUND_STATE, REFUNDED),
)
# The first column of the totals, which end every bill.
TOTAL = "总交易单数"


def read_bill(packed: bytes, *, digest: str, app_id: str) -> list[BillLine]:
    """Return the lines of a downloaded bill.

    One merchant number may serve several applications; those of others are left out. Raises
    `GatewayUnavailable` when the bill is not the one the digest was made of, or ends early.
    """
    content = _unpack(packed)
    actual = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    if not compare_digest(actual, digest.lower()):
        raise GatewayUnavailable("the bill is not what was announced")
    try:
        rows = list(_read_rows(content.decode("utf-8-sig")))
        lines = [_read_line(row) for row in rows if row[APP_ID] == app_id]
    except (ValueError, KeyError) as error:
        raise GatewayUnavailable("the bill cannot be read") from error
    return [line for line in lines if line is not None]


def _unpack(packed: bytes) -> bytes:
    if not packed.startswith(GZIP_MARK):
        # Whatever carried it has unpacked it already.
        return packed
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        content = reader.decompress(packed, SIZE_LIMIT)
    except zlib.error as error:
        raise GatewayUnavailable("the bill cannot be unpacked") from error
    if not reader.eof:
        raise GatewayUnavailable("the bill is cut off or too large")
    return content


def _read_rows(text: str) -> Iterator[dict[str, str]]:
    """Yield each line by column name; raises `ValueError` unless the totals end the bill."""
    lines = iter(text.splitlines())
    header = next(lines, "").split(",")
    if missing := set(COLUMNS) - set(header):
        raise ValueError(f"no column {missing}")
    for line in lines:
        if line.startswith(TOTAL):
            return
        # A title may hold commas; the backtick is what begins a field.
        fields = line.removeprefix("`").split(",`")
        yield dict(zip(header, fields, strict=True))
    raise ValueError("no totals")


def _read_line(row: dict[str, str]) -> BillLine | None:
    is_refund = row[STATE] == "REFUND"
    if is_refund and row[REFUND_STATE] == "FAIL":
        return None
    return BillLine(
        attempt_number=row[NUMBER],
        amount_fen=parse_yuan(row[REFUNDED if is_refund else ORDERED]),
        gateway_number=row[GATEWAY_NUMBER],
        refund_number=row[REFUND_NUMBER] if is_refund else "",
        at=datetime.strptime(row[TIME], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BILL_ZONE),
    )
