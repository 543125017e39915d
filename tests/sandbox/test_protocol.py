"""The simulator and the portal's gateway over the unmodified SDK, each checking the other."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import requests
from django.utils import timezone

from orders.payments.protocol import (
    Callbacks,
    Channel,
    Charge,
    GatewayRefused,
    GatewayUnavailable,
    Return,
    State,
)
from orders.payments.registry import get_gateway
from portal.lib.codes import random_code
from portal.sandbox import SandboxServer

NOTIFY_URL = "http://127.0.0.1:1/notify"
CALLBACKS = Callbacks("", "http://127.0.0.1:1/return")


def make_return(amount_fen: int) -> Return:
    return Return(number="F1", amount_fen=amount_fen, created_at=timezone.now())


def make_charge(**changes: object) -> Charge:
    now = timezone.now()
    fields: dict[str, object] = {
        "number": "R261121" + random_code(13),
        "amount_fen": 3300,
        "title": "重庆市2026年公需科目",
        "created_at": now,
        "expires_at": now + timedelta(minutes=30),
    }
    return Charge(**(fields | changes))


@pytest.fixture
def charge(sandbox: SandboxServer) -> Charge:
    """An attempt whose buyer has opened the cashier's address but done nothing there."""
    charge = make_charge()
    open_cashier(charge)
    return charge


def open_cashier(charge: Charge, channel: Channel = Channel.DESK) -> requests.Response:
    start = get_gateway("alipay").start(charge, channel, CALLBACKS)
    assert start.kind == "redirect"
    return requests.get(start.url, timeout=5)


@pytest.mark.parametrize(
    ("channel", "words"),
    [(Channel.DESK, "电脑网站支付"), (Channel.PHONE, "手机网站支付")],
)
def test_start_leads_to_the_cashier_of_the_channel(
    sandbox: SandboxServer, channel: Channel, words: str
) -> None:
    charge = make_charge()

    response = open_cashier(charge, channel)

    assert response.status_code == 200
    assert words in response.text
    assert "33.00" in response.text
    assert charge.number in response.text
    assert "模拟收银台·非真实支付" in response.text


def test_trade_does_not_exist_before_the_buyer_enters_the_cashier(
    charge: Charge,
) -> None:
    gateway = get_gateway("alipay")

    assert gateway.query(charge).state is State.NOT_FOUND
    assert gateway.close(charge) is State.NOT_FOUND


def test_query_follows_the_trade(sandbox: SandboxServer, charge: Charge) -> None:
    gateway = get_gateway("alipay")

    sandbox.alipay.trades.enter(charge.number)
    assert gateway.query(charge).state is State.UNPAID
    sandbox.alipay.trades.pay(charge.number)
    report = gateway.query(charge)

    assert report.state is State.PAID
    assert report.amount_fen == 3300
    assert report.currency == "CNY"
    assert report.paid_at is not None
    assert timedelta(0) <= timezone.now() - report.paid_at < timedelta(minutes=1)
    assert len(report.gateway_number) == 28


def test_query_reports_the_amount_that_was_paid(
    sandbox: SandboxServer, charge: Charge
) -> None:
    sandbox.alipay.trades.pay(charge.number, amount_fen=1)

    assert get_gateway("alipay").query(charge).amount_fen == 1


def test_close_ends_an_unpaid_trade_once(
    sandbox: SandboxServer, charge: Charge
) -> None:
    gateway = get_gateway("alipay")
    sandbox.alipay.trades.enter(charge.number)

    assert gateway.close(charge) is State.CLOSED
    assert gateway.close(charge) is State.UNKNOWN
    assert gateway.query(charge).state is State.CLOSED


def test_close_of_a_paid_trade_is_in_doubt(
    sandbox: SandboxServer, charge: Charge
) -> None:
    gateway = get_gateway("alipay")
    sandbox.alipay.trades.pay(charge.number)

    assert gateway.close(charge) is State.UNKNOWN
    assert gateway.query(charge).state is State.PAID


def test_trade_closes_at_its_expiry(sandbox: SandboxServer) -> None:
    charge = make_charge(expires_at=timezone.now() - timedelta(seconds=5))
    open_cashier(charge)

    sandbox.alipay.trades.enter(charge.number)

    assert get_gateway("alipay").query(charge).state is State.NOT_FOUND


