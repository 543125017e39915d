"""The daily file of the UnionPay simulator: fixed width, zipped, deflated, base64."""

import base64
import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from portal.sandbox.store import Document
from portal.sandbox.unionpay_trades import PAYMENT, REFUND, read_time

# (name of what we fill or "", width in bytes), in the order of the ZM file.
# fmt: off
COLUMNS = (
    ("code", 3), ("", 11), ("", 11), ("trace_no", 6), ("time", 10), ("", 19), ("amount", 12),
    ("", 4), ("", 2), ("query_id", 21), ("", 2), ("number", 32), ("", 2), ("", 6), ("", 10),
    ("fee", 13), ("net", 13), ("", 4), ("", 15), ("type", 2), ("subtype", 2), ("business", 6),
    ("", 2), ("", 4), ("", 32), ("", 1), ("original", 21), ("merchant", 15), ("", 1), ("", 15),
    ("", 32), ("", 13), ("", 13), ("", 8), ("", 32), ("", 13), ("", 13), ("", 12), ("", 2),
    ("", 1), ("", 32), ("", 98),
)
# fmt: on


def clearing_day_of(paid_at: str) -> date:
    """The day in whose file a payment stands: from 23:00 on the next one."""
    moment: datetime = read_time(paid_at) + timedelta(hours=1)
    return moment.date()


def make_line(values: Mapping[str, str]) -> bytes:
    cells = [values.get(name, "").encode("gbk").ljust(width) for name, width in COLUMNS]
    return b" ".join(cells)


def _describe(entry: Document, merchant_id: str) -> dict[str, str]:
    is_refund = "payment" in entry
    sign = "D" if is_refund else "C"
    return {
        "code": "S30" if is_refund else "S22",
        "trace_no": entry["trace_no"],
        "time": entry["paid_at"][4:],
        "amount": f"{entry['paid_fen']:012d}",
        "query_id": entry["query_id"],
        "number": entry["number"],
        "fee": "C" + "0" * 12,
        "net": f"{sign}{entry['paid_fen']:012d}",
        "type": REFUND if is_refund else PAYMENT,
        "subtype": "00" if is_refund else "01",
        "business": "000201",
        "original": entry["payment_query_id"] if is_refund else "",
        "merchant": merchant_id,
    }


def make_file(
    entries: Iterable[Document], merchant_id: str, month_and_day: str
) -> tuple[str, str] | None:
    """Return name and `fileContent` of a clearing day (MMdd), None for a day without any."""
    chosen = [
        entry
        for entry in entries
        if entry["paid_at"]
        and f"{clearing_day_of(entry['paid_at']):%m%d}" == month_and_day
    ]
    if not chosen:
        return None
    day = clearing_day_of(chosen[0]["paid_at"])
    lines = [make_line(_describe(entry, merchant_id)) for entry in chosen]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            f"INN{day:%y%m%d}88ZM_{merchant_id}", b"\r\n".join(lines) + b"\r\n"
        )
        archive.writestr(f"INN{day:%y%m%d}88ZME_{merchant_id}", b"")
    content = base64.b64encode(zlib.compress(packed.getvalue())).decode()
    return f"{merchant_id}_{day:%Y%m%d}.zip", content
