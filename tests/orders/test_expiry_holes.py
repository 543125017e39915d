"""The moments at which an order ends while somebody is about to pay it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders import tasks
from orders.errors import GatewayDownError, OrderNotPayableError
from orders.models import Order, PaymentAttempt
from orders.payments.protocol import GatewayRefused, State
from orders.queries import list_attempt_ids_to_ask_last
from orders.services import cancel_order, end_attempt, expire_order
from orders.services.polling import ask_last
from tests.factories.orders import make_order
from tests.orders.bank import Bank
from tests.orders.shop import go_to

pytestmark = pytest.mark.django_db

OVER = timedelta(minutes=31)


@pytest.fixture
def order(bank: Bank, owner: User, plan: Plan, now: datetime) -> Order:
    return make_order(
        owner, plan, created_at=now, expires_at=now + timedelta(minutes=30)
    )


def test_nobody_is_led_to_a_cashier_whose_order_ended_meanwhile(
    bank: Bank, order: Order, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway takes long; the buyer cancels in a second window."""
    start = bank.start

    def take_long(*arguments: Any) -> Any:
        cancel_order(order=order, actor=order.buyer, now=now)
        return start(*arguments)

    monkeypatch.setattr(bank, "start", take_long)

    with pytest.raises(OrderNotPayableError):
        go_to(bank, order, now)

    order.refresh_from_db()
    assert order.state == Order.State.CANCELLED
    assert PaymentAttempt.objects.get().state == PaymentAttempt.State.CLOSED


def test_gateway_that_says_no_is_told_as_such(
    bank: Bank, order: Order, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> Any:
        raise GatewayRefused("NO_AUTH")

    monkeypatch.setattr(bank, "start", refuse)

    with pytest.raises(GatewayDownError):
        go_to(bank, order, now)


def end_unseen(bank: Bank, order: Order, now: datetime) -> PaymentAttempt:
    """Cancel before the vendor has heard of the payment: its cashier stays open."""
    attempt = go_to(bank, order, now)
    trade = bank.trades.pop(attempt.number)
    cancel_order(order=order, actor=order.buyer, now=now + timedelta(minutes=1))
    bank.trades[attempt.number] = trade
    order.refresh_from_db()
    assert order.state == Order.State.CANCELLED
    return attempt


def test_payment_at_a_cashier_that_stayed_open_is_found_without_notification(
    bank: Bank, order: Order, now: datetime
) -> None:
    attempt = end_unseen(bank, order, now)
    bank.pay(attempt.number, now=now + timedelta(minutes=20))
    due = now + timedelta(minutes=35)
    assert list_attempt_ids_to_ask_last(due - timedelta(seconds=1), 10) == []
    assert list_attempt_ids_to_ask_last(due, 10) == [attempt.pk]

    assert ask_last(attempt_id=attempt.pk, now=due) is State.PAID

    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert Enrolment.objects.get().source_number == order.number
    assert list_attempt_ids_to_ask_last(due, 10) == []


@pytest.mark.parametrize("fault", ["", "down"])
def test_the_last_question_is_asked_once(
    bank: Bank, order: Order, now: datetime, fault: str
) -> None:
    attempt = end_unseen(bank, order, now)
    due = now + timedelta(minutes=35)
    bank.faults = [fault]

    ask_last(attempt_id=attempt.pk, now=due)

    assert list_attempt_ids_to_ask_last(due + timedelta(minutes=1), 10) == []
    order.refresh_from_db()
    assert order.state == Order.State.CANCELLED


def test_after_a_long_standstill_the_bills_tell(
    bank: Bank, order: Order, now: datetime
) -> None:
    end_unseen(bank, order, now)

    assert list_attempt_ids_to_ask_last(now + timedelta(days=2), 10) == []


def test_attempt_paid_since_is_not_asked_about(
    bank: Bank, order: Order, now: datetime
) -> None:
    attempt = go_to(bank, order, now)
    bank.pay(attempt.number, now=now)
    end_attempt(attempt_id=attempt.pk, now=now)
    calls = len(bank.calls)

    assert ask_last(attempt_id=attempt.pk, now=now + OVER) is None
    assert len(bank.calls) == calls


def test_sweep_asks_them(bank: Bank, order: Order, now: datetime) -> None:
    attempt = end_unseen(bank, order, now)
    bank.pay(attempt.number, now=now)
    ran_out = timezone.now() - timedelta(minutes=6)
    PaymentAttempt.objects.update(expires_at=ran_out)

    tasks.ask_ended_attempts()

    order.refresh_from_db()
    assert order.state == Order.State.PAID


def test_gateway_in_doubt_keeps_the_order_open(
    bank: Bank, order: Order, now: datetime
) -> None:
    attempt = go_to(bank, order, now)
    for fault in (["down"], ["", "down"]):
        bank.faults = fault
        assert end_attempt(attempt_id=attempt.pk, now=now + OVER) is False
        assert expire_order(order_id=order.pk, now=now + OVER) is False

    assert end_attempt(attempt_id=attempt.pk, now=now + OVER) is True
    assert expire_order(order_id=order.pk, now=now + OVER) is True
    assert bank.trades[attempt.number].state is State.CLOSED


def test_paid_between_question_and_closing(
    bank: Bank, order: Order, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unpaid when asked, paid when it is to be closed: left for the next round."""
    attempt = go_to(bank, order, now)
    close = bank.close

    def close_late(charge: Any) -> State:
        bank.pay(attempt.number, now=now)
        return close(charge)

    with monkeypatch.context() as patch:
        patch.setattr(bank, "close", close_late)
        assert end_attempt(attempt_id=attempt.pk, now=now + OVER) is False
    assert expire_order(order_id=order.pk, now=now + OVER) is False

    assert end_attempt(attempt_id=attempt.pk, now=now + OVER) is True
    order.refresh_from_db()
    assert order.state == Order.State.PAID
