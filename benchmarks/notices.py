"""Genuinely signed notifications of every gateway, by the keys of the sandbox."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

# What each gateway calls the number of a payment.
NAME_OF_NUMBER = {
    "alipay": "out_trade_no",
    "wechat": "out_trade_no",
    "unionpay": "orderId",
}
SUBJECT = "2026年度专业科目培训"

Message = dict[str, Any]


class Notices:
    """Orders with a waiting attempt each, and what a gateway says when one was paid."""

    def __init__(self, sandbox: Any) -> None:
        from tests.factories.accounts import UserFactory

        self.sandbox = sandbox
        self.buyer = UserFactory()
        self.now = datetime.now().astimezone()
        self.known = {code: self._open(code) for code in NAME_OF_NUMBER}

    def fresh(self, code: str) -> Callable[[int], list[Message]]:
        """Messages about as many payments, each reported for the first time."""

        def make(count: int) -> list[Message]:
            return [self.sign(code, each) for each in self._make_attempts(code, count)]

        return make

    def repeated(self, count: int) -> list[Message]:
        return self.fresh("alipay")(1) * count

    def forged(self, count: int) -> list[Message]:
        delivery = self.sandbox.alipay.make_delivery(self.known["alipay"], forged=True)
        return [self._seal(delivery)] * count

    def sign(self, code: str, number: str) -> Message:
        """The genuine word of a gateway that the payment `number` was made."""
        simulator = self.sandbox.simulators[code]
        changes = {NAME_OF_NUMBER[code]: number}
        return self._seal(simulator.make_delivery(self.known[code], changes=changes))

    def _seal(self, delivery: Any) -> Message:
        headers = {"Content-Type": delivery.content_type}
        return {
            "headers": headers | self.sandbox.notifier.seal(delivery),
            "body": delivery.body,
        }

    def _open(self, code: str) -> str:
        """Pay once at the simulated gateway: all else is said by the model of this one."""
        import requests

        from orders.payments.protocol import Callbacks, Channel, Charge, Start
        from orders.payments.registry import get_gateway
        from orders.rules import make_attempt_number

        number = make_attempt_number(self.now.date())
        end = self.now + timedelta(minutes=30)
        charge = Charge(number, 9000, SUBJECT, self.now, end)
        callbacks = Callbacks("http://127.0.0.1:1/notify", "http://127.0.0.1:1/back")
        start = get_gateway(code).start(charge, Channel.DESK, callbacks)
        if start.kind == Start.Kind.FORM:
            requests.post(start.url, dict(start.fields), timeout=10).raise_for_status()
        elif start.kind == Start.Kind.REDIRECT:
            requests.get(start.url, timeout=10).raise_for_status()
        self.sandbox.simulators[code].pay(number)
        return number

    def _make_attempts(self, code: str, count: int) -> list[str]:
        from orders.models import Order, PaymentAttempt
        from orders.payments.registry import get_gateway
        from orders.rules import make_attempt_number, make_order_number

        today, end = self.now.date(), self.now + timedelta(minutes=30)
        orders = Order.objects.bulk_create(
            Order(
                number=make_order_number(today),
                buyer=self.buyer,
                kind=Order.Kind.PERSONAL,
                total_fen=9000,
                created_at=self.now,
                expires_at=end,
            )
            for _ in range(count)
        )
        seller = get_gateway(code).seller
        attempts = PaymentAttempt.objects.bulk_create(
            PaymentAttempt(
                number=make_attempt_number(today),
                order=order,
                gateway=code,
                seller=seller,
                amount_fen=9000,
                subject=SUBJECT,
                created_at=self.now,
                expires_at=end,
            )
            for order in orders
        )
        return [attempt.number for attempt in attempts]


@contextmanager
def play_gateways() -> Iterator[Any]:
    """The simulated gateways of the sandbox, for their keys and their words."""
    from django.conf import settings

    from portal.sandbox import SandboxServer
    from portal.sandbox.accounts import read_config

    with SandboxServer(read_config(settings)) as sandbox:
        settings.ALIPAY["gateway"] = f"{sandbox.url}/gateway.do"
        settings.WECHAT_PAY["gateway"] = settings.UNIONPAY["gateway"] = sandbox.url
        yield sandbox
