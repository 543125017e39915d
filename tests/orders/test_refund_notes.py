"""Notes about refunds: a reason to ask where they are ours, work for finance where not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from orders.models import (
    GatewayMessage,
    Order,
    PaymentAttempt,
    PaymentException,
    Refund,
    RefundTry,
)
from orders.payments.protocol import Return, State
from orders.payments.registry import get_gateway
from orders.services import process_message, query_attempt
from orders.services.payment import describe_charge
from orders.services.reconciliation import reconcile_bill, request_bill
from orders.services.refunds.deciding import retry_refund
from orders.services.refunds.running import run_refund
from orders.services.refunds.settling import STUCK_REASON
from portal.sandbox import SandboxServer
from tests.orders.bank import Bank
from tests.orders.returns import approved
from tests.orders.shop import hear
from tests.orders.unionpay_purchases import (
    FORM,
    NOTIFY_PATH,
    UnionPurchase,
    make_union_purchase,
)

pytestmark = pytest.mark.django_db

Post = Callable[[str], GatewayMessage]


def slow_refund(order: Order, bank: Bank, finance: User, now: datetime) -> Refund:
    """A refund that the bank has accepted and not decided."""
    refund = approved(order, finance, now)
    bank.faults = ["slow"]
    run_refund(refund_id=refund.pk, now=now)
    refund.refresh_from_db()
    return refund


# --- Ours -----------------------------------------------------------------------------------


def test_note_without_an_amount_makes_us_ask(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = slow_refund(bought, bank, finance, now)
    number = refund.attempt.number
    bank.finish(number, refund.number, State.REFUNDED, now=now)

    hear(bank, bank.refund_notice(number, refund.number, fen=None), now)

    bought.refresh_from_db()
    assert bank.calls[-1] == ("query_refund", refund.number)
    assert (bought.state, bought.refunded_fen) == (Order.State.REFUNDED, 3300)
    assert PaymentException.objects.count() == 0


def test_note_alone_books_nothing(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    """The note says done, the bank when asked says not yet: its word counts."""
    refund = slow_refund(bought, bank, finance, now)
    Refund.objects.update(due_at=now + timedelta(hours=6))
    note = bank.refund_notice(refund.attempt.number, refund.number, state="refunded")

    hear(bank, note, now)

    refund.refresh_from_db()
    bought.refresh_from_db()
    assert (refund.state, bought.refunded_fen) == (Refund.State.APPROVED, 0)
    # Asked again soon, though the next round was far away.
    assert refund.due_at == now + timedelta(minutes=2)
    assert GatewayMessage.objects.filter(state="waiting").count() == 0


def test_note_about_a_failed_number_waits_until_the_bank_answers(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = ["refuse"]
    run_refund(refund_id=refund.pk, now=now)
    number = refund.attempt.number
    bank.pay_back(number, 3300, refund.number, now=now)
    bank.faults = ["down"]

    hear(bank, bank.refund_notice(number, refund.number), now)

    refund.refresh_from_db()
    message = GatewayMessage.objects.get(state="waiting")
    assert refund.state == Refund.State.FAILED

    process_message(message_id=message.pk, now=now)
    refund.refresh_from_db()
    assert refund.state == Refund.State.DONE
    assert PaymentAttempt.objects.get().refunded_fen == 3300


# --- No payment twice -----------------------------------------------------------------------


def test_refused_repetition_is_asked_about_before_it_counts_as_failed(
    bought: Order, bank: Bank, finance: User, now: datetime, monkeypatch: Any
) -> None:
    """UnionPay refuses a repetition whose time is old; the first one had arrived after all."""
    refund = approved(bought, finance, now)
    bank.faults = ["down"]
    run_refund(refund_id=refund.pk, now=now)
    send = bank.refund

    def arrive_late_and_refuse(charge: Any, back: Return, url: str) -> State:
        bank.trades[charge.number].refunds[back.number] = (3300, State.UNKNOWN)
        bank.trades[charge.number].refunded_at[back.number] = now
        bank.faults = ["refuse"]
        return send(charge, Return("another", 3300, now), url)

    monkeypatch.setattr(bank, "refund", arrive_late_and_refuse)

    state = run_refund(refund_id=refund.pk, now=now + timedelta(minutes=5))

    refund.refresh_from_db()
    assert state is State.UNKNOWN
    assert refund.state == Refund.State.APPROVED
    assert RefundTry.objects.get().state == RefundTry.State.UNKNOWN
    bank.finish(refund.attempt.number, refund.number, State.REFUNDED, now=now)
    run_refund(refund_id=refund.pk, now=now + timedelta(days=1))
    assert bank.trades[refund.attempt.number].refunded_fen == 3300
    assert PaymentAttempt.objects.get().refunded_fen == 3300


def test_refused_repetition_that_never_arrived_has_failed(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = ["down"]
    run_refund(refund_id=refund.pk, now=now)
    bank.faults = ["", "refuse"]

    state = run_refund(refund_id=refund.pk, now=now + timedelta(minutes=5))

    refund.refresh_from_db()
    assert state is State.CLOSED
    assert refund.state == Refund.State.FAILED
    assert bank.trades[refund.attempt.number].refunded_fen == 0


def test_failed_number_that_paid_after_all_is_found_before_another_is_sent(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = ["refuse"]
    run_refund(refund_id=refund.pk, now=now)
    bank.pay_back(refund.attempt.number, 3300, refund.number, now=now)
    retry_refund(refund_id=refund.pk, actor=finance, now=now)

    run_refund(refund_id=refund.pk, now=now)

    refund.refresh_from_db()
    assert refund.state == Refund.State.DONE
    assert RefundTry.objects.get().state == RefundTry.State.DONE
    assert bank.trades[refund.attempt.number].refunded_fen == 3300


def test_no_new_number_while_nobody_answers_about_the_old_one(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    refund = approved(bought, finance, now)
    bank.faults = ["refuse"]
    run_refund(refund_id=refund.pk, now=now)
    retry_refund(refund_id=refund.pk, actor=finance, now=now)
    bank.faults = ["down"]

    assert run_refund(refund_id=refund.pk, now=now) is None

    refund.refresh_from_db()
    assert RefundTry.objects.count() == 1
    assert refund.due_at == now + timedelta(minutes=2)
    assert run_refund(refund_id=refund.pk, now=refund.due_at) is State.REFUNDED


def test_refund_that_is_stuck_is_shown_as_failed_and_never_sent_anew(
    bought: Order, bank: Bank, finance: User, now: datetime
) -> None:
    """WeChat's ABNORMAL: it is finished in the vendor's console, under the same number."""
    refund = slow_refund(bought, bank, finance, now)
    number = refund.attempt.number
    bank.finish(number, refund.number, State.STUCK, now=now)

    run_refund(refund_id=refund.pk, now=now + timedelta(minutes=1))

    refund.refresh_from_db()
    row = RefundTry.objects.get()
    assert (refund.state, row.state) == (Refund.State.FAILED, RefundTry.State.FAILED)
    assert row.failure == STUCK_REASON

    retry_refund(refund_id=refund.pk, actor=finance, now=now)
    run_refund(refund_id=refund.pk, now=now)
    refund.refresh_from_db()
    assert refund.state == Refund.State.FAILED
    assert list(bank.trades[number].refunds) == [refund.number]

    bank.finish(number, refund.number, State.REFUNDED, now=now)
    hear(bank, bank.refund_notice(number, refund.number), now)
    refund.refresh_from_db()
    assert refund.state == Refund.State.DONE
    assert PaymentAttempt.objects.get().refunded_fen == 3300


# --- Not ours -------------------------------------------------------------------------------


@pytest.mark.parametrize("is_named", [True, False])
def test_bill_completes_what_a_note_left_open(
    bought: Order, bank: Bank, now: datetime, is_named: bool
) -> None:
    """A note without amount, and maybe without a number of the refund, is the bill's line."""
    number = bought.attempts.get().number
    bank.pay_back(number, 1000, "F1", now=now)
    facts = {"attempt": number, "state": "refunded", "fen": None, "seller": bank.seller}
    note = bank.sign(facts | {"refund": "F1" if is_named else number})
    for _ in range(3):
        hear(bank, note, now)
    assert PaymentException.objects.get().amount_fen is None

    bill = request_bill(gateway=bank.code, day=now.date(), now=now + timedelta(days=2))
    reconcile_bill(bill_id=bill.pk, now=now + timedelta(days=2))

    exception = PaymentException.objects.get()
    assert (exception.attempt_number, exception.refund_number) == (number, "F1")
    assert exception.amount_fen == 1000


