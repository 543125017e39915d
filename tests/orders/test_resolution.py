"""What finance decide about money that fits no order: accept it, send it back, leave it."""

from datetime import datetime

import pytest

from accounts.models import AuditEntry, User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import (
    ExceptionNotAcceptableError,
    ExceptionResolvedError,
    RefundRefusedError,
)
from orders.models import (
    Order,
    OrderLine,
    PaymentAttempt,
    PaymentException,
    Refund,
)
from orders.payments.protocol import Callbacks, Channel
from orders.services.payment import describe_charge
from orders.services.refunds.deciding import give_up_refund
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import (
    PaymentAttemptFactory,
    PaymentExceptionFactory,
    make_order,
)
from tests.orders.bank import Bank
from tests.orders.decisions import resolve, send_back
from tests.orders.shop import buy, go_to, hear, settle

pytestmark = pytest.mark.django_db

Outcome = PaymentException.Outcome


@pytest.fixture
def reviewed(owner: User) -> PaymentException:
    """One fen came for an order of 33 yuan."""
    attempt = PaymentAttemptFactory(order=make_order(owner), review=True)
    exception: PaymentException = PaymentExceptionFactory(attempt=attempt)
    return exception


def test_accepted_money_pays_the_order(
    reviewed: PaymentException, staff: User, now: datetime
) -> None:
    resolve(reviewed, Outcome.ACCEPTED, staff, now)

    reviewed.refresh_from_db()
    assert reviewed.attempt is not None
    order = reviewed.attempt.order
    assert reviewed.state == PaymentException.State.RESOLVED
    assert (reviewed.outcome, reviewed.resolution) == ("accepted", "已核对")
    assert (reviewed.resolved_by, reviewed.resolved_at) == (staff, now)
    assert reviewed.attempt.state == PaymentAttempt.State.PAID
    assert order.state == Order.State.PAID
    assert Enrolment.objects.get().source_number == order.number
    entry = AuditEntry.objects.get()
    assert entry.action == "orders.payment_exception_resolved"
    assert entry.detail == {"kind": "amount", "outcome": "accepted", "reason": "已核对"}


@pytest.mark.parametrize("outcome", [Outcome.RETURNED, Outcome.NOTED])
def test_returned_money_lets_the_order_go_on(
    reviewed: PaymentException, staff: User, now: datetime, outcome: Outcome
) -> None:
    resolve(reviewed, outcome, staff, now)

    reviewed.refresh_from_db()
    assert reviewed.attempt is not None
    assert reviewed.attempt.state == PaymentAttempt.State.CLOSED
    assert reviewed.attempt.order.state == Order.State.PENDING
    assert Enrolment.objects.count() == 0


def test_exception_is_resolved_once(
    reviewed: PaymentException, staff: User, now: datetime
) -> None:
    resolve(reviewed, Outcome.RETURNED, staff, now)

    with pytest.raises(ExceptionResolvedError):
        resolve(reviewed, Outcome.ACCEPTED, staff, now)

    assert Order.objects.get().state == Order.State.PENDING
    assert AuditEntry.objects.count() == 1


def expect_refused(exception: PaymentException, staff: User, now: datetime) -> None:
    with pytest.raises(ExceptionNotAcceptableError):
        resolve(exception, Outcome.ACCEPTED, staff, now)

    exception.refresh_from_db()
    assert exception.state == PaymentException.State.OPEN
    assert Enrolment.objects.count() == 0
    assert AuditEntry.objects.count() == 0


def test_money_without_an_order_cannot_be_accepted(
    db: None, staff: User, now: datetime
) -> None:
    exception = PaymentExceptionFactory(
        attempt=None, attempt_number="R9", kind="unknown_attempt"
    )

    expect_refused(exception, staff, now)


def test_second_payment_cannot_be_accepted(
    owner: User, staff: User, now: datetime
) -> None:
    attempt = PaymentAttemptFactory(order=make_order(owner, paid=True), paid=True)

    expect_refused(
        PaymentExceptionFactory(attempt=attempt, kind="duplicate"), staff, now
    )


def test_money_for_a_plan_bought_again_cannot_be_accepted(
    owner: User, staff: User, now: datetime
) -> None:
    order = make_order(owner, expired=True)
    attempt = PaymentAttemptFactory(order=order, review=True)
    make_order(owner, OrderLine.objects.get().plan)

    expect_refused(PaymentExceptionFactory(attempt=attempt), staff, now)
    assert PaymentException.objects.count() == 1


# --- Sending back -------------------------------------------------------------------------


