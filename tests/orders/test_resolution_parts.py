"""Single seats, and refunds that were made at the vendor's console."""

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import (
    OrderError,
    RefundRefusedError,
)
from orders.models import (
    Order,
    PaymentAttempt,
    PaymentException,
    Refund,
    RefundTry,
)
from orders.payments.protocol import State
from orders.services import end_attempt, expire_order
from tests.factories.accounts import UserFactory
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import (
    make_order,
)
from tests.orders.bank import Bank
from tests.orders.decisions import resolve, send_back
from tests.orders.shop import buy, buy_group, go_to, hear

pytestmark = pytest.mark.django_db

Outcome = PaymentException.Outcome


# --- Seats ----------------------------------------------------------------------------------


def test_one_seat_of_many_is_sent_back(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    people = UserFactory.create_batch(3)
    EnrolmentFactory(person=people[1], plan=plan, source="voucher")
    order = buy_group(bank, owner, plan, people, now)
    exception = PaymentException.objects.get()
    assert (exception.line, exception.amount_fen) == (
        order.lines.get(person=people[1]),
        3300,
    )

    refund = send_back(exception, staff, now)

    order.refresh_from_db()
    line = order.lines.get(person=people[1])
    assert (refund.amount_fen, refund.state) == (3300, Refund.State.DONE)
    assert (order.state, order.refunded_fen) == (Order.State.PAID, 3300)
    assert (line.is_live, line.refunded_at) == (False, now)
    assert Enrolment.objects.live().count() == 3
    assert Enrolment.objects.get(person=people[1]).source == "voucher"


def test_seat_that_stands_is_a_further_right(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    held = EnrolmentFactory(person=owner, plan=plan, source="voucher")
    order = buy_group(bank, owner, plan, [owner], now)

    resolve(PaymentException.objects.get(), Outcome.ACCEPTED, staff, now)

    held.refresh_from_db()
    assert held.source == "voucher"
    assert held.further_rights.get().source_number == order.number
    assert Refund.objects.count() == 0


# --- Refunds made without us -----------------------------------------------------------------


def pay_back_at_the_console(
    bank: Bank, order: Order, fen: int, now: datetime
) -> PaymentException:
    number = order.attempts.get().number
    bank.pay_back(number, fen, "CONSOLE1", now=now)
    outcomes = [hear(bank, bank.refund_notice(number, "CONSOLE1"), now) for _ in "12"]
    assert outcomes == ["exception"] * 2
    return PaymentException.objects.get()


def test_refund_at_the_console_is_booked_when_finance_confirm(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    order = buy(bank, owner, plan, now)
    exception = pay_back_at_the_console(bank, order, 3300, now)
    order.refresh_from_db()
    assert (order.state, order.refunded_fen) == (Order.State.PAID, 0)
    assert Enrolment.objects.get().is_live

    resolve(exception, Outcome.ACCEPTED, staff, now)

    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.origin, refund.state) == ("gateway", Refund.State.DONE)
    assert RefundTry.objects.get().number == "CONSOLE1"
    assert (order.state, order.refunded_fen) == (Order.State.REFUNDED, 3300)
    assert not Enrolment.objects.get().is_live
    assert hear(bank, bank.refund_notice(refund.attempt.number, "CONSOLE1"), now) == (
        "unchanged"
    )
    assert PaymentException.objects.count() == 1


def test_part_paid_back_at_the_console_ends_nobodys_access(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    order = buy_group(bank, owner, plan, UserFactory.create_batch(2), now)
    exception = pay_back_at_the_console(bank, order, 3300, now)

    resolve(exception, Outcome.ACCEPTED, staff, now)

    order.refresh_from_db()
    assert (order.state, order.refunded_fen) == (Order.State.PAID, 3300)
    assert Enrolment.objects.live().count() == 2


@pytest.mark.parametrize("fen", [3301, 0])
def test_more_than_there_is_cannot_be_booked(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime, fen: int
) -> None:
    order = buy(bank, owner, plan, now)
    exception = pay_back_at_the_console(bank, order, fen, now)

    with pytest.raises(RefundRefusedError, match="不符"):
        resolve(exception, Outcome.ACCEPTED, staff, now)

    assert PaymentAttempt.objects.get().refunded_fen == 0


def test_what_went_back_at_the_console_does_not_go_back_again(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    order = buy(bank, owner, plan, now)
    exception = pay_back_at_the_console(bank, order, 3300, now)

    with pytest.raises(OrderError, match="不能再次退款"):
        resolve(exception, Outcome.RETURNED, staff, now)

    assert Refund.objects.count() == 0


def test_payment_that_came_and_went_without_us_is_looked_at(
    bank: Bank, owner: User, plan: Plan, staff: User, now: datetime
) -> None:
    """Both notifications were lost; asked, the gateway says that all has gone back."""
    order = make_order(owner, plan, created_at=now)
    attempt = go_to(bank, order, now)
    bank.trades[attempt.number].state = State.REFUNDED

    end_attempt(attempt_id=attempt.pk, now=now)
    end_attempt(attempt_id=attempt.pk, now=now)

    exception = PaymentException.objects.get()
    assert exception.kind == PaymentException.Kind.FOREIGN_REFUND
    resolve(exception, Outcome.NOTED, staff, now)
    later = now + timedelta(hours=1)
    assert expire_order(order_id=order.pk, now=later) is True
