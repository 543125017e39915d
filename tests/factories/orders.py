"""Rows of orders for tests. `make_order` gives a whole order with its line."""

from datetime import UTC, date, datetime, timedelta

import factory

from accounts.models import User
from catalog.models import Plan
from catalog.queries import read_price_fen
from orders.models import (
    GatewayMessage,
    InvoiceRequest,
    Order,
    OrderLine,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.registry import get_gateway
from orders.rules import make_attempt_number, make_order_number
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PlanFactory

PLACED_AT = datetime(2026, 6, 15, 1, 50, tzinfo=UTC)
LIFETIME = timedelta(minutes=30)
DAY = date(2026, 6, 15)


class OrderFactory(factory.django.DjangoModelFactory):
    """An unpaid personal order without lines; traits `paid`, `expired`, `cancelled`."""

    class Meta:
        model = Order

    class Params:
        paid = factory.Trait(
            state=Order.State.PAID, paid_at=PLACED_AT + timedelta(minutes=2)
        )
        expired = factory.Trait(
            state=Order.State.EXPIRED, closed_at=PLACED_AT + LIFETIME
        )
        cancelled = factory.Trait(
            state=Order.State.CANCELLED, closed_at=PLACED_AT + timedelta(minutes=1)
        )

    number = factory.LazyFunction(lambda: make_order_number(DAY))
    buyer = factory.SubFactory(UserFactory)
    kind = Order.Kind.PERSONAL
    total_fen = 3300
    created_at = PLACED_AT
    expires_at = factory.LazyAttribute(lambda order: order.created_at + LIFETIME)


class OrderLineFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = OrderLine

    order = factory.SubFactory(OrderFactory)
    plan = factory.SubFactory(PlanFactory)
    person = factory.SelfAttribute("order.buyer")
    plan_title = factory.SelfAttribute("plan.title")
    plan_year = factory.SelfAttribute("plan.year")
    hours = factory.SelfAttribute("plan.hours")
    price_fen = factory.LazyAttribute(lambda line: read_price_fen(line.plan, day=DAY))
    is_live = factory.LazyAttribute(
        lambda line: line.order.state in (Order.State.PENDING, Order.State.PAID)
    )


class PaymentAttemptFactory(factory.django.DjangoModelFactory):
    """A waiting attempt at Alipay; traits `paid` (its money came), `pays` (and paid the
    order), `closed`, `review` (one fen came)."""

    class Meta:
        model = PaymentAttempt

    class Params:
        paid = factory.Trait(
            state=PaymentAttempt.State.PAID,
            paid_at=PLACED_AT + timedelta(minutes=2),
            gateway_number="2026061522001400000000000001",
            received_fen=factory.SelfAttribute("amount_fen"),
        )
        pays = factory.Trait(paid=True, pays_order=True)
        closed = factory.Trait(
            state=PaymentAttempt.State.CLOSED, closed_at=PLACED_AT + LIFETIME
        )
        review = factory.Trait(
            state=PaymentAttempt.State.REVIEW,
            received_fen=1,
            paid_at=PLACED_AT + timedelta(minutes=2),
        )

    number = factory.LazyFunction(lambda: make_attempt_number(DAY))
    order = factory.SubFactory(OrderFactory)
    gateway = "alipay"
    seller = "2088000000000001"
    amount_fen = factory.SelfAttribute("order.total_fen")
    subject = "培训计划"
    created_at = factory.SelfAttribute("order.created_at")
    expires_at = factory.SelfAttribute("order.expires_at")


class InvoiceRequestFactory(factory.django.DjangoModelFactory):
    """An invoice asked for at checkout, for a person."""

    class Meta:
        model = InvoiceRequest

    order = factory.SubFactory(OrderFactory)
    buyer_kind = InvoiceRequest.Buyer.PERSON
    title = factory.SelfAttribute("order.buyer.name")
    requested_at = factory.SelfAttribute("order.created_at")


class GatewayMessageFactory(factory.django.DjangoModelFactory):
    """A notification that was verified and processed."""

    class Meta:
        model = GatewayMessage

    gateway = "alipay"
    source = GatewayMessage.Source.NOTIFICATION
    attempt = factory.SubFactory(PaymentAttemptFactory)
    verdict = GatewayMessage.Verdict.VERIFIED
    state = GatewayMessage.State.DONE
    body = "trade_status=TRADE_SUCCESS"
    received_at = PLACED_AT
    processed_at = PLACED_AT


class PaymentExceptionFactory(factory.django.DjangoModelFactory):
    """An open exception about the amount of an attempt under review."""

    class Meta:
        model = PaymentException

    kind = PaymentException.Kind.AMOUNT
    gateway = "alipay"
    attempt = factory.SubFactory(PaymentAttemptFactory, review=True)
    attempt_number = factory.SelfAttribute("attempt.number")
    amount_fen = 1
    raised_at = PLACED_AT


def make_order(
    person: User | None = None, plan: Plan | None = None, **fields: object
) -> Order:
    """Return an order of one person for one plan, unpaid unless a trait says otherwise."""
    if person is not None:
        fields["buyer"] = person
    plan = plan or PlanFactory()
    order = OrderFactory(**({"total_fen": read_price_fen(plan, day=DAY)} | fields))
    OrderLineFactory(order=order, plan=plan)
    return order


def make_endless_plan(**fields: object) -> Plan:
    """A plan on sale at any time: the sandbox lives by the real clock."""
    window = {
        "sale_start": date(2000, 1, 1),
        "sale_end": date(2999, 12, 31),
        "training_start": date(2000, 1, 1),
        "training_end": date(2999, 12, 31),
    }
    return PlanFactory(**(window | fields))


def make_attempt(order: Order, **fields: object) -> PaymentAttempt:
    """An attempt of an order at the configured Alipay account."""
    seller = get_gateway("alipay").seller
    return PaymentAttemptFactory(order=order, **({"seller": seller} | fields))
