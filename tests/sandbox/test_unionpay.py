"""The simulated UnionPay and the portal's own client, each checking the other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import requests
from django.utils import timezone

from orders.payments.protocol import (
    Channel,
    Charge,
    GatewayUnavailable,
    Start,
    State,
)
from orders.payments.unionpay import UnionPayGateway
from portal.sandbox import SandboxServer
from tests.sandbox.test_protocol import CALLBACKS, make_charge
from tests.sandbox.unionpay_orders import (
    MERCHANT,
    gateway_at,
    make_open,
    make_paid,
    open_order,
    submit,
    time_of,
)


@pytest.fixture
def charge(sandbox: SandboxServer) -> Charge:
    return make_open()


@pytest.fixture
def paid(sandbox: SandboxServer) -> Charge:
    return make_paid(sandbox)


# --- Start -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "kind", "words"),
    [
        (Channel.DESK, "07", "电脑网关支付"),
        (Channel.PHONE, "08", "手机网页支付"),
        (Channel.WECHAT, "08", "手机网页支付"),
    ],
)
def test_start_is_a_form_for_the_channel(
    sandbox: SandboxServer, channel: Channel, kind: str, words: str
) -> None:
    charge = make_charge()

    start = gateway_at().start(charge, channel, CALLBACKS)
    page = submit(start)

    local = timezone.localtime
    assert start.kind is Start.Kind.FORM
    assert start.url == f"{sandbox.url}/gateway/api/frontTransReq.do"
    assert start.fields["channelType"] == kind
    assert start.fields["txnTime"] == f"{local(charge.created_at):%Y%m%d%H%M%S}"
    assert start.fields["payTimeout"] == f"{local(charge.expires_at):%Y%m%d%H%M%S}"
    assert start.fields["txnAmt"] == "3300"
    assert start.fields["frontUrl"] == CALLBACKS.return_url
    # An empty address is left out, not sent as blank.
    assert "backUrl" not in start.fields
    assert page.status_code == 200
    assert words in page.text
    assert charge.number in page.text
    assert "模拟收银台·非真实支付" in page.text


def test_form_changed_on_the_way_is_refused(sandbox: SandboxServer) -> None:
    start = gateway_at().start(make_charge(), Channel.DESK, CALLBACKS)

    response = submit(start, txnAmt="1")

    assert response.status_code == 400
    assert "验证签名失败" in response.text


def test_same_form_again_leads_to_the_same_cashier(
    sandbox: SandboxServer, charge: Charge
) -> None:
    first, second = (open_order(charge).url for _ in range(2))

    assert first == second


@pytest.mark.parametrize(
    "changes", [{"amount_fen": 9000}, {"created_at": timedelta(seconds=-30)}]
)
def test_same_number_for_something_else_is_refused(
    charge: Charge, changes: dict[str, object]
) -> None:
    moved = changes.get("created_at")
    if isinstance(moved, timedelta):
        changes = {"created_at": charge.created_at + moved}

    response = open_order(replace(charge, **changes))  # type: ignore[arg-type]

    assert response.status_code == 400
    assert "重复交易" in response.text


def test_old_time_is_refused(sandbox: SandboxServer) -> None:
    """Which is why an attempt is not started anew after a while."""
    charge = make_charge(created_at=timezone.now() - timedelta(minutes=16))

    assert open_order(charge).status_code == 400


# --- Query -------------------------------------------------------------------------------


def test_query_follows_the_order(sandbox: SandboxServer, charge: Charge) -> None:
    gateway = gateway_at()

    assert gateway.query(charge).state is State.NOT_FOUND
    sandbox.unionpay.fail(charge.number)
    assert gateway.query(charge).state is State.UNPAID
    sandbox.unionpay.pay(charge.number)
    report = gateway.query(charge)

    assert report.state is State.PAID
    assert (report.amount_fen, report.currency) == (3300, "CNY")
    assert report.seller == MERCHANT
    assert len(report.gateway_number) == 21
    assert report.paid_at is not None
    assert abs(timezone.now() - report.paid_at) < timedelta(minutes=1)
    assert not report.needs_query
    assert not {"signature", "signPubKeyCert"} & set(report.raw)


def test_query_reports_what_was_paid(sandbox: SandboxServer, charge: Charge) -> None:
    sandbox.unionpay.pay(charge.number, amount_fen=1)

    assert gateway_at().query(charge).amount_fen == 1


def test_query_asks_for_the_order_of_that_time(
    sandbox: SandboxServer, paid: Charge
) -> None:
    """Number and time together name an order."""
    other = replace(paid, created_at=paid.created_at - timedelta(minutes=1))

    assert gateway_at().query(other).state is State.NOT_FOUND


@pytest.mark.parametrize("fault", ["hang", "html", "system_error", "bad_signature"])
def test_every_doubtful_answer_means_ask_again(
    sandbox: SandboxServer, paid: Charge, fault: str
) -> None:
    sandbox.unionpay.faults.append(fault)
    client = replace(gateway_at()._client, timeout_seconds=1)
    gateway = UnionPayGateway(client, restart_within=timedelta(minutes=5))

    with pytest.raises(GatewayUnavailable):
        gateway.query(paid)

    assert gateway.query(paid).state is State.PAID


def test_order_in_doubt_stays_in_doubt(sandbox: SandboxServer, paid: Charge) -> None:
    sandbox.unionpay.faults.append("in_doubt")

    assert gateway_at().query(paid).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("minutes", "state"), [(119, State.UNKNOWN), (121, State.CLOSED)]
)
def test_doubt_ends_two_hours_after_the_order(
    sandbox: SandboxServer, paid: Charge, minutes: int, state: State
) -> None:
    sandbox.unionpay.faults.append("in_doubt")
    later = paid.expires_at + timedelta(minutes=minutes)

    assert gateway_at(later).query(paid).state is state


def test_answer_about_another_order_is_not_taken(
    sandbox: SandboxServer, paid: Charge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Genuine, but the answer to another question."""
    other = make_charge()
    open_order(other)
    sandbox.unionpay.pay(other.number)
    known = sandbox.unionpay.trades.find
    answer = known({"orderId": other.number, "txnTime": time_of(other)})
    monkeypatch.setattr(sandbox.unionpay.trades, "find", lambda _fields: answer)

    with pytest.raises(GatewayUnavailable, match="another order"):
        gateway_at().query(paid)


