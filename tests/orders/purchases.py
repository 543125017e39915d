"""An order and its payment at the simulated gateway, by the real clock."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from orders.models import Order, PaymentAttempt
from orders.payments.protocol import Callbacks, Channel
from orders.services import place_personal_order, start_payment
from portal.sandbox import SandboxServer

FORM = "application/x-www-form-urlencoded; charset=utf-8"
NOTIFY_PATH = "/orders/notify/alipay/"


@dataclass
class Purchase:
    """An order whose buyer stands before the cashier."""

    order: Order
    attempt: PaymentAttempt
    sandbox: SandboxServer

    def pay(self, **changes: Any) -> None:
        self.sandbox.alipay.trades.pay(self.attempt.number, **changes)

    def enter(self) -> None:
        self.sandbox.alipay.trades.enter(self.attempt.number)

    def make_body(self, *, forged: bool = False, **changes: str) -> bytes:
        form = self.sandbox.alipay.make_notice(
            self.attempt.number, forged=forged, **changes
        )
        return urlencode(form).encode()

    def refresh(self) -> None:
        self.order.refresh_from_db()
        self.attempt.refresh_from_db()


def make_purchase(sandbox: SandboxServer, buyer: User, plan: Plan) -> Purchase:
    """Order a plan and open the cashier's address for it."""
    now = timezone.now()
    order = place_personal_order(buyer=buyer, plan=plan, now=now)
    start = start_payment(
        order=order,
        gateway_code="alipay",
        channel=Channel.DESK,
        callbacks=Callbacks("", "http://127.0.0.1:1/return"),
        actor=buyer,
        now=now,
    )
    assert requests.get(start.url, timeout=5).status_code == 200
    return Purchase(order, PaymentAttempt.objects.get(order=order), sandbox)