def test_refund_pays_back_once_per_number(
    sandbox: SandboxServer, charge: Charge
) -> None:
    gateway = get_gateway("alipay")
    sandbox.alipay.trades.pay(charge.number)

    assert gateway.query_refund(charge, make_return(1000)) is State.UNKNOWN
    assert gateway.refund(charge, make_return(1000), NOTIFY_URL) is State.REFUNDED
    assert gateway.refund(charge, make_return(1000), NOTIFY_URL) is State.UNKNOWN
    assert gateway.query_refund(charge, make_return(1000)) is State.REFUNDED
    assert sandbox.alipay.trades.get(charge.number)["refunds"] == {"F1": 1000}


def test_refund_of_more_than_was_paid_is_refused(
    sandbox: SandboxServer, charge: Charge
) -> None:
    gateway = get_gateway("alipay")
    sandbox.alipay.trades.pay(charge.number)

    with pytest.raises(GatewayRefused) as refused:
        gateway.refund(charge, make_return(3301), NOTIFY_URL)

    assert refused.value.code == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    assert sandbox.alipay.trades.get(charge.number)["refunds"] == {}


def test_full_refund_closes_the_trade(sandbox: SandboxServer, charge: Charge) -> None:
    gateway = get_gateway("alipay")
    sandbox.alipay.trades.pay(charge.number)

    gateway.refund(charge, make_return(3300), NOTIFY_URL)

    assert gateway.query(charge).state is State.CLOSED


@pytest.mark.parametrize("fault", ["hang", "html", "system_error", "bad_signature"])
def test_every_doubtful_answer_means_ask_again(
    sandbox: SandboxServer, charge: Charge, fault: str
) -> None:
    sandbox.alipay.trades.pay(charge.number)
    sandbox.alipay.faults.append(fault)
    gateway = get_gateway("alipay")

    with pytest.raises(GatewayUnavailable):
        gateway.query(charge)

    assert gateway.query(charge).state is State.PAID


def test_system_error_is_a_doubt_for_every_call(
    sandbox: SandboxServer, charge: Charge
) -> None:
    """It comes with the code of a definite refusal."""
    sandbox.alipay.trades.pay(charge.number)
    gateway = get_gateway("alipay")
    calls = [
        lambda: gateway.close(charge),
        lambda: gateway.refund(charge, make_return(1000), NOTIFY_URL),
        lambda: gateway.query_refund(charge, make_return(1000)),
    ]

    for call in calls:
        sandbox.alipay.faults.append("system_error")
        with pytest.raises(GatewayUnavailable):
            call()

    assert sandbox.alipay.trades.get(charge.number)["refunds"] == {}


def test_unreachable_gateway_means_ask_again(
    sandbox: SandboxServer, charge: Charge
) -> None:
    gateway = get_gateway("alipay")
    gateway._sdk._gateway = "http://127.0.0.1:1/gateway.do"  # type: ignore[attr-defined]

    with pytest.raises(GatewayUnavailable):
        gateway.query(charge)


@pytest.fixture
def _machine_in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_machine_in_new_york")
def test_request_is_stamped_in_alipays_time_zone(
    sandbox: SandboxServer, charge: Charge
) -> None:
    """The simulator refuses a clock that is hours off, as the SDK's own would be here."""
    assert get_gateway("alipay").query(charge).state is State.NOT_FOUND


def test_request_changed_on_the_way_is_refused(sandbox: SandboxServer) -> None:
    charge = make_charge()
    start = get_gateway("alipay").start(charge, Channel.DESK, CALLBACKS)

    response = requests.get(start.url.replace("33.00", "0.01"), timeout=5)

    assert response.status_code == 400
    assert "isv.invalid-signature" in response.text


def test_same_number_for_another_amount_is_refused(
    sandbox: SandboxServer, charge: Charge
) -> None:
    response = open_cashier(make_charge(number=charge.number, amount_fen=9000))

    assert response.status_code == 400
    assert "ACQ.CONTEXT_INCONSISTENT" in response.text


def test_title_with_forbidden_signs_is_accepted(sandbox: SandboxServer) -> None:
    charge = make_charge(title='2026/公需=科目&"{必修}"\\')

    assert open_cashier(charge).status_code == 200
    assert sandbox.alipay.trades.get(charge.number)["subject"] == "2026 公需 科目 必修"


def test_expiry_reaches_the_gateway_in_its_own_zone(sandbox: SandboxServer) -> None:
    now = timezone.now()
    charge = make_charge(expires_at=now + timedelta(minutes=10))
    open_cashier(charge)

    text = sandbox.alipay.trades.get(charge.number)["expires_at"]

    expected = timezone.localtime(charge.expires_at).strftime("%Y-%m-%d %H:%M:%S")
    assert text == expected
    assert datetime.fromisoformat(text).tzinfo is None