def test_unreachable_gateway_means_ask_again(charge: Charge) -> None:
    client = replace(gateway_at()._client, url="http://127.0.0.1:1")

    with pytest.raises(GatewayUnavailable):
        UnionPayGateway(client, restart_within=timedelta(0)).query(charge)


# --- Close: there is none ------------------------------------------------------------------


def test_order_is_open_until_its_time_is_over(
    sandbox: SandboxServer, charge: Charge
) -> None:
    sandbox.unionpay.fail(charge.number)
    at_the_end = charge.expires_at + timedelta(seconds=59)
    over = charge.expires_at + timedelta(seconds=61)

    assert gateway_at().close(charge) is State.UNKNOWN
    assert gateway_at(at_the_end).close(charge) is State.UNKNOWN
    assert gateway_at(at_the_end).query(charge).state is State.UNPAID
    assert gateway_at(over).close(charge) is State.CLOSED
    assert gateway_at(over).query(charge).state is State.CLOSED


def test_order_nobody_paid_is_not_found_after_its_time(charge: Charge) -> None:
    over = charge.expires_at + timedelta(seconds=61)

    assert gateway_at().close(charge) is State.UNKNOWN
    assert gateway_at(over).close(charge) is State.NOT_FOUND


def test_paid_order_is_not_closed(sandbox: SandboxServer, paid: Charge) -> None:
    over = paid.expires_at + timedelta(seconds=61)

    assert gateway_at(over).close(paid) is State.UNKNOWN
    assert gateway_at(over).query(paid).state is State.PAID


def test_closing_in_doubt_closes_nothing(sandbox: SandboxServer, paid: Charge) -> None:
    over = paid.expires_at + timedelta(seconds=61)
    sandbox.unionpay.faults.append("in_doubt")

    assert gateway_at(over).close(paid) is State.UNKNOWN


# --- The simulator checks, too -------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda fields: {**fields, "txnAmt": "1"}, "11"),
        (lambda fields: {**fields, "certId": "1"}, "11"),
        (lambda fields: {**fields, "signature": "AAAA"}, "11"),
    ],
)
def test_simulator_refuses_what_is_not_signed(
    sandbox: SandboxServer,
    paid: Charge,
    change: Callable[[dict[str, str]], dict[str, str]],
    code: str,
) -> None:
    fields = gateway_at()._client.sign({"txnType": "00", "orderId": paid.number})

    body = urlencode(change(fields))
    answer = requests.post(
        f"{sandbox.url}/gateway/api/queryTrans.do",
        body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=5,
    )

    assert f"&respCode={code}&" in answer.text
    assert "-----BEGIN CERTIFICATE-----\r\n" in answer.content.decode()


@pytest.mark.parametrize(
    "changes", [{"version": "5.0.0"}, {"merId": "777290000000002"}, {"accessType": "1"}]
)
def test_simulator_refuses_another_version_or_merchant(
    sandbox: SandboxServer, changes: dict[str, str]
) -> None:
    fields = gateway_at()._client.sign(changes)

    answer = requests.post(
        f"{sandbox.url}/gateway/api/queryTrans.do", fields, timeout=5
    )

    assert "&respCode=10&" in answer.text
