"""The daily bill of WeChat Pay: asked for, fetched, checked, read."""

import gzip
import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from orders.payments.protocol import (
    BillLine,
    Charge,
    GatewayUnavailable,
    Return,
)
from orders.payments.registry import get_gateway
from orders.payments.wechat_pay_bill import read_bill
from portal.sandbox import SandboxServer
from portal.sandbox.wechat_pay_bills import HEADER, TOTAL_HEADER
from tests.sandbox.test_protocol import make_charge
from tests.sandbox.test_wechat_pay import start

ZONE = ZoneInfo("Asia/Shanghai")
APP_ID = "wx0000000000000001"
OTHER_APP_ID = "wx0000000000000009"
# A row of WeChat's own manual with numbers of our form; its title holds a comma.
PAYMENT = (
    f"`2026-06-15 10:05:01,`{APP_ID},`1900000001,`0,`,`4200001,`R260615AAAA,`oX,`NATIVE,"
    "`SUCCESS,`CFT,`CNY,`30.00,`3.00,`0,`0,`0.00,`0.00,`,`,`公需科目,2026年,`,`0.20000,`0.60%,"
    "`33.00,`0.00,`"
)
REFUND = (
    f"`2026-06-15 11:00:00,`{APP_ID},`1900000001,`0,`,`4200001,`R260615AAAA,`oX,`NATIVE,"
    "`REFUND,`CFT,`CNY,`0.00,`0.00,`5030001,`F260615AAAA,`9.00,`1.00,`ORIGINAL,`SUCCESS,"
    "`公需科目,`,`-0.06000,`0.60%,`0.00,`10.00,`"
)
TOTAL = "`2,`30.00,`9.00,`1.00,`0.14000,`33.00,`10.00"


def make_bill(*rows: str, total: bool = True) -> bytes:
    lines = [HEADER, *rows, *([TOTAL_HEADER, TOTAL] if total else [])]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def digest(bill: bytes) -> str:
    return hashlib.sha1(bill, usedforsecurity=False).hexdigest()


def read(bill: bytes, packed: bytes | None = None) -> list[BillLine]:
    content = gzip.compress(bill) if packed is None else packed
    return read_bill(content, digest=digest(bill), app_id=APP_ID)


# --- Reading -----------------------------------------------------------------------------


def test_payments_and_refunds_are_read() -> None:
    at = datetime(2026, 6, 15, 10, 5, 1, tzinfo=ZONE)

    assert read(make_bill(PAYMENT, REFUND)) == [
        # What was asked for, a coupon's share included.
        BillLine("R260615AAAA", 3300, "4200001", at=at),
        BillLine(
            "R260615AAAA",
            1000,
            "4200001",
            refund_number="F260615AAAA",
            at=at.replace(hour=11, minute=0, second=0),
        ),
    ]


def test_refund_that_failed_is_no_money() -> None:
    failed = REFUND.replace("`ORIGINAL,`SUCCESS", "`ORIGINAL,`FAIL")

    assert [line.refund_number for line in read(make_bill(PAYMENT, failed))] == [""]


def test_money_of_another_application_is_left_out() -> None:
    other = PAYMENT.replace(APP_ID, OTHER_APP_ID)

    assert read(make_bill(other)) == []


def test_bill_that_came_unpacked_is_read_as_well() -> None:
    bill = make_bill(PAYMENT)

    assert len(read(bill, packed=bill)) == 1


@pytest.mark.parametrize(
    "bill",
    [
        make_bill(PAYMENT, total=False),
        make_bill(PAYMENT[:60]),
        make_bill(PAYMENT.replace("`33.00,", "`33.001,")),
        make_bill(PAYMENT.replace("2026-06-15", "15.06.2026")),
        make_bill(PAYMENT).replace("商户订单号".encode(), "订单号".encode()),
        b"",
        b"\xff\xfe",
    ],
    ids=["no end", "short row", "amount", "time", "columns", "empty", "bytes"],
)
def test_bill_that_cannot_be_read_to_its_end_is_no_bill(bill: bytes) -> None:
    with pytest.raises(GatewayUnavailable):
        read(bill)


def test_changed_bill_is_no_bill() -> None:
    bill = make_bill(PAYMENT)
    changed = gzip.compress(bill.replace(b"33.00", b"99.00"))

    with pytest.raises(GatewayUnavailable, match="announced"):
        read(bill, packed=changed)


def test_bill_cut_off_on_its_way_is_no_bill() -> None:
    bill = make_bill(PAYMENT, REFUND)

    with pytest.raises(GatewayUnavailable, match="cut off"):
        read(bill, packed=gzip.compress(bill)[:-20])


