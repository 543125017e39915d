"""Refunds wished for, decided and sent by many at once: the money goes back once."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from orders.errors import OrderError
from orders.models import (
    Order,
    PaymentAttempt,
    PaymentException,
    Refund,
    RefundTry,
)
from orders.payments.protocol import State
from orders.services import (
    resolve_exception,
)
from orders.services.refunds.asking import request_refund, start_refund
from orders.services.refunds.deciding import approve_refund
from orders.services.refunds.running import run_refund
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_order
from tests.orders.bank import Bank
from tests.orders.shop import buy, go_to, hear, settle
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)


TIMES = 12


def named(error: Exception) -> str:
    return type(error).__name__


def test_twelve_wishes_at_once_are_one_refund(
    bank: Bank, buyer: User, plan: Plan
) -> None:
    order = buy(bank, buyer, plan, timezone.now())

    def ask() -> str:
        try:
            return request_refund(
                order=order,
                line_ids=None,
                reason="x",
                buyer=buyer,
                now=timezone.now(),
            ).state
        except OrderError as error:
            return named(error)

    outcomes = run_together(*[ask] * TIMES)

    assert sorted(outcomes) == ["RefundRefusedError"] * (TIMES - 1) + ["requested"]
    assert Refund.objects.count() == 1


def approved(bank: Bank, buyer: User, plan: Plan, finance: User) -> Refund:
    order = buy(bank, buyer, plan, timezone.now())
    return start_refund(
        order=order, line_ids=None, reason="x", actor=finance, now=timezone.now()
    )


def test_twelve_workers_send_one_refund(
    bank: Bank, buyer: User, plan: Plan, finance: User
) -> None:
    refund = approved(bank, buyer, plan, finance)

    def work() -> Any:
        return run_refund(refund_id=refund.pk, now=timezone.now())

    outcomes = run_together(*[work] * TIMES)

    sent = [name for name, _ in bank.calls if name == "refund"]
    assert outcomes.count(State.REFUNDED) == 1
    assert len(sent) == RefundTry.objects.count() == 1
    assert PaymentAttempt.objects.get().refunded_fen == 3300


def test_answer_and_notification_of_a_refund_count_once(
    bank: Bank, buyer: User, plan: Plan, finance: User
) -> None:
    refund = approved(bank, buyer, plan, finance)
    bank.faults = ["slow"]
    run_refund(refund_id=refund.pk, now=timezone.now())
    number = refund.attempt.number
    bank.finish(number, refund.number, State.REFUNDED, now=timezone.now())
    Refund.objects.update(due_at=None)

    def notify() -> Any:
        return hear(bank, bank.refund_notice(number, refund.number), timezone.now())

    def ask() -> Any:
        return run_refund(refund_id=refund.pk, now=timezone.now())

    run_together(*[notify, ask] * 6)

    order = Order.objects.get()
    attempt = PaymentAttempt.objects.get()
    assert (order.state, order.refunded_fen) == (Order.State.REFUNDED, 3300)
    assert attempt.refunded_fen == 3300
    assert PaymentException.objects.count() == 0


def test_two_of_the_staff_decide_once(bank: Bank, buyer: User, plan: Plan) -> None:
    order = buy(bank, buyer, plan, timezone.now())
    refund = request_refund(
        order=order, line_ids=None, reason="x", buyer=buyer, now=timezone.now()
    )
    staff = [UserFactory(is_staff=True) for _ in range(4)]

    def decide(actor: User) -> Any:
        def work() -> str:
            try:
                approve_refund(
                    refund_id=refund.pk, decision="", actor=actor, now=timezone.now()
                )
            except OrderError as error:
                return named(error)
            return "approved"

        return work

    outcomes = run_together(*[decide(actor) for actor in staff])

    assert sorted(outcomes) == ["RefundNotOpenError"] * 3 + ["approved"]


def test_exception_sent_back_twice_at_once_goes_back_once(
    banks: dict[str, Bank], buyer: User, plan: Plan, finance: User
) -> None:
    now = timezone.now()
    order = make_order(buyer, plan, created_at=now)
    attempts = {code: go_to(banks[code], order, now) for code in banks}
    for code, attempt in attempts.items():
        settle(banks[code], attempt, now)
    exception = PaymentException.objects.get()

    def send_back() -> str:
        try:
            resolve_exception(
                exception_id=exception.pk,
                outcome=PaymentException.Outcome.RETURNED,
                reason="x",
                actor=finance,
                now=timezone.now(),
            )
        except OrderError as error:
            return named(error)
        return "sent back"

    outcomes = run_together(*[send_back] * 6)

    assert sorted(outcomes) == ["ExceptionResolvedError"] * 5 + ["sent back"]
    refund = Refund.objects.get()
    run_refund(refund_id=refund.pk, now=timezone.now())
    held = {
        code: bank.trades[attempts[code].number].held_fen
        for code, bank in banks.items()
    }
    assert sorted(held.values()) == [0, 3300]
