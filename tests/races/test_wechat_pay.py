"""WeChat Pay's notifications at once, and two browsers that start the same payment.

Threads with connections of their own, so the rows are really committed and locked.
"""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import GatewayDownError
from orders.models import GatewayMessage, Order, PaymentAttempt
from orders.payments.protocol import Callbacks, Channel, Payer
from orders.services import begin_payment
from portal.sandbox import SandboxServer
from portal.sandbox.wechat import PEOPLE
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_endless_plan
from tests.orders.wechat_notices import WeChatPurchase, make_wechat_purchase
from tests.races.test_settlement import TIMES
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

PAYER = Payer(openid=PEOPLE[0].openid, address="203.0.113.7")


@pytest.fixture
def purchase(sandbox: SandboxServer) -> WeChatPurchase:
    person: User = UserFactory()
    plan: Plan = make_endless_plan()
    return make_wechat_purchase(sandbox, person, plan)


def test_twelve_copies_at_once_pay_once(purchase: WeChatPurchase) -> None:
    purchase.pay()
    inbound = purchase.make_inbound()

    def post() -> int:
        answer: Any = Client().post(
            "/orders/notify/wechat/",
            inbound.body,
            content_type="application/json",
            headers=dict(inbound.headers),
        )
        return int(answer.status_code)

    answers = run_together(*[post] * TIMES)

    assert answers == [204] * TIMES
    assert GatewayMessage.objects.count() == TIMES
    purchase.expect_paid_once()


def test_payment_begun_on_two_phones_leaves_one_that_can_be_paid(
    purchase: WeChatPurchase,
) -> None:
    """The QR code was shown on a desk; a phone and WeChat go on at the same instant."""

    def begin(channel: Channel) -> str:
        try:
            start = begin_payment(
                order=Order.objects.get(pk=purchase.order.pk),
                gateway_code="wechat",
                channel=channel,
                callbacks=Callbacks("http://127.0.0.1:1/notify", "http://127.0.0.1:1/"),
                payer=PAYER,
                actor=purchase.order.buyer,
                now=timezone.now(),
            )
        except GatewayDownError:
            return "refused"
        return str(start.kind)

    said = run_together(lambda: begin(Channel.PHONE), lambda: begin(Channel.WECHAT))

    waiting = PaymentAttempt.objects.filter(state=PaymentAttempt.State.WAITING)
    trades = purchase.sandbox.wechat_pay
    numbers = PaymentAttempt.objects.values_list("number", flat=True)
    payable = [n for n in numbers if trades.show(n)["state"] == "NOTPAY"]
    assert set(said) - {"refused"}
    assert payable == [waiting.get().number]


def test_notification_while_the_payment_is_begun_another_way(
    purchase: WeChatPurchase,
) -> None:
    """Paid on one device in the moment in which the other one presses the button."""
    purchase.pay()
    inbound = purchase.make_inbound()

    def notify() -> None:
        Client().post(
            "/orders/notify/wechat/",
            inbound.body,
            content_type="application/json",
            headers=dict(inbound.headers),
        )

    def begin() -> None:
        with pytest.raises(Exception, match="订单"):
            begin_payment(
                order=purchase.order,
                gateway_code="wechat",
                channel=Channel.PHONE,
                callbacks=Callbacks("http://127.0.0.1:1/notify", "http://127.0.0.1:1/"),
                payer=PAYER,
                actor=purchase.order.buyer,
                now=timezone.now(),
            )

    run_together(notify, begin)

    purchase.expect_paid_once()
    assert PaymentAttempt.objects.count() == 1
    assert Enrolment.objects.count() == 1