def test_second_gateways_money_goes_back_to_it(
    banks: dict[str, Bank], owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    order = make_order(owner, plan, created_at=now)
    attempts = {code: go_to(banks[code], order, now) for code in banks}
    assert settle(banks["east"], attempts["east"], now) == "settled"
    assert settle(banks["west"], attempts["west"], now) == "exception"

    refund = send_back(PaymentException.objects.get(), staff, now)

    order.refresh_from_db()
    assert (refund.state, refund.origin) == (Refund.State.DONE, "exception")
    assert (refund.attempt, refund.amount_fen) == (attempts["west"], 3300)
    assert banks["west"].trades[attempts["west"].number].held_fen == 0
    assert banks["east"].trades[attempts["east"].number].held_fen == 3300
    assert (order.state, order.refunded_fen) == (Order.State.PAID, 0)
    assert Enrolment.objects.get().is_live
    assert OrderLine.objects.get().is_live


def test_odd_amount_goes_back_and_the_order_can_be_paid(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    order = make_order(owner, plan, created_at=now)
    attempt = go_to(bank, order, now)
    bank.pay(attempt.number, 1, now=now)
    hear(bank, bank.notice(attempt.number), now)

    refund = send_back(PaymentException.objects.get(), staff, now)
    again = go_to(bank, order, now)

    attempt.refresh_from_db()
    assert refund.amount_fen == 1
    assert bank.trades[attempt.number].held_fen == 0
    assert (attempt.state, attempt.refunded_fen) == (PaymentAttempt.State.CLOSED, 1)
    assert again != attempt
    # What was sent back cannot be settled by a late repetition, not even a right one.
    assert hear(bank, bank.notice(attempt.number, fen=3300), now) == "unchanged"
    assert settle(bank, again, now) == "settled"


def test_late_money_goes_back(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    order = make_order(owner, plan, created_at=now)
    attempt = go_to(bank, order, now)
    Order.objects.update(state=Order.State.EXPIRED, closed_at=now)
    OrderLine.objects.update(is_live=False)
    EnrolmentFactory(person=owner, plan=plan, source="code")
    settle(bank, attempt, now)

    refund = send_back(PaymentException.objects.get(), staff, now)

    order.refresh_from_db()
    assert refund.state == Refund.State.DONE
    assert bank.trades[attempt.number].held_fen == 0
    assert order.state == Order.State.EXPIRED
    assert Enrolment.objects.get().source == "code"


def test_late_money_can_be_accepted_once_the_plan_is_free(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    order = make_order(owner, plan, created_at=now)
    attempt = go_to(bank, order, now)
    Order.objects.update(state=Order.State.EXPIRED, closed_at=now)
    OrderLine.objects.update(is_live=False)
    held = EnrolmentFactory(person=owner, plan=plan, source="code")
    settle(bank, attempt, now)
    exception = PaymentException.objects.get()
    with pytest.raises(ExceptionNotAcceptableError):
        resolve(exception, Outcome.ACCEPTED, staff, now)
    held.state = Enrolment.State.REVOKED
    held.save()

    resolve(exception, Outcome.ACCEPTED, staff, now)

    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert Enrolment.objects.get().source_number == order.number
    assert PaymentAttempt.objects.get().pays_order is True


def test_money_that_paid_the_order_is_not_an_exceptions_to_return(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    order = buy(bank, owner, plan, now)
    exception = PaymentExceptionFactory(
        attempt=order.attempts.get(), gateway="east", amount_fen=1
    )

    with pytest.raises(RefundRefusedError, match="已用于支付订单"):
        resolve(exception, Outcome.RETURNED, staff, now)

    exception.refresh_from_db()
    assert exception.state == PaymentException.State.OPEN
    assert Refund.objects.count() == AuditEntry.objects.count() == 0


def test_money_without_an_attempt_is_returned_at_the_console(
    db: None, staff: User, now: datetime
) -> None:
    exception = PaymentExceptionFactory(
        attempt=None, attempt_number="R9", kind="unknown_attempt"
    )

    with pytest.raises(ExceptionNotAcceptableError, match="渠道后台"):
        resolve(exception, Outcome.RETURNED, staff, now)
    resolve(exception, Outcome.NOTED, staff, now)

    exception.refresh_from_db()
    assert exception.outcome == "noted"
    assert Refund.objects.count() == 0


def test_failed_return_of_an_exception_is_never_given_up(
    banks: dict[str, Bank], owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    order = buy(banks["east"], owner, plan, now)
    attempt = PaymentAttemptFactory(order=order, gateway="west", created_at=now)
    banks["west"].start(describe_charge(attempt), Channel.DESK, Callbacks("", ""))
    settle(banks["west"], attempt, now)
    banks["west"].faults = ["refuse"]
    refund = send_back(PaymentException.objects.get(), staff, now)
    assert refund.state == Refund.State.FAILED

    with pytest.raises(RefundRefusedError, match="必须退回"):
        give_up_refund(refund_id=refund.pk, reason="x", actor=staff, now=now)
