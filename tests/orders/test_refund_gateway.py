"""Refunds at the gateway: doubt, failure, repetition, and the end."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import AuditEntry, User
from catalog.models import Plan
from learning.models import Enrolment, FurtherRight
from orders import tasks
from orders.errors import (
    OrderError,
    ReasonMissingError,
    RefundNotOpenError,
)
from orders.models import (
    GatewayMessage,
    Order,
    PaymentAttempt,
    PaymentException,
    Refund,
    RefundTry,
)
from orders.payments.protocol import State
from orders.services.refunds.deciding import (
    approve_refund,
    declare_failed,
    give_up_refund,
    note_paid_back,
    refuse_refund,
    retry_refund,
)
from orders.services.refunds.running import run_refund
from tests.factories.accounts import UserFactory
from tests.factories.learning import EnrolmentFactory
from tests.orders.bank import Bank
from tests.orders.returns import approved, ask, list_kinds
from tests.orders.shop import buy, go_to, hear, place_group, settle

pytestmark = pytest.mark.django_db


def test_money_goes_back_and_everything_follows(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    later = now + timedelta(minutes=1)

    assert run_refund(refund_id=refund.pk, now=later) is State.REFUNDED
    assert run_refund(refund_id=refund.pk, now=later + timedelta(days=1)) is None

    bought.refresh_from_db()
    refund.refresh_from_db()
    line = bought.lines.get()
    attempt = PaymentAttempt.objects.get()
    assert (refund.state, refund.finished_at) == (Refund.State.DONE, later)
    assert (bought.state, bought.refunded_fen) == (Order.State.REFUNDED, 3300)
    assert (line.is_live, line.refunded_at) == (False, later)
    assert attempt.refunded_fen == 3300
    assert bank.trades[attempt.number].refunds == {
        refund.number: (3300, State.REFUNDED)
    }
    message = GatewayMessage.objects.get(source="refund")
    assert (message.attempt, message.event_id) == (attempt, refund.number)
    assert list_kinds(bought) == ["refund_asked", "refund_started", "refunded"]


def test_the_plan_can_be_bought_anew(
    bought: Order, bank: Bank, finance: User, plan: Plan, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    run_refund(refund_id=refund.pk, now=now)

    again = buy(bank, bought.buyer, plan, now)

    assert again.state == Order.State.PAID
    assert Enrolment.objects.get().source_number == again.number


def list_refund_calls(bank: Bank) -> list[tuple[str, str]]:
    return [call for call in bank.calls if "refund" in call[0]]


@pytest.mark.parametrize("fault", ["down", "lost"])
def test_no_answer_is_asked_about_under_the_same_number(
    bought: Order, bank: Bank, finance: User, now: datetime, fault: str
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = [fault]

    assert run_refund(refund_id=refund.pk, now=now) is None

    refund.refresh_from_db()
    row = RefundTry.objects.get()
    assert (refund.state, row.state) == (Refund.State.APPROVED, RefundTry.State.SENDING)
    assert run_refund(refund_id=refund.pk, now=now + timedelta(seconds=60)) is None
    assert len(list_refund_calls(bank)) == 1

    assert run_refund(refund_id=refund.pk, now=refund.due_at) is State.REFUNDED
    expected = [("refund", refund.number), ("query_refund", refund.number)]
    if fault == "down":
        expected.append(("refund", refund.number))
    assert list_refund_calls(bank) == expected
    assert bank.trades[refund.attempt.number].held_fen == 0


def test_worker_killed_after_sending_pays_once(
    bought: Order,
    bank: Bank,
    finance: User,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refund = approved(bought, finance, now)

    def die(*_args: object, **_kwargs: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("orders.services.refunds.running._settle", die)
        with pytest.raises(SystemExit):
            run_refund(refund_id=refund.pk, now=now)
    refund.refresh_from_db()
    assert refund.state == Refund.State.APPROVED
    assert bank.trades[refund.attempt.number].held_fen == 0

    run_refund(refund_id=refund.pk, now=now + timedelta(minutes=2))

    refund.refresh_from_db()
    assert refund.state == Refund.State.DONE
    assert list_refund_calls(bank)[-1] == ("query_refund", refund.number)


def test_accepted_is_not_done(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = ["slow"]

    assert run_refund(refund_id=refund.pk, now=now) is State.UNKNOWN

    refund.refresh_from_db()
    bought.refresh_from_db()
    assert RefundTry.objects.get().state == RefundTry.State.UNKNOWN
    assert bought.refunded_fen == 0
    assert refund.due_at == now + timedelta(seconds=15)
    bank.finish(refund.attempt.number, refund.number, State.REFUNDED, now=now)
    assert run_refund(refund_id=refund.pk, now=refund.due_at) is State.REFUNDED
    calls = [name for name, _ in list_refund_calls(bank)]
    assert calls == ["refund", "query_refund"]


def test_notification_of_a_refund_counts_once(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = ["slow"]
    run_refund(refund_id=refund.pk, now=now)
    number = refund.attempt.number
    bank.finish(number, refund.number, State.REFUNDED, now=now)

    outcomes = [
        hear(bank, bank.refund_notice(number, refund.number), now) for _ in range(10)
    ]

    bought.refresh_from_db()
    assert outcomes == ["refunded"] + ["unchanged"] * 9
    assert (bought.state, bought.refunded_fen) == (Order.State.REFUNDED, 3300)
    assert PaymentAttempt.objects.get().refunded_fen == 3300
    assert PaymentException.objects.count() == 0
    assert run_refund(refund_id=refund.pk, now=now + timedelta(days=1)) is None


def test_definite_failure_takes_another_number(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = ["refuse"]

    assert run_refund(refund_id=refund.pk, now=now) is State.CLOSED

    refund.refresh_from_db()
    first = RefundTry.objects.get()
    assert refund.state == Refund.State.FAILED
    assert (first.state, first.failure) == (RefundTry.State.FAILED, "NOT_ENOUGH")
    assert run_refund(refund_id=refund.pk, now=now + timedelta(days=1)) is None

    retry_refund(refund_id=refund.pk, actor=finance, now=now)
    assert run_refund(refund_id=refund.pk, now=now) is State.REFUNDED

    numbers = list(RefundTry.objects.order_by("pk").values_list("number", flat=True))
    assert numbers[0] == refund.number
    assert numbers[1] != refund.number
    assert bank.trades[refund.attempt.number].held_fen == 0
    assert AuditEntry.objects.filter(action="orders.refund_retried").count() == 1


def test_failed_notice_after_accepting(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = ["slow"]
    run_refund(refund_id=refund.pk, now=now)
    number = refund.attempt.number
    bank.finish(number, refund.number, State.CLOSED, now=now)

    hear(bank, bank.refund_notice(number, refund.number), now)

    refund.refresh_from_db()
    bought.refresh_from_db()
    assert refund.state == Refund.State.FAILED
    assert (bought.state, bought.refunded_fen) == (Order.State.PAID, 0)
    assert list_kinds(bought)[-1] == "refund_failed"


def test_success_after_a_failure_was_tried_anew_is_a_refund_beside(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    """A gateway that takes its word back: the second payment back is not lost sight of."""
    refund = approved(bought, finance, now)
    bank.faults = ["refuse"]
    run_refund(refund_id=refund.pk, now=now)
    retry_refund(refund_id=refund.pk, actor=finance, now=now)
    run_refund(refund_id=refund.pk, now=now)
    number = refund.attempt.number
    bank.pay_back(number, 3300, refund.number, now=now)

    hear(bank, bank.refund_notice(number, refund.number), now)

    exception = PaymentException.objects.get()
    assert exception.kind == PaymentException.Kind.FOREIGN_REFUND
    assert exception.refund_number == refund.number
    assert PaymentAttempt.objects.get().refunded_fen == 3300


def fail(order: Order, bank: Bank, finance: User, now: datetime) -> Refund:
    refund = approved(order, finance, now)
    bank.faults = ["refuse"]
    run_refund(refund_id=refund.pk, now=now)
    return refund


def test_failed_one_paid_back_otherwise(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = fail(bought, bank, finance, now)

    with pytest.raises(ReasonMissingError):
        note_paid_back(refund_id=refund.pk, reason="", actor=finance, now=now)
    note_paid_back(refund_id=refund.pk, reason="银行转账", actor=finance, now=now)

    refund.refresh_from_db()
    bought.refresh_from_db()
    assert (refund.state, refund.is_manual) == (Refund.State.DONE, True)
    assert bought.state == Order.State.REFUNDED


def test_failed_one_given_up_gives_the_access_back(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = fail(bought, bank, finance, now)

    give_up_refund(refund_id=refund.pk, reason="本人放弃", actor=finance, now=now)

    bought.refresh_from_db()
    assert bought.state == Order.State.PAID
    assert Enrolment.objects.get().is_live
    assert ask(bought, now).amount_fen == 3300


def test_seat_nobody_can_use_is_an_exception_again_when_its_refund_is_given_up(
    bank: Bank, owner: User, plan: Plan, finance: User, now: datetime
) -> None:
    """Late money for two, of whom one has the plan otherwise by now."""
    people = UserFactory.create_batch(2)
    order = place_group(owner, plan, people, now)
    attempt = go_to(bank, order, now)
    order.lines.update(is_live=False)
    Order.objects.update(state=Order.State.EXPIRED, closed_at=now)
    EnrolmentFactory(person=people[0], plan=plan, source="voucher")
    settle(bank, attempt, now)
    order.refresh_from_db()
    refund = fail(order, bank, finance, now)
    exception = PaymentException.objects.get()
    assert exception.state == PaymentException.State.RESOLVED

    give_up_refund(refund_id=refund.pk, reason="渠道不退", actor=finance, now=now)

    exception.refresh_from_db()
    assert (exception.state, exception.outcome) == (PaymentException.State.OPEN, "")
    assert (exception.resolution, exception.resolved_at) == ("", None)
    enrolments = Enrolment.objects.live().order_by("person")
    sources = list(enrolments.values_list("person", "source"))
    assert sources == [(people[0].pk, "voucher"), (people[1].pk, "order")]
    assert FurtherRight.objects.count() == 0


def test_unknown_for_long_may_be_declared_failed(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = ["slow"]
    run_refund(refund_id=refund.pk, now=now)
    with pytest.raises(RefundNotOpenError):
        declare_failed(refund_id=refund.pk, reason="查无", actor=finance, now=now)
    Refund.objects.update(rounds=5)

    declare_failed(refund_id=refund.pk, reason="查无", actor=finance, now=now)

    refund.refresh_from_db()
    assert refund.state == Refund.State.FAILED
    assert RefundTry.objects.get().failure == "查无"


@pytest.mark.parametrize(
    "step",
    [
        lambda refund, who, now: retry_refund(refund_id=refund.pk, actor=who, now=now),
        lambda refund, who, now: note_paid_back(
            refund_id=refund.pk, reason="x", actor=who, now=now
        ),
        lambda refund, who, now: give_up_refund(
            refund_id=refund.pk, reason="x", actor=who, now=now
        ),
        lambda refund, who, now: approve_refund(
            refund_id=refund.pk, decision="", actor=who, now=now
        ),
        lambda refund, who, now: refuse_refund(
            refund_id=refund.pk, decision="x", actor=who, now=now
        ),
    ],
    ids=["retry", "paid back", "give up", "approve", "refuse"],
)
def test_nothing_is_decided_about_money_that_is_back(
    bought: Order, bank: Bank, finance: User, colleague: User, now: datetime, step: Any
) -> None:
    refund = approved(bought, finance, now)
    run_refund(refund_id=refund.pk, now=now)
    before = Refund.objects.values().get()

    with pytest.raises(OrderError):
        step(refund, colleague, now)

    assert Refund.objects.values().get() == before


def test_gateway_taken_out_of_the_settings_is_a_doubt(
    bought: Order, finance: User, now: datetime, settings: Any
) -> None:
    refund = approved(bought, finance, now)
    settings.PAYMENT_GATEWAYS = {}

    assert run_refund(refund_id=refund.pk, now=now) is None

    refund.refresh_from_db()
    assert refund.state == Refund.State.APPROVED


def test_sweep_runs_what_is_due(bought: Order, finance: User, now: datetime) -> None:
    refund = approved(bought, finance, now)
    assert refund.due_at == now

    tasks.sweep_refunds()

    refund.refresh_from_db()
    assert refund.state == Refund.State.DONE
