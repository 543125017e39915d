"""Bills against our books: what is lost is settled, what differs is shown, and only once."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from accounts.models import AuditEntry, User
from catalog.models import Plan
from learning.models import Enrolment
from orders import tasks
from orders.errors import (
    BillDayNotReadyError,
    DifferenceResolvedError,
    ReasonMissingError,
)
from orders.models import (
    BillDay,
    BillDifference,
    BillEntry,
    GatewayMessage,
    Order,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.protocol import BillLine, GatewayUnavailable, State
from orders.services.reconciliation import (
    open_due_bills,
    reconcile_bill,
    request_bill,
    resolve_difference,
)
from orders.services.refunds.asking import start_refund
from orders.services.refunds.running import run_refund
from tests.clock import at
from tests.factories.orders import make_order
from tests.orders.bank import Bank
from tests.orders.shop import buy, go_to, settle

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 15)
NEXT = at("2026-06-16 10:30")


def reconcile(day: date = DAY, now: datetime = NEXT) -> BillDay:
    bill = request_bill(gateway="east", day=day, now=now)
    return reconcile_bill(bill_id=bill.pk, now=now)


def list_differences(bill: BillDay) -> list[tuple[Any, ...]]:
    rows = bill.differences.order_by("subject", "attempt_number")
    return [
        (row.subject, row.kind, row.our_fen, row.their_fen, row.state) for row in rows
    ]


def test_a_day_that_agrees(
    bank: Bank, bought: Order, finance: User, now: datetime
) -> None:
    refund = start_refund(
        order=bought, line_ids=None, reason="x", actor=finance, now=now
    )
    run_refund(refund_id=refund.pk, now=now)

    bill = reconcile()

    assert bill.state == BillDay.State.READ
    assert (bill.their_payments, bill.their_paid_fen) == (1, 3300)
    assert (bill.their_refunds, bill.their_refunded_fen) == (1, 3300)
    assert (bill.our_payments, bill.our_paid_fen) == (1, 3300)
    assert (bill.our_refunds, bill.our_refunded_fen) == (1, 3300)
    assert (bill.found_payments, bill.read_at) == (0, NEXT)
    assert list_differences(bill) == []
    assert BillEntry.objects.count() == 2


def test_lost_notification_is_settled_by_the_bill(
    bank: Bank, owner: User, plan: Plan, now: datetime
) -> None:
    order = make_order(owner, plan, created_at=now)
    attempt = go_to(bank, order, now)
    bank.pay(attempt.number, now=now)

    bills = [reconcile() for _ in range(3)]

    order.refresh_from_db()
    message = GatewayMessage.objects.get()
    assert (order.state, order.paid_at) == (Order.State.PAID, now)
    assert Enrolment.objects.get().source_number == order.number
    assert (message.source, message.attempt) == ("bill", attempt)
    assert [bill.found_payments for bill in bills] == [1, 1, 1]
    assert list_differences(bills[-1]) == []
    assert bills[-1].our_payments == 1


def test_payment_of_a_closed_order_found_in_the_bill(
    bank: Bank, owner: User, plan: Plan, now: datetime
) -> None:
    order = make_order(owner, plan, created_at=now)
    attempt = go_to(bank, order, now)
    order.lines.update(is_live=False)
    Order.objects.update(state=Order.State.EXPIRED, closed_at=now)
    PaymentAttempt.objects.update(state=PaymentAttempt.State.CLOSED)
    bank.pay(attempt.number, now=now)

    reconcile()

    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert Enrolment.objects.count() == 1


def test_refund_whose_end_was_never_told_is_settled_by_the_bill(
    bank: Bank, bought: Order, finance: User, now: datetime
) -> None:
    refund = start_refund(
        order=bought, line_ids=None, reason="x", actor=finance, now=now
    )
    bank.faults = ["slow"]
    run_refund(refund_id=refund.pk, now=now)
    bank.finish(refund.attempt.number, refund.number, State.REFUNDED, now=now)

    bill = reconcile()

    refund.refresh_from_db()
    assert refund.state == "done"
    assert bill.found_payments == 1
    # Booked by us on the day after: theirs all the same.
    assert list_differences(bill) == []
    assert (
        list_differences(reconcile(DAY + timedelta(days=1), at("2026-06-17 11:00")))
        == []
    )


def test_theirs_only(bank: Bank, now: datetime) -> None:
    bank.extra_lines = [
        BillLine("OTHER1", 500, "B1", "", now),
        BillLine("OTHER1", 200, "B2", "X1", now),
    ]

    bills = [reconcile() for _ in range(2)]

    kinds = PaymentException.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["unknown_attempt", "foreign_refund"]
    assert list_differences(bills[-1]) == [
        ("payment", "theirs_only", None, 500, "open"),
        ("refund", "theirs_only", None, 200, "open"),
    ]
    assert BillDifference.objects.count() == 2


def test_ours_only_and_another_amount(
    bank: Bank, owner: User, stranger: User, plan: Plan, now: datetime
) -> None:
    first, second = buy(bank, owner, plan, now), buy(bank, stranger, plan, now)
    missing, other = first.attempts.get(), second.attempts.get()
    del bank.trades[missing.number]
    bank.trades[other.number].paid_fen = 3000

    bill = reconcile()

    rows = {row.attempt: row for row in bill.differences.all()}
    assert rows[missing].kind == BillDifference.Kind.OURS_ONLY
    assert (rows[missing].our_fen, rows[missing].their_fen) == (3300, None)
    assert rows[other].kind == BillDifference.Kind.AMOUNT
    assert (rows[other].our_fen, rows[other].their_fen) == (3300, 3000)
    second.refresh_from_db()
    assert second.state == Order.State.PAID


def test_refund_only_we_have(
    bank: Bank, bought: Order, finance: User, now: datetime
) -> None:
    refund = start_refund(
        order=bought, line_ids=None, reason="x", actor=finance, now=now
    )
    run_refund(refund_id=refund.pk, now=now)
    bank.trades[refund.attempt.number].refunds.clear()

    assert list_differences(reconcile()) == [
        ("refund", "ours_only", 3300, None, "open")
    ]


def test_odd_amount_under_review_is_booked_as_it_came(
    bank: Bank, owner: User, plan: Plan, now: datetime
) -> None:
    attempt = go_to(bank, make_order(owner, plan, created_at=now), now)
    bank.pay(attempt.number, 1, now=now)

    bill = reconcile()

    attempt.refresh_from_db()
    assert attempt.state == PaymentAttempt.State.REVIEW
    assert PaymentException.objects.get().amount_fen == 1
    assert list_differences(bill) == []
    assert bill.our_paid_fen == 1


def test_payment_at_midnight_is_found_in_the_next_bill(
    bank: Bank, owner: User, plan: Plan
) -> None:
    late = at("2026-06-15 23:59:58")
    order = buy(bank, owner, plan, late)
    trade = bank.trades[order.attempts.get().number]
    trade.paid_at = at("2026-06-16 00:00:01")

    first = reconcile()
    assert list_differences(first) == [("payment", "ours_only", 3300, None, "open")]
    second = reconcile(DAY + timedelta(days=1), at("2026-06-17 10:30"))

    assert list_differences(second) == []
    assert list_differences(first)[0][-1] == BillDifference.State.VANISHED
    # Read again, the first day knows of the second.
    assert list_differences(reconcile())[0][-1] == BillDifference.State.VANISHED


def test_bill_that_is_not_there_changes_nothing_and_is_asked_for_again(
    bank: Bank, bought: Order
) -> None:
    bank.is_bill_ready = False

    bill = reconcile()

    assert (bill.state, bill.problem) == ("waiting", "the bill is not made yet")
    assert BillEntry.objects.count() == BillDifference.objects.count() == 0
    bank.is_bill_ready = True
    assert reconcile().state == BillDay.State.READ


def test_bill_that_breaks_off_leaves_what_was_read_before(
    bank: Bank, bought: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    reconcile()

    def break_off(day: date) -> Any:
        yield BillLine("R1", 1)
        raise GatewayUnavailable("cut off")

    monkeypatch.setattr(bank, "read_bill", break_off)
    bill = reconcile()

    assert bill.problem == "cut off"
    assert BillEntry.objects.get().attempt_number == bought.attempts.get().number
    assert PaymentException.objects.count() == 0


def test_killed_in_the_middle_it_begins_anew(
    bank: Bank,
    owner: User,
    plan: Plan,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attempt = go_to(bank, make_order(owner, plan, created_at=now), now)
    bank.pay(attempt.number, now=now)

    def die(*_args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("orders.services.reconciliation._keep_differences", die)
        with pytest.raises(SystemExit):
            reconcile()
    assert BillDay.objects.get().state == BillDay.State.WAITING
    assert BillEntry.objects.count() == 0
    assert Order.objects.get().state == Order.State.PAID

    bill = reconcile()

    assert (bill.state, bill.their_payments) == (BillDay.State.READ, 1)
    assert GatewayMessage.objects.count() == 1


# --- When ------------------------------------------------------------------------------------


def test_days_are_opened_once_their_bill_should_be_there(banks: Any) -> None:
    assert len(open_due_bills(now=NEXT)) == 14
    assert open_due_bills(now=NEXT) == []
    days = BillDay.objects.filter(gateway="east").values_list("day", flat=True)
    assert max(days) == DAY
    assert min(days) == date(2026, 6, 9)


def test_sweep_reads_yesterdays_bill_of_every_gateway(banks: Any) -> None:
    tasks.reconcile_bills()

    rows = BillDay.objects.filter(state=BillDay.State.READ)
    assert {row.gateway for row in rows} == {"east", "west"}
    assert rows.count() == 14


def test_one_gateway_that_is_down_does_not_hold_up_the_other(
    banks: dict[str, Bank], now: datetime
) -> None:
    banks["east"].is_bill_ready = False

    tasks.reconcile_bills()
    tasks.reconcile_bills()

    read = BillDay.objects.filter(state=BillDay.State.READ)
    assert {row.gateway for row in read} == {"west"}
    waiting = BillDay.objects.filter(state=BillDay.State.WAITING)
    assert {row.problem for row in waiting} == {"the bill is not made yet"}


def test_today_has_no_bill_yet(banks: Any) -> None:
    with pytest.raises(BillDayNotReadyError):
        request_bill(gateway="east", day=date(2026, 6, 16), now=NEXT)

    assert BillDay.objects.count() == 0


# --- Finance ----------------------------------------------------------------------------------


def test_finance_say_what_came_of_a_difference(
    bank: Bank, finance: User, now: datetime
) -> None:
    bank.extra_lines = [BillLine("OTHER1", 500, "B1", "", now)]
    row = reconcile().differences.get()
    with pytest.raises(ReasonMissingError):
        resolve_difference(
            difference_id=row.pk, resolution=" ", actor=finance, now=NEXT
        )

    resolve_difference(
        difference_id=row.pk, resolution="培训部收款", actor=finance, now=NEXT
    )

    row.refresh_from_db()
    assert (row.state, row.resolved_by) == (BillDifference.State.RESOLVED, finance)
    entry = AuditEntry.objects.get()
    assert entry.action == "orders.bill_difference_resolved"
    assert entry.detail["reason"] == "培训部收款"
    with pytest.raises(DifferenceResolvedError):
        resolve_difference(
            difference_id=row.pk, resolution="x", actor=finance, now=NEXT
        )
    # Read again it stays decided, unless the figures change.
    reconcile()
    row.refresh_from_db()
    assert row.state == BillDifference.State.RESOLVED
    bank.extra_lines = [BillLine("OTHER1", 600, "B1", "", now)]
    reconcile()
    row.refresh_from_db()
    assert (row.state, row.their_fen) == (BillDifference.State.OPEN, 600)


def test_asking_for_a_bill_is_noted(bank: Bank, finance: User) -> None:
    request_bill(gateway="east", day=DAY, now=NEXT, actor=finance)

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.target) == (finance, "bill:east:2026-06-15")


def test_settled_only_from_the_bill_is_found_by_a_payment_elsewhere(
    banks: dict[str, Bank], owner: User, plan: Plan, now: datetime
) -> None:
    """The other gateway paid first: what the bill finds is a second payment."""
    order = make_order(owner, plan, created_at=now)
    lost, heard = go_to(banks["east"], order, now), go_to(banks["west"], order, now)
    banks["east"].pay(lost.number, now=now)
    settle(banks["west"], heard, now)

    reconcile()

    exception = PaymentException.objects.get()
    assert (exception.kind, exception.attempt) == ("duplicate", lost)