def test_payment_is_found_by_the_gateways_number(
    bought: Order, bank: Bank, now: datetime
) -> None:
    attempt = bought.attempts.get()
    bank.pay_back(attempt.number, 1000, "F1", now=now)
    note = {"attempt": "", "gateway_number": f"B{attempt.number}"}

    for _ in range(2):
        hear(bank, bank.refund_notice(attempt.number, "F1", **note), now)

    exception = PaymentException.objects.get()
    assert exception.attempt == attempt
    assert (exception.attempt_number, exception.amount_fen) == (attempt.number, 1000)


# --- UnionPay -------------------------------------------------------------------------------


@pytest.fixture
def union(sandbox: SandboxServer, owner: User, plan: Plan) -> UnionPurchase:
    purchase = make_union_purchase(sandbox, owner, plan)
    purchase.pay()
    query_attempt(attempt_id=purchase.attempt.pk, now=timezone.now())
    purchase.refresh()
    return purchase


@pytest.fixture
def foreign(union: UnionPurchase) -> str:
    """The number of a refund that somebody made at UnionPay's console."""
    back = Return("F20261126000001", 1000, timezone.now())
    get_gateway("unionpay").refund(describe_charge(union.attempt), back, "http://x/")
    return back.number


@pytest.fixture
def post_note(union: UnionPurchase, django_capture_on_commit_callbacks: Any) -> Post:
    def post(number: str) -> GatewayMessage:
        delivery = union.sandbox.unionpay.make_refund_delivery(number)
        with django_capture_on_commit_callbacks(execute=True):
            Client().post(NOTIFY_PATH, delivery.body, content_type=FORM)
        return GatewayMessage.objects.filter(source="notification").latest("pk")

    return post


