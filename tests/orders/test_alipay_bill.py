"""Alipay's daily bill: a zip of GBK tables, read to its end or not at all."""

import io
import zipfile
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from orders.payments.alipay import AlipayGateway
from orders.payments.alipay_bill import fetch, read_bill
from orders.payments.protocol import BillLine, Charge, GatewayUnavailable
from orders.payments.registry import get_gateway
from portal.sandbox import SandboxServer
from portal.sandbox.alipay_bills import COLUMNS
from tests.sandbox.test_protocol import (
    NOTIFY_URL,
    make_charge,
    make_return,
    open_cashier,
)

SELLER = "2088000000000001"
GATEWAY = "https://openapi.alipay.com/gateway.do"
HEADER = ",".join(COLUMNS)


def make_row(**changes: str) -> str:
    values = {
        "支付宝交易号": "2026112122001400000000000001\t",
        "商户订单号": "R261121ABCDEFGHJKLMN\t",
        "业务类型": "交易",
        "商品名称": "2026年公需科目",
        "完成时间": "2026-11-21 10:00:30",
        "订单金额（元）": "33.00",
    }
    values |= changes
    return ",".join(values.get(name, "") for name in COLUMNS)


def pack(*lines: str, account: str = f"{SELLER}0156", name: str = "明细.csv") -> bytes:
    remarks = ["#支付宝业务明细查询", f"#账号：[{account}]", "#---业务明细列表---"]
    text = "\r\n".join([*remarks, HEADER, *lines, "#---业务明细列表结束---"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "汇总.csv", "#账号\r\n门店编号,门店名称\r\n合计,1".encode("gbk")
        )
        archive.writestr(name, text.encode("gbk"))
    return content.getvalue()


def test_payment_and_refunds_are_told_apart() -> None:
    refund = {"业务类型": "退款", "订单金额（元）": "-10.00"}
    content = pack(
        make_row(),
        make_row(**refund, **{"退款批次号/请求号": "T1\t"}),
        # Without a number of its own it was the whole payment.
        make_row(**refund),
    )

    at = datetime.fromisoformat("2026-11-21T10:00:30+08:00")
    trade, number = "2026112122001400000000000001", "R261121ABCDEFGHJKLMN"
    assert read_bill(content, SELLER) == [
        BillLine(number, 3300, trade, "", at),
        BillLine(number, 1000, trade, "T1", at),
        BillLine(number, 1000, trade, number, at),
    ]


def test_comma_in_a_title_is_part_of_it() -> None:
    (line,) = read_bill(pack(make_row(商品名称='"公需,专业"')), SELLER)

    assert line.amount_fen == 3300


def test_columns_may_come_in_another_order() -> None:
    content = pack(make_row())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("明细.csv").decode("gbk")
    lines = [
        ",".join(reversed(x.split(","))) if "," in x else x for x in text.split("\r\n")
    ]
    turned = io.BytesIO()
    with zipfile.ZipFile(turned, "w") as archive:
        archive.writestr("x.csv", "\r\n".join(lines).encode("gbk"))

    assert read_bill(turned.getvalue(), SELLER) == read_bill(content, SELLER)


def test_day_with_remarks_only_is_empty() -> None:
    assert read_bill(pack(), SELLER) == []


@pytest.mark.parametrize(
    "change",
    [
        {"订单金额（元）": "1e3"},
        {"订单金额（元）": ""},
        {"完成时间": "2026/11/21"},
        {"商品名称": "a,b"},
    ],
)
def test_one_broken_line_spoils_the_bill(change: dict[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several functions
        read_bill(pack(make_row(), make_row(**change)), SELLER)


def test_bill_of_another_merchant_is_refused() -> None:
    with pytest.raises(ValueError, match="another merchant"):
        read_bill(pack(make_row(), account="20880000000000020156"), SELLER)


@pytest.mark.parametrize("content", [b"", b"not a zip", pack(make_row())[:-60]])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a readable archive"):
        read_bill(content, SELLER)


def test_damaged_archive_is_refused() -> None:
    content = bytearray(pack(*[make_row()] * 50))
    content[len(content) // 2] ^= 0xFF

    with pytest.raises(ValueError):  # noqa: PT011 - of several libraries
        read_bill(bytes(content), SELLER)


def test_archive_without_details_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("汇总.csv", "门店编号,门店名称".encode("gbk"))

    with pytest.raises(ValueError, match="no details"):
        read_bill(content.getvalue(), SELLER)


def test_bomb_is_refused_before_it_is_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("明细.csv", b"0" * (65 * 1024 * 1024))

    with pytest.raises(ValueError, match="too large"):
        read_bill(content.getvalue(), SELLER)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "http://127.0.0.1:6379/",
        "https://alipay.com.example/bill",
        "https://evilalipay.com/bill",
    ],
)
def test_strange_address_is_not_asked(url: str) -> None:
    with pytest.raises(ValueError, match="strange address"):
        fetch(url, gateway=GATEWAY, timeout_seconds=1)


# --- From the simulated gateway --------------------------------------------------------------


def days_ago(count: int) -> date:
    """A day of its own for each test: the trades of the others stay where they are."""
    return timezone.localdate() - timedelta(days=count)


def pay_on(sandbox: SandboxServer, day: date) -> Charge:
    charge = make_charge(title="公需科目，第一批")
    open_cashier(charge)
    sandbox.alipay.trades.pay(charge.number)
    with sandbox.alipay.trades.edit(charge.number) as trade:
        trade["paid_at"] = f"{day} 10:11:12"
    return charge


def alipay() -> AlipayGateway:
    gateway = get_gateway("alipay")
    assert isinstance(gateway, AlipayGateway)
    return gateway


def test_bill_tells_payments_and_refunds_of_its_day(sandbox: SandboxServer) -> None:
    day = days_ago(20)
    pay_on(sandbox, day - timedelta(days=1))
    pay_on(sandbox, day + timedelta(days=1))
    charge = pay_on(sandbox, day)
    alipay().refund(charge, make_return(1000), NOTIFY_URL)
    with sandbox.alipay.trades.edit(charge.number) as trade:
        trade["refund_times"]["F1"] = f"{day} 23:59:59"

    payment, refund = alipay().read_bill(day)

    number = sandbox.alipay.trades.get(charge.number)["trade_no"]
    assert payment == BillLine(
        charge.number, 3300, number, "", datetime.fromisoformat(f"{day}T10:11:12+08:00")
    )
    assert refund == BillLine(
        charge.number,
        1000,
        number,
        "F1",
        datetime.fromisoformat(f"{day}T23:59:59+08:00"),
    )


@pytest.mark.parametrize(("hours", "is_known"), [(24, False), (35, False), (36, True)])
def test_missing_bill_is_an_empty_day_only_when_it_is_due(
    sandbox: SandboxServer, hours: int, *, is_known: bool
) -> None:
    day = days_ago(17)
    begins_at = datetime.fromisoformat(f"{day}T00:00:00+08:00")
    gateway = alipay()
    gateway._clock = lambda: begins_at + timedelta(hours=hours)

    if is_known:
        assert gateway.read_bill(day) == []
        return
    with pytest.raises(GatewayUnavailable, match="not made yet"):
        gateway.read_bill(day)


@pytest.mark.parametrize("fault", ["html", "bad_signature", "system_error"])
def test_doubtful_answer_means_ask_again(sandbox: SandboxServer, fault: str) -> None:
    day = days_ago(14)
    pay_on(sandbox, day)
    sandbox.alipay.faults.append(fault)

    with pytest.raises(GatewayUnavailable):
        alipay().read_bill(day)


def test_address_that_has_run_out_means_ask_again(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.sandbox.alipay_bills.VALID_SECONDS", 0)
    day = days_ago(11)
    pay_on(sandbox, day)

    with pytest.raises(GatewayUnavailable, match="404"):
        alipay().read_bill(day)
