"""Refunds at Alipay: asked about, repeated, and noted to the address of the payment."""

from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from orders.payments.protocol import (
    Callbacks,
    Channel,
    Charge,
    GatewayUnavailable,
    Inbound,
    State,
)
from orders.payments.registry import get_gateway
from portal.sandbox import SandboxServer
from portal.sandbox.alipay_trades import METHODS
from tests.sandbox.merchant import Merchant
from tests.sandbox.test_protocol import (
    CALLBACKS,
    NOTIFY_URL,
    make_charge,
    make_return,
    open_cashier,
)


def pay(sandbox: SandboxServer) -> Charge:
    charge = make_charge()
    open_cashier(charge)
    sandbox.alipay.trades.pay(charge.number)
    return charge


def test_refund_that_alipay_does_not_know_is_sent_again(sandbox: SandboxServer) -> None:
    """It says the same of one that failed; repeating either is safe, for the number stays."""
    charge, back = pay(sandbox), make_return(1000)
    gateway = get_gateway("alipay")
    old = replace(back, created_at=back.created_at - timedelta(seconds=11))

    assert gateway.query_refund(charge, back) is State.UNKNOWN
    assert gateway.query_refund(charge, old) is State.NOT_FOUND


def test_refund_of_a_trade_that_never_was_is_not_found(sandbox: SandboxServer) -> None:
    back = make_return(1000)

    assert get_gateway("alipay").query_refund(make_charge(), back) is State.NOT_FOUND


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"refund_status": "REFUND_SUCCESS"}, State.REFUNDED),
        ({"refund_status": "REFUND_FAIL"}, State.CLOSED),
        ({"refund_status": "REFUND_PROCESSING"}, State.UNKNOWN),
    ],
)
def test_states_of_a_refund_are_read(
    sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    state: State,
) -> None:
    charge, back = pay(sandbox), make_return(1000)
    answer = {"out_request_no": "F1", "refund_amount": "10.00", **changes}
    monkeypatch.setitem(METHODS, "alipay.trade.fastpay.refund.query", lambda *_: answer)

    assert get_gateway("alipay").query_refund(charge, back) is state


@pytest.mark.parametrize(
    "changes", [{"out_request_no": "F2"}, {"refund_amount": "9.99"}]
)
def test_answer_about_another_refund_is_not_taken(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]
) -> None:
    charge, back = pay(sandbox), make_return(1000)
    answer = {
        "out_request_no": "F1",
        "refund_amount": "10.00",
        "refund_status": "REFUND_SUCCESS",
        **changes,
    }
    monkeypatch.setitem(METHODS, "alipay.trade.fastpay.refund.query", lambda *_: answer)

    with pytest.raises(GatewayUnavailable, match="another refund"):
        get_gateway("alipay").query_refund(charge, back)


def test_refund_and_its_note(sandbox: SandboxServer, merchant: Merchant) -> None:
    """The note comes to the address of the payment, with its own number."""
    charge = make_charge()
    callbacks = Callbacks(f"{merchant.url}/notify", CALLBACKS.return_url)
    gateway = get_gateway("alipay")
    requests.get(gateway.start(charge, Channel.DESK, callbacks).url, timeout=5)
    sandbox.alipay.trades.pay(charge.number)

    for number, amount in (("F1", 1000), ("F1", 1000), ("F2", 2300)):
        gateway.refund(charge, replace(make_return(amount), number=number), NOTIFY_URL)

    bodies = merchant.wait_for(2)
    reports = [gateway.parse_notification(Inbound({}, body)) for body in bodies]
    found = {(report.state, report.refund_number) for report in reports}
    assert found == {(State.REFUNDED, "F1"), (State.REFUNDED, "F2")}
    assert {report.attempt_number for report in reports} == {charge.number}