def test_foreign_refund_at_unionpay_is_confirmed_and_noted_once(
    union: UnionPurchase, foreign: str, post_note: Post
) -> None:
    for _ in range(3):
        assert post_note(foreign).state == GatewayMessage.State.DONE

    exception = PaymentException.objects.get()
    assert exception.kind == PaymentException.Kind.FOREIGN_REFUND
    assert (exception.attempt, exception.refund_number) == (union.attempt, foreign)
    assert exception.amount_fen == 1000


def test_note_of_unionpay_does_nothing_until_it_answers(
    union: UnionPurchase, foreign: str, post_note: Post
) -> None:
    union.sandbox.unionpay.faults.append("system_error")

    message = post_note(foreign)

    assert message.state == GatewayMessage.State.WAITING
    assert PaymentException.objects.count() == 0

    process_message(message_id=message.pk, now=timezone.now())
    message.refresh_from_db()
    assert message.state == GatewayMessage.State.DONE
    assert PaymentException.objects.get().amount_fen == 1000


def test_note_that_nobody_confirms_is_left_to_the_bill(
    union: UnionPurchase, foreign: str, post_note: Post
) -> None:
    union.sandbox.unionpay.faults.extend(["system_error"] * 2)
    message = post_note(foreign)

    later = timezone.now() + timedelta(days=3, minutes=1)
    process_message(message_id=message.pk, now=later)

    message.refresh_from_db()
    assert message.state == GatewayMessage.State.DONE
    assert PaymentException.objects.count() == 0


def test_note_of_our_own_refund_at_unionpay(
    union: UnionPurchase, finance: User, post_note: Post
) -> None:
    refund = approved(union.order, finance, timezone.now())
    run_refund(refund_id=refund.pk, now=timezone.now())

    assert post_note(refund.number).state == GatewayMessage.State.DONE

    union.refresh()
    assert (union.order.state, union.order.refunded_fen) == ("refunded", 3300)
    assert PaymentException.objects.count() == 0
