"""Going on to pay another way: WeChat takes a number for one way only."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import GatewayDownError, OrderNotPayableError, PayerUnknownError
from orders.models import Order, PaymentAttempt
from orders.payments.protocol import Callbacks, Channel, Payer, Start
from orders.services import begin_payment, place_personal_order
from portal.sandbox import SandboxServer
from portal.sandbox.wechat import PEOPLE

pytestmark = pytest.mark.django_db

CALLBACKS = Callbacks("https://portal/notify/", "https://portal/return/")
Attempt = PaymentAttempt


@pytest.fixture
def order(sandbox: SandboxServer, owner: User, plan: Plan) -> Order:
    return place_personal_order(buyer=owner, plan=plan, now=timezone.now())


def begin(
    order: Order, channel: Channel = Channel.DESK, *, person: int = 0, **changes: Any
) -> Start:
    fields = {
        "order": order,
        "gateway_code": "wechat",
        "channel": channel,
        "callbacks": CALLBACKS,
        "payer": Payer(openid=PEOPLE[person].openid, address="203.0.113.7"),
        "actor": order.buyer,
        "now": timezone.now(),
    }
    return begin_payment(**{**fields, **changes})


def list_states(order: Order) -> list[str]:
    return list(order.attempts.order_by("pk").values_list("state", flat=True))


def test_second_press_leads_to_the_same_payment(order: Order) -> None:
    assert begin(order).url == begin(order).url
    assert list_states(order) == ["waiting"]


@pytest.mark.parametrize("channel", [Channel.WECHAT, Channel.PHONE])
def test_another_way_ends_the_payment_before(
    order: Order, sandbox: SandboxServer, channel: Channel
) -> None:
    begin(order)
    first = order.attempts.get()

    begin(order, channel)

    second = order.attempts.latest("pk")
    assert list_states(order) == ["closed", "waiting"]
    assert sandbox.wechat_pay.show(first.number)["state"] == "CLOSED"
    assert sandbox.wechat_pay.show(second.number)["state"] == "NOTPAY"


def test_another_person_in_wechat_gets_a_payment_of_her_own(order: Order) -> None:
    begin(order, Channel.WECHAT, person=0)
    begin(order, Channel.WECHAT, person=1)

    assert list_states(order) == ["closed", "waiting"]


def test_payment_closed_at_wechat_is_begun_anew(
    order: Order, sandbox: SandboxServer
) -> None:
    begin(order)
    sandbox.wechat_pay.trades.close(order.attempts.get().number)

    begin(order)

    assert list_states(order) == ["closed", "waiting"]


def test_payment_that_turns_out_to_be_paid_settles_the_order(
    order: Order, sandbox: SandboxServer
) -> None:
    begin(order)
    sandbox.wechat_pay.pay(order.attempts.get().number)

    with pytest.raises(OrderNotPayableError):
        begin(order)

    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert list_states(order) == ["paid"]
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize("fault", ["hang", "system_error", "bad_signature"])
def test_payment_that_cannot_be_ended_stands_in_the_way(
    order: Order, sandbox: SandboxServer, fault: str
) -> None:
    """Two that can be paid would be a double payment waiting to happen."""
    begin(order)
    # The first call is the order that is refused.
    sandbox.wechat_pay.faults.extend(["", fault])

    with pytest.raises(GatewayDownError):
        begin(order, Channel.PHONE)

    assert list_states(order) == ["waiting"]


def test_unknown_payer_is_asked_for(order: Order) -> None:
    with pytest.raises(PayerUnknownError):
        begin(order, Channel.WECHAT, payer=Payer())

    begin(order, Channel.WECHAT)
    assert list_states(order) == ["waiting"]


def test_refusal_for_good_is_told_as_an_outage_and_logged(
    order: Order, sandbox: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(GatewayDownError):
        begin(order, callbacks=Callbacks("https://portal/notify/?a=1", "https://p/"))

    assert "PARAM_ERROR" in caplog.text
    assert list_states(order) == ["waiting"]
