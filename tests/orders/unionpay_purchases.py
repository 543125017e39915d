"""An order and its payment at the simulated UnionPay, by the real clock."""

from dataclasses import dataclass
from datetime import datetime

import requests
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.models import Order, OrderEvent, PaymentAttempt, PaymentException
from orders.payments.protocol import Callbacks, Channel, Start
from orders.services import place_personal_order, start_payment
from portal.sandbox import SandboxServer

FORM = "application/x-www-form-urlencoded;charset=UTF-8"
NOTIFY_PATH = "/orders/notify/unionpay/"


@dataclass
class UnionPurchase:
    """An order whose buyer stands before UnionPay's cashier."""

    order: Order
    attempt: PaymentAttempt
    sandbox: SandboxServer

    def pay(self, *, amount_fen: int | None = None) -> None:
        self.sandbox.unionpay.pay(self.attempt.number, amount_fen=amount_fen)

    def make_body(self, *, forged: bool = False, **changes: str) -> bytes:
        delivery = self.sandbox.unionpay.make_delivery(
            self.attempt.number, forged=forged, changes=changes
        )
        return delivery.body.encode()

    def refresh(self) -> None:
        self.order.refresh_from_db()
        self.attempt.refresh_from_db()


def press_pay(order: Order, now: datetime) -> Start:
    return start_payment(
        order=order,
        gateway_code="unionpay",
        channel=Channel.DESK,
        callbacks=Callbacks("", "http://127.0.0.1:1/return"),
        actor=order.buyer,
        now=now,
    )


def make_union_purchase(
    sandbox: SandboxServer, buyer: User, plan: Plan
) -> UnionPurchase:
    now = timezone.now()
    order = place_personal_order(buyer=buyer, plan=plan, now=now)
    start = press_pay(order, now)
    assert requests.post(start.url, start.fields, timeout=5).status_code == 200
    return UnionPurchase(order, PaymentAttempt.objects.get(order=order), sandbox)


def expect_paid_once(purchase: UnionPurchase) -> None:
    purchase.refresh()
    assert purchase.order.state == Order.State.PAID
    assert purchase.attempt.state == PaymentAttempt.State.PAID
    assert Enrolment.objects.count() == 1
    kinds = list(OrderEvent.objects.values_list("kind", flat=True))
    assert kinds.count("paid") == 1
    assert PaymentException.objects.count() == 0


def expect_untouched(purchase: UnionPurchase) -> None:
    purchase.refresh()
    assert purchase.order.state == Order.State.PENDING
    assert purchase.attempt.state == PaymentAttempt.State.WAITING
    assert Enrolment.objects.count() == 0
    assert PaymentException.objects.count() == 0
