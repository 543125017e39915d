"""Refunds at WeChat Pay: once for each number, asked about, and noted to their own address."""

from dataclasses import replace

import pytest
from django.utils import timezone

from orders.payments.protocol import (
    Charge,
    GatewayRefused,
    GatewayUnavailable,
    Return,
    State,
)
from orders.payments.registry import get_gateway
from portal.sandbox import SandboxServer
from tests.sandbox.merchant import Merchant
from tests.sandbox.test_protocol import make_charge
from tests.sandbox.test_wechat_pay import DOUBTS, NOTIFY_URL, start


def make_return(amount_fen: int, number: str = "F1") -> Return:
    return Return(number=number, amount_fen=amount_fen, created_at=timezone.now())


@pytest.fixture
def paid(sandbox: SandboxServer) -> Charge:
    charge = make_charge()
    start(charge)
    sandbox.wechat_pay.pay(charge.number)
    return charge


def test_refund_pays_back_once_per_number(sandbox: SandboxServer, paid: Charge) -> None:
    gateway, back = get_gateway("wechat"), make_return(1000, "F-once")

    assert gateway.query_refund(paid, back) is State.NOT_FOUND
    assert gateway.refund(paid, back, NOTIFY_URL) is State.UNKNOWN
    assert gateway.refund(paid, back, NOTIFY_URL) is State.REFUNDED
    assert gateway.query_refund(paid, back) is State.REFUNDED
    assert gateway.query(paid).state is State.REFUNDED
    refunds = sandbox.wechat_pay.show(paid.number)["refunds"]
    assert {n: r["amount_fen"] for n, r in refunds.items()} == {"F-once": 1000}


def test_refund_of_more_than_was_paid_is_refused(
    sandbox: SandboxServer, paid: Charge
) -> None:
    with pytest.raises(GatewayRefused) as refused:
        get_gateway("wechat").refund(paid, make_return(3301), NOTIFY_URL)

    assert refused.value.code == "INVALID_REQUEST"
    assert sandbox.wechat_pay.show(paid.number)["refunds"] == {}


def test_refund_of_an_unpaid_trade_is_refused(sandbox: SandboxServer) -> None:
    charge = make_charge()
    start(charge)

    with pytest.raises(GatewayRefused):
        get_gateway("wechat").refund(charge, make_return(1), NOTIFY_URL)


def test_empty_account_refuses_and_pays_once_it_is_filled(
    sandbox: SandboxServer, paid: Charge
) -> None:
    sandbox.wechat_pay.faults.append("not_enough")
    gateway, back = get_gateway("wechat"), make_return(3300, "F-filled")

    with pytest.raises(GatewayRefused) as refused:
        gateway.refund(paid, back, NOTIFY_URL)

    assert refused.value.code == "NOT_ENOUGH"
    assert gateway.refund(paid, back, NOTIFY_URL) is State.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("refund_processing", State.UNKNOWN),
        ("refund_closed", State.CLOSED),
        ("refund_abnormal", State.STUCK),
    ],
)
def test_query_tells_what_came_of_a_refund(
    sandbox: SandboxServer, paid: Charge, fault: str, state: State
) -> None:
    sandbox.wechat_pay.faults.append(fault)
    gateway, back = get_gateway("wechat"), make_return(1000, f"F-{fault}")

    assert gateway.refund(paid, back, NOTIFY_URL) is State.UNKNOWN

    assert gateway.query_refund(paid, back) is state


def test_answer_about_another_amount_is_no_answer(
    sandbox: SandboxServer, paid: Charge
) -> None:
    gateway, back = get_gateway("wechat"), make_return(1000, "F-other-amount")
    gateway.refund(paid, back, NOTIFY_URL)

    with pytest.raises(GatewayUnavailable, match="another refund"):
        gateway.query_refund(paid, replace(back, amount_fen=999))


@pytest.mark.parametrize("fault", DOUBTS)
def test_doubt_about_a_refund_is_resolved_by_the_same_number(
    sandbox: SandboxServer, paid: Charge, fault: str
) -> None:
    sandbox.wechat_pay.faults.append(fault)
    gateway, back = get_gateway("wechat"), make_return(3300, f"F-{fault}")

    with pytest.raises(GatewayUnavailable):
        gateway.refund(paid, back, NOTIFY_URL)
    gateway.refund(paid, back, NOTIFY_URL)

    assert gateway.query_refund(paid, back) is State.REFUNDED
    assert len(sandbox.wechat_pay.show(paid.number)["refunds"]) == 1


def test_refund_is_told_to_the_address_it_was_asked_with(
    sandbox: SandboxServer, paid: Charge, merchant: Merchant
) -> None:
    """Not to the payment's: the SDK would fall back to it."""
    back = make_return(1000, "F-told")

    get_gateway("wechat").refund(paid, back, f"{merchant.url}/refund")

    [body] = merchant.wait_for(1)
    assert b'"event_type": "REFUND.SUCCESS"' in body
    assert merchant.headers[0]["wechatpay-signature-type"] == (
        "WECHATPAY2-SHA256-RSA2048"
    )