def test_bill_that_unpacks_to_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orders.payments.wechat_pay_bill.SIZE_LIMIT", 1000)

    with pytest.raises(GatewayUnavailable, match="too large"):
        read(b"0" * 5000)


# --- Fetching ----------------------------------------------------------------------------


@pytest.fixture
def yesterday() -> date:
    return timezone.now().astimezone(ZONE).date() - timedelta(days=1)


@pytest.fixture
def sold(sandbox: SandboxServer, yesterday: date) -> Iterator[Charge]:
    """A payment of yesterday with a refund of the same day."""
    charge = make_charge(title="公需科目,2026年")
    start(charge)
    sandbox.wechat_pay.pay(charge.number)
    back = Return(f"F{charge.number}", 1000, timezone.now())
    get_gateway("wechat").refund(charge, back, "http://127.0.0.1:1/")
    move(sandbox, charge.number, f"{yesterday}T10:05:01+08:00")
    sandbox.wechat_pay.requests.clear()
    yield charge
    move(sandbox, charge.number, "2020-01-01T00:00:00+08:00")


def move(sandbox: SandboxServer, number: str, moment: str) -> None:
    with sandbox.wechat_pay.trades.edit(number) as trade:
        trade["paid_at"] = moment
        for refund in trade["refunds"].values():
            refund["created_at"] = moment


def test_bill_of_a_day_names_its_money(
    sandbox: SandboxServer, sold: Charge, yesterday: date
) -> None:
    lines = list(get_gateway("wechat").read_bill(yesterday))

    transaction = sandbox.wechat_pay.show(sold.number)["transaction_id"]
    at = datetime.combine(yesterday, datetime.min.time(), ZONE).replace(
        hour=10, minute=5, second=1
    )
    assert lines == [
        BillLine(sold.number, 3300, transaction, at=at),
        BillLine(sold.number, 1000, transaction, f"F{sold.number}", at),
    ]


@pytest.mark.parametrize(
    "fault", ["hang", "html", "system_error", "bad_signature", "bad_hash"]
)
@pytest.mark.usefixtures("sold")
def test_doubtful_answer_is_no_bill(
    sandbox: SandboxServer, yesterday: date, fault: str
) -> None:
    sandbox.wechat_pay.faults.append(fault)

    with pytest.raises(GatewayUnavailable):
        get_gateway("wechat").read_bill(yesterday)


@pytest.mark.parametrize("fault", ["hang", "html", "system_error"])
@pytest.mark.usefixtures("sold")
def test_download_that_fails_is_no_bill(
    sandbox: SandboxServer, yesterday: date, fault: str
) -> None:
    sandbox.wechat_pay.faults.extend(["", fault])

    with pytest.raises(GatewayUnavailable):
        get_gateway("wechat").read_bill(yesterday)


def test_day_without_business_is_an_empty_bill(sandbox: SandboxServer) -> None:
    assert list(get_gateway("wechat").read_bill(date(2019, 1, 1))) == []


@pytest.mark.parametrize(
    ("now", "is_made"),
    [
        (datetime(2019, 1, 2, 9, 59, tzinfo=ZONE), False),
        (datetime(2019, 1, 2, 10, 0, tzinfo=ZONE), True),
    ],
)
def test_missing_bill_before_ten_o_clock_is_only_not_made_yet(
    sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    now: datetime,
    is_made: bool,
) -> None:
    gateway: Any = get_gateway("wechat")
    monkeypatch.setattr(gateway, "_now", lambda: now)

    if is_made:
        assert gateway.read_bill(date(2019, 1, 1)) == []
    else:
        with pytest.raises(GatewayUnavailable):
            gateway.read_bill(date(2019, 1, 1))


def test_bill_of_today_is_not_made_yet(sandbox: SandboxServer) -> None:
    with pytest.raises(GatewayUnavailable):
        get_gateway("wechat").read_bill(timezone.now().astimezone(ZONE).date())


def test_bill_at_a_strange_address_is_not_fetched(
    sandbox: SandboxServer, yesterday: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway: Any = get_gateway("wechat")
    answer = (
        '{"hash_value": "0", "download_url": "http://127.0.0.1:1@evil.example/bill"}'
    )
    monkeypatch.setattr(gateway._client, "trade_bill", lambda **_: (200, answer))
    fetched: list[str] = []
    monkeypatch.setattr(gateway._client, "download_bill", fetched.append)

    with pytest.raises(GatewayUnavailable, match="strange address"):
        gateway.read_bill(yesterday)

    assert fetched == []
