"""Purchases at WeChat Pay and its notifications, with all the ways they can be wrong."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.models import Order, OrderEvent, PaymentAttempt, PaymentException
from orders.payments.protocol import Callbacks, Channel, Charge, Inbound, Report
from orders.payments.registry import get_gateway
from orders.services import begin_payment, place_personal_order
from portal.sandbox import SandboxServer
from tests.sandbox.test_protocol import make_charge
from tests.sandbox.test_wechat_pay import NOTIFY_URL, start

UNKNOWN_SERIALS = ["", "4F2A", "PUB_KEY_ID_9", "zz", "0x1", "'", "9" * 500]


def make_paid_charge(sandbox: SandboxServer) -> Charge:
    """An attempt that is paid at the simulator; no call is counted yet."""
    charge = make_charge()
    start(charge)
    sandbox.wechat_pay.pay(charge.number)
    sandbox.wechat_pay.requests.clear()
    return charge


def read(inbound: Inbound) -> Report:
    return get_gateway("wechat").parse_notification(inbound)


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def make_inbound(
    sandbox: SandboxServer,
    number: str,
    *,
    signer: str = "",
    serial: str = "",
    at: float | None = None,
    changes: dict[str, object] | None = None,
    outside: dict[str, object] | None = None,
) -> Inbound:
    """A notification about a trade: `changes` are made to what it carries, `outside` to what
    is around that, both before it is signed; `signer`, `serial` and `at` are the signature's.
    """
    delivery = sandbox.wechat_pay.make_delivery(number, changes=changes)
    body = json.dumps({**json.loads(delivery.body), **(outside or {})})
    headers = sandbox.wechat_pay.signer.seal(body, signer, serial=serial, at=at)
    return Inbound(lower(headers), body.encode(), "application/json")


def make_refund_inbound(sandbox: SandboxServer, number: str, **changes: Any) -> Inbound:
    """A notification about a refund, named by its own number."""
    delivery = sandbox.wechat_pay.make_refund_delivery(number, changes=changes)
    headers = sandbox.notifier.seal(delivery)
    return Inbound(lower(headers), delivery.body.encode(), "application/json")


@dataclass
class WeChatPurchase:
    """An order whose buyer sees the QR code."""

    order: Order
    attempt: PaymentAttempt
    sandbox: SandboxServer

    def pay(self, **changes: Any) -> None:
        self.sandbox.wechat_pay.pay(self.attempt.number, **changes)

    def make_inbound(self, **changes: Any) -> Inbound:
        return make_inbound(self.sandbox, self.attempt.number, **changes)

    def refresh(self) -> None:
        self.order.refresh_from_db()
        self.attempt.refresh_from_db()

    def expect_paid_once(self) -> None:
        self.refresh()
        assert self.order.state == Order.State.PAID
        assert self.attempt.state == PaymentAttempt.State.PAID
        assert Enrolment.objects.count() == 1
        assert OrderEvent.objects.filter(kind=OrderEvent.Kind.PAID).count() == 1

    def expect_untouched(self) -> None:
        self.refresh()
        assert self.order.state == Order.State.PENDING
        assert self.attempt.state == PaymentAttempt.State.WAITING
        assert Enrolment.objects.count() == 0
        assert PaymentException.objects.count() == 0


def make_wechat_purchase(
    sandbox: SandboxServer, buyer: User, plan: Plan
) -> WeChatPurchase:
    now = timezone.now()
    order = place_personal_order(buyer=buyer, plan=plan, now=now)
    begin_payment(
        order=order,
        gateway_code="wechat",
        channel=Channel.DESK,
        callbacks=Callbacks(NOTIFY_URL, "http://127.0.0.1:1/return"),
        actor=buyer,
        now=now,
    )
    return WeChatPurchase(order, PaymentAttempt.objects.get(order=order), sandbox)
