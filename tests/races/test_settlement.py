"""The same money reported by many at once, and reports that meet an expiry or a cancelling.

Threads with connections of their own, so the rows are really committed and locked. On
PostgreSQL this proves the row locks; on SQLite, whose transactions take turns, that waiting
for one's turn is enough.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import OrderError, PlanBeingBoughtError
from orders.models import (
    GatewayMessage,
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.protocol import Callbacks, Channel, Report, State
from orders.services import (
    apply_report,
    cancel_order,
    expire_order,
    place_personal_order,
    process_message,
    start_payment,
)
from orders.services.notifications import dump_report
from portal.sandbox import SandboxServer
from tests.factories.accounts import UserFactory
from tests.factories.orders import PaymentAttemptFactory, make_endless_plan, make_order
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 12


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan()


@pytest.fixture
def buyer() -> User:
    person: User = UserFactory()
    return person


@pytest.fixture
def order(buyer: User, plan: Plan) -> Order:
    return make_order(buyer, plan, created_at=timezone.now())


@pytest.fixture
def attempt(order: Order) -> PaymentAttempt:
    attempt: PaymentAttempt = PaymentAttemptFactory(order=order)
    return attempt


def paid(attempt: PaymentAttempt) -> Report:
    return Report(attempt.number, State.PAID, attempt.amount_fen, gateway_number="T1")


def settle(attempt: PaymentAttempt) -> Callable[[], Any]:
    return lambda: apply_report(
        gateway="alipay",
        report=paid(attempt),
        source=GatewayMessage.Source.NOTIFICATION,
        now=timezone.now(),
    )


def expect_paid_once(order: Order) -> None:
    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert Enrolment.objects.count() == 1
    kinds = list(OrderEvent.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds.count("paid") == 1
    assert kinds.count("enrolled") == 1


def test_twelve_reports_at_once_settle_once(
    order: Order, attempt: PaymentAttempt
) -> None:
    outcomes = run_together(*[settle(attempt)] * TIMES)

    assert sorted(outcomes) == ["settled"] + ["unchanged"] * (TIMES - 1)
    expect_paid_once(order)
    assert PaymentException.objects.count() == 0


def test_twelve_workers_with_one_message_settle_once(
    order: Order, attempt: PaymentAttempt
) -> None:
    message = GatewayMessage.objects.create(
        gateway="alipay",
        source=GatewayMessage.Source.NOTIFICATION,
        attempt=attempt,
        verdict=GatewayMessage.Verdict.VERIFIED,
        report=dump_report(paid(attempt)),
        state=GatewayMessage.State.WAITING,
        received_at=timezone.now(),
    )

    def work() -> Any:
        return process_message(message_id=message.pk, now=timezone.now())

    outcomes = run_together(*[work] * TIMES)

    assert outcomes.count("settled") == 1
    expect_paid_once(order)
    message.refresh_from_db()
    assert message.state == GatewayMessage.State.DONE


def test_twelve_mismatches_at_once_are_one_exception(attempt: PaymentAttempt) -> None:
    report = Report(attempt.number, State.PAID, 1)

    def work() -> Any:
        return apply_report(
            gateway="alipay",
            report=report,
            source=GatewayMessage.Source.NOTIFICATION,
            now=timezone.now(),
        )

    outcomes = run_together(*[work] * TIMES)

    assert set(outcomes) == {"exception"}
    assert PaymentException.objects.count() == 1
    attempt.refresh_from_db()
    assert attempt.state == PaymentAttempt.State.REVIEW


def test_unknown_number_twelve_times_is_one_exception() -> None:
    report = Report("R9", State.PAID, 3300)

    def work() -> Any:
        return apply_report(
            gateway="alipay",
            report=report,
            source=GatewayMessage.Source.NOTIFICATION,
            now=timezone.now(),
        )

    run_together(*[work] * TIMES)

    assert PaymentException.objects.count() == 1


def test_two_gateways_pay_one_order_once(order: Order, attempt: PaymentAttempt) -> None:
    other = PaymentAttemptFactory(order=order)

    outcomes = run_together(settle(attempt), settle(other))

    assert sorted(outcomes) == ["exception", "settled"]
    expect_paid_once(order)
    assert PaymentException.objects.get().kind == PaymentException.Kind.DUPLICATE
    paid_attempts = PaymentAttempt.objects.filter(state=PaymentAttempt.State.PAID)
    assert paid_attempts.count() == 2


def test_notification_meets_expiry(order: Order, attempt: PaymentAttempt) -> None:
    """Whoever comes first: the money is in, so the plan is open."""
    past = timezone.now() - timedelta(seconds=1)
    Order.objects.update(expires_at=past)
    PaymentAttempt.objects.update(state=PaymentAttempt.State.CLOSED)

    def expire() -> Any:
        return expire_order(order_id=order.pk, now=timezone.now())

    run_together(settle(attempt), expire)

    expect_paid_once(order)
    assert OrderLine.objects.get().is_live is True
    assert PaymentException.objects.count() == 0


def test_notification_meets_cancelling(
    sandbox: SandboxServer, order: Order, attempt: PaymentAttempt
) -> None:
    PaymentAttempt.objects.update(state=PaymentAttempt.State.CLOSED)

    def cancel() -> Any:
        try:
            cancel_order(order=order, actor=order.buyer, now=timezone.now())
        except OrderError as error:
            return type(error).__name__
        return "cancelled"

    run_together(settle(attempt), cancel)

    expect_paid_once(order)


def test_eight_windows_place_one_order(buyer: User, plan: Plan) -> None:
    def place() -> str:
        try:
            order = place_personal_order(buyer=buyer, plan=plan, now=timezone.now())
        except PlanBeingBoughtError as error:
            return error.order_number
        return order.number

    numbers = run_together(*[place] * 8)

    order = Order.objects.get()
    assert set(numbers) == {order.number}
    assert OrderLine.objects.count() == 1


def test_button_pressed_eight_times_is_one_attempt(
    sandbox: SandboxServer, order: Order
) -> None:
    def press() -> str:
        return start_payment(
            order=order,
            gateway_code="alipay",
            channel=Channel.DESK,
            callbacks=Callbacks("http://portal/n", "http://portal/r"),
            actor=order.buyer,
            now=timezone.now(),
        ).kind

    run_together(*[press] * 8)

    assert PaymentAttempt.objects.count() == 1
