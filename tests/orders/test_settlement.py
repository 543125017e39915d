from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from learning.models import Enrolment
from orders.models import (
    GatewayMessage,
    Order,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.protocol import Report, State
from orders.services.outcomes import Outcome
from orders.services.settlement import apply_report
from tests.clock import at
from tests.factories.orders import (
    PaymentAttemptFactory,
    make_order,
)
from tests.orders.reports import apply, list_kinds, paid

pytestmark = pytest.mark.django_db

NOTIFICATION = GatewayMessage.Source.NOTIFICATION
QUERY = GatewayMessage.Source.QUERY


@pytest.fixture
def order(owner: User) -> Order:
    return make_order(owner)


@pytest.fixture
def attempt(order: Order) -> PaymentAttempt:
    return PaymentAttemptFactory(order=order)


def test_payment_pays_the_order_and_opens_the_plan(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    outcome = apply(paid(attempt), now)

    order.refresh_from_db()
    attempt.refresh_from_db()
    enrolment = Enrolment.objects.get()
    assert outcome is Outcome.SETTLED
    assert (order.state, order.paid_at) == (Order.State.PAID, now)
    assert (attempt.state, attempt.paid_at) == (PaymentAttempt.State.PAID, now)
    assert attempt.gateway_number == "2026061522001400000000000001"
    assert enrolment.person == order.buyer
    assert enrolment.source == Enrolment.Source.ORDER
    assert enrolment.source_number == order.number
    assert list_kinds(order) == ["notified", "paid", "enrolled"]
    assert PaymentException.objects.count() == 0


def test_query_leaves_its_own_trace(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    apply(paid(attempt, seller=""), now, QUERY)

    assert list_kinds(order) == ["queried", "paid", "enrolled"]


def test_notification_after_the_query_is_traced_too(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    apply(paid(attempt), now, QUERY)

    outcomes = [apply(paid(attempt), now) for _ in range(2)]

    assert outcomes == [Outcome.UNCHANGED] * 2
    assert list_kinds(order) == ["queried", "paid", "enrolled", "notified"]


def test_repetition_changes_nothing(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    later = now + timedelta(minutes=5)
    apply(paid(attempt), now)

    outcomes = [apply(paid(attempt), later) for _ in range(10)]

    order.refresh_from_db()
    assert outcomes == [Outcome.UNCHANGED] * 10
    assert order.paid_at == now
    assert Enrolment.objects.count() == 1
    assert list_kinds(order) == ["notified", "paid", "enrolled"]


@pytest.mark.parametrize(
    "state", [State.UNPAID, State.CLOSED, State.NOT_FOUND, State.UNKNOWN]
)
def test_paid_is_final(
    order: Order, attempt: PaymentAttempt, now: datetime, state: State
) -> None:
    apply(paid(attempt), now)

    outcome = apply(Report(attempt.number, state), now)

    attempt.refresh_from_db()
    order.refresh_from_db()
    assert outcome is Outcome.UNCHANGED
    assert attempt.state == PaymentAttempt.State.PAID
    assert order.state == Order.State.PAID


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"amount_fen": 1}, "amount"),
        ({"amount_fen": 3301}, "amount"),
        ({"amount_fen": None}, "amount"),
        ({"currency": "USD"}, "amount"),
        ({"seller": "2088000000000009"}, "seller"),
    ],
)
def test_mismatch_becomes_an_exception(
    order: Order,
    attempt: PaymentAttempt,
    now: datetime,
    changes: dict[str, Any],
    kind: str,
) -> None:
    outcome = apply(paid(attempt, **changes), now)

    order.refresh_from_db()
    attempt.refresh_from_db()
    exception = PaymentException.objects.get()
    assert outcome is Outcome.EXCEPTION
    assert exception.kind == kind
    assert exception.state == PaymentException.State.OPEN
    assert exception.amount_fen == changes.get("amount_fen", 3300)
    assert attempt.state == PaymentAttempt.State.REVIEW
    assert order.state == Order.State.PENDING
    assert Enrolment.objects.count() == 0
    assert list_kinds(order) == ["notified", "exception"]


def test_repeated_mismatch_is_one_exception(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    for _ in range(3):
        apply(paid(attempt, amount_fen=1), now)

    assert PaymentException.objects.count() == 1
    assert list_kinds(order) == ["notified", "exception"]


def test_mismatch_that_staff_decided_does_not_come_back(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    apply(paid(attempt, amount_fen=1), now)
    PaymentException.objects.update(state=PaymentException.State.RESOLVED)
    PaymentAttempt.objects.update(state=PaymentAttempt.State.CLOSED)

    outcome = apply(paid(attempt, amount_fen=1), now)

    attempt.refresh_from_db()
    assert outcome is Outcome.UNCHANGED
    assert attempt.state == PaymentAttempt.State.CLOSED
    assert PaymentException.objects.count() == 1


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-06-14 23:59", "2026-06-14 23:59"),
        ("2026-06-15 10:05", "2026-06-15 10:00"),
    ],
)
def test_money_belongs_to_the_gateways_day_but_never_to_the_future(
    order: Order, attempt: PaymentAttempt, now: datetime, moment: str, expected: str
) -> None:
    apply(paid(attempt, paid_at=at(moment)), now)

    order.refresh_from_db()
    attempt.refresh_from_db()
    assert order.paid_at == attempt.paid_at == at(expected)


def test_right_amount_after_a_wrong_one_settles(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    apply(paid(attempt, amount_fen=1), now)

    outcome = apply(paid(attempt), now, QUERY)

    order.refresh_from_db()
    assert outcome is Outcome.SETTLED
    assert order.state == Order.State.PAID
    assert PaymentException.objects.get().state == PaymentException.State.OPEN


def test_unknown_number_becomes_an_exception(db: None, now: datetime) -> None:
    report = Report("R999999AAAAAAAAAAAAA", State.PAID, 3300)

    outcomes = [apply(report, now) for _ in range(2)]

    exception = PaymentException.objects.get()
    assert outcomes == [Outcome.EXCEPTION, Outcome.EXCEPTION]
    assert exception.kind == PaymentException.Kind.UNKNOWN_ATTEMPT
    assert exception.attempt_number == "R999999AAAAAAAAAAAAA"
    assert exception.attempt is None


def test_unknown_number_that_staff_decided_does_not_come_back(
    db: None, now: datetime
) -> None:
    report = Report("R999999AAAAAAAAAAAAA", State.PAID, 3300)
    apply(report, now)
    PaymentException.objects.update(state=PaymentException.State.RESOLVED)

    apply(report, now)

    assert PaymentException.objects.get().state == PaymentException.State.RESOLVED


def test_unknown_number_without_money_is_nothing(db: None, now: datetime) -> None:
    assert apply(Report("R9", State.UNPAID), now) is Outcome.UNCHANGED
    assert PaymentException.objects.count() == 0


def test_number_of_another_gateway_is_unknown(
    attempt: PaymentAttempt, now: datetime
) -> None:
    outcome = apply_report(
        gateway="wechat", report=paid(attempt), source=NOTIFICATION, now=now
    )

    attempt.refresh_from_db()
    assert outcome is Outcome.EXCEPTION
    assert attempt.state == PaymentAttempt.State.WAITING


def test_refund_note_is_not_a_payment(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    outcome = apply(paid(attempt, refund_number="F1", amount_fen=3300), now)

    attempt.refresh_from_db()
    assert outcome is Outcome.UNCHANGED
    assert attempt.state == PaymentAttempt.State.WAITING
    assert list_kinds(order) == []


def test_closed_at_the_gateway_closes_the_attempt_only(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    outcome = apply(Report(attempt.number, State.CLOSED), now)

    order.refresh_from_db()
    attempt.refresh_from_db()
    assert outcome is Outcome.CLOSED
    assert (attempt.state, attempt.closed_at) == (PaymentAttempt.State.CLOSED, now)
    assert order.state == Order.State.PENDING
