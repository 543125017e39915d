"""Buying at the banks of `tests.orders.bank`, by the test's own clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.models import User
from catalog.models import Plan
from orders.models import Order, OrderLine, PaymentAttempt
from orders.payments.protocol import Callbacks, Channel, Inbound
from orders.services import (
    place_personal_order,
    process_message,
    start_payment,
    store_notification,
)
from orders.services.codes import place_codes_order
from orders.services.outcomes import Outcome
from tests.factories.orders import OrderFactory, OrderLineFactory
from tests.orders.bank import Bank


def go_to(bank: Bank, order: Order, now: datetime) -> PaymentAttempt:
    """Stand before the cashier of a bank with an order."""
    start = start_payment(
        order=order,
        gateway_code=bank.code,
        channel=Channel.DESK,
        callbacks=Callbacks("https://portal.example/n", "https://portal.example/r"),
        actor=order.buyer,
        now=now,
    )
    return PaymentAttempt.objects.get(number=start.url.rpartition("/")[2])


def hear(bank: Bank, body: bytes, now: datetime) -> Outcome | None:
    """Receive a notification and let its task run; None when it was rejected."""
    receipt = store_notification(
        gateway_code=bank.code, inbound=Inbound({}, body), now=now
    )
    if receipt.message_id is None:
        return None
    return process_message(message_id=receipt.message_id, now=now)


def settle(bank: Bank, attempt: PaymentAttempt, now: datetime) -> Outcome | None:
    """Pay an attempt at its bank and hear of it."""
    bank.pay(attempt.number, now=now)
    return hear(bank, bank.notice(attempt.number), now)


def buy(bank: Bank, buyer: User, plan: Plan, now: datetime) -> Order:
    """Order and pay a plan."""
    order = place_personal_order(buyer=buyer, plan=plan, now=now)
    settle(bank, go_to(bank, order, now), now)
    order.refresh_from_db()
    return order


def buy_codes(
    bank: Bank, buyer: User, plan: Plan, quantity: int, now: datetime
) -> Order:
    """A paid order of activation codes."""
    order = place_codes_order(buyer=buyer, plan=plan, quantity=quantity, now=now)
    settle(bank, go_to(bank, order, now), now)
    order.refresh_from_db()
    return order


def place_group(
    buyer: User, plan: Plan, people: Sequence[User], now: datetime
) -> Order:
    """An unpaid order of one plan for several people."""
    order = OrderFactory(
        buyer=buyer,
        kind=Order.Kind.GROUP,
        total_fen=plan.price_fen * len(people),
        created_at=now,
        expires_at=now + timedelta(minutes=30),
    )
    OrderLine.objects.bulk_create(
        OrderLineFactory.build(order=order, plan=plan, person=person)
        for person in people
    )
    return order


def buy_group(
    bank: Bank, buyer: User, plan: Plan, people: Sequence[User], now: datetime
) -> Order:
    """A paid order of one plan for several people."""
    order = place_group(buyer, plan, people, now)
    settle(bank, go_to(bank, order, now), now)
    order.refresh_from_db()
    return order
