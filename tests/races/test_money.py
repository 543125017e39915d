"""Group orders, notifications and bills by many at once, on connections of their own."""

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from learning.services import open_enrolments
from orders import tasks
from orders.errors import OrderError
from orders.models import (
    BillDay,
    BillEntry,
    GatewayMessage,
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.protocol import Charge, Report, State
from orders.services import (
    apply_report,
    delivery,
    end_attempt,
    expire_order,
)
from orders.services.reconciliation import reconcile_bill, request_bill
from orders.services.refunds.asking import start_refund
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_endless_plan, make_order
from tests.orders.bank import Bank
from tests.orders.shop import buy_group, go_to, hear, place_group, settle
from tests.races.test_settlement import expect_paid_once
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

# Enough for two statements to cross each other.
SEATS = 3000


# --- Groups -----------------------------------------------------------------------------------


def settle_at_once(bank: Bank, *attempts: PaymentAttempt) -> list[Any]:
    def work(attempt: PaymentAttempt) -> Any:
        return lambda: settle(bank, attempt, timezone.now())

    return run_together(*[work(attempt) for attempt in attempts])


def meet_before_the_seats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two settlements look for free seats at one moment, unless one waits for the other."""
    meeting, find = Barrier(2), delivery._find_lost

    def find_together(*arguments: Any) -> Any:
        lost = find(*arguments)
        with suppress(BrokenBarrierError):
            meeting.wait(timeout=1)
        return lost

    monkeypatch.setattr(delivery, "_find_lost", find_together)


def test_late_group_orders_in_opposite_order_do_not_wait_for_each_other(
    bank: Bank, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both orders lapsed, both are paid at one moment: one gets the seats, one goes back."""
    now = timezone.now()
    people = User.objects.bulk_create(UserFactory.build_batch(SEATS))
    attempts = []
    for row in (people, people[::-1]):
        order = place_group(row[0], plan, row, now)
        attempts.append(go_to(bank, order, now))
        order.lines.update(is_live=False)
    Order.objects.update(state=Order.State.EXPIRED, closed_at=now)
    meet_before_the_seats(monkeypatch)

    outcomes = settle_at_once(bank, *attempts)

    assert sorted(outcomes) == ["exception", "settled"]
    assert Enrolment.objects.count() == SEATS
    assert OrderLine.objects.filter(is_live=True).count() == SEATS
    states = sorted(Order.objects.values_list("state", flat=True))
    assert states == [Order.State.EXPIRED, Order.State.PAID]
    assert PaymentException.objects.get().kind == PaymentException.Kind.LATE


def test_group_orders_of_two_plans_in_opposite_order(bank: Bank, plan: Plan) -> None:
    now = timezone.now()
    people = UserFactory.create_batch(40)
    plans = [plan, make_endless_plan()]
    attempts = [
        go_to(bank, place_group(row[0], each, row, now), now)
        for each, row in zip(plans, (people, people[::-1]), strict=True)
    ]

    outcomes = settle_at_once(bank, *attempts)

    assert outcomes == ["settled", "settled"]
    assert Enrolment.objects.count() == 80


def test_settling_and_taking_back_in_opposite_order(
    bank: Bank, plan: Plan, finance: User
) -> None:
    """A group goes back while staff open the same plan for the same people."""
    people = UserFactory.create_batch(40)
    order = buy_group(bank, people[0], plan, people, timezone.now())

    def take_back() -> Any:
        return start_refund(
            order=order, line_ids=None, reason="x", actor=finance, now=timezone.now()
        ).state

    def open_again() -> Any:
        return len(
            open_enrolments(
                plan=plan,
                users=people[::-1],
                source=Enrolment.Source.STAFF,
                source_number="",
                now=timezone.now(),
            )
        )

    assert run_together(take_back, open_again) == ["approved", 40]

    # Whoever came first: what staff gave stays.
    assert Enrolment.objects.live().filter(source="staff").count() == 40


def test_seat_given_away_at_the_very_moment(bank: Bank, plan: Plan) -> None:
    now = timezone.now()
    people = UserFactory.create_batch(10)
    order = place_group(people[0], plan, people, now)
    attempt = go_to(bank, order, now)

    def give() -> Any:
        return open_enrolments(
            plan=plan,
            users=[people[5]],
            source=Enrolment.Source.VOUCHER,
            source_number="V1",
            now=timezone.now(),
        )[0].source

    run_together(lambda: settle(bank, attempt, timezone.now()), give)

    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert Enrolment.objects.live().count() == 10
    source = Enrolment.objects.get(person=people[5]).source
    expected = 1 if source == Enrolment.Source.VOUCHER else 0
    assert PaymentException.objects.count() == expected


# --- Notifications ----------------------------------------------------------------------------


def test_ten_repetitions_and_a_query_settle_once(
    bank: Bank, buyer: User, plan: Plan
) -> None:
    now = timezone.now()
    order = make_order(buyer, plan, created_at=now)
    attempt = go_to(bank, order, now)
    bank.pay(attempt.number, now=now)

    def notify() -> Any:
        return hear(bank, bank.notice(attempt.number), timezone.now())

    def ask() -> Any:
        return end_attempt(attempt_id=attempt.pk, now=timezone.now())

    outcomes = run_together(*[notify] * 10, ask)

    assert outcomes[:10].count("settled") <= 1
    assert outcomes[10] is True
    expect_paid_once(order)
    assert GatewayMessage.objects.filter(source="notification").count() == 10
    assert not GatewayMessage.objects.filter(state="waiting").exists()


def test_gateway_hears_of_an_attempt_only_after_its_commit(
    bank: Bank, buyer: User, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no notification can come before the row that it is about."""
    seen = []
    start = bank.start

    def watch(charge: Charge, *rest: Any) -> Any:
        rows = PaymentAttempt.objects.filter(number=charge.number)
        # On a connection of its own, which sees what is committed.
        seen.append(run_together(rows.exists))
        return start(charge, *rest)

    monkeypatch.setattr(bank, "start", watch)

    go_to(bank, make_order(buyer, plan, created_at=timezone.now()), timezone.now())

    assert seen == [[True]]


def test_notification_before_the_attempt_is_seen_is_not_lost(
    bank: Bank, buyer: User, plan: Plan
) -> None:
    """A replica behind, a backup restored: staff are told, and asking settles it."""
    now = timezone.now()
    order = make_order(buyer, plan, created_at=now)
    attempt = go_to(bank, order, now)
    bank.pay(attempt.number, now=now)
    row = PaymentAttempt.objects.values().get()
    OrderEvent.objects.all().delete()
    attempt.delete()
    assert hear(bank, bank.notice(row["number"]), now) == "exception"

    attempt = PaymentAttempt.objects.create(**row)
    end_attempt(attempt_id=attempt.pk, now=now)

    expect_paid_once(order)
    exception = PaymentException.objects.get()
    assert (exception.kind, exception.state) == ("unknown_attempt", "resolved")
    assert exception.attempt == attempt


def test_payment_begun_while_the_order_expires(
    bank: Bank, buyer: User, plan: Plan
) -> None:
    """The cashier opens as the order ends: nobody is led there, and paid it is late money."""
    now = timezone.now()
    order = make_order(buyer, plan, created_at=now)
    later = now + timedelta(minutes=31)

    def start() -> str:
        try:
            return go_to(bank, order, now).number
        except OrderError as error:
            return type(error).__name__

    def expire() -> Any:
        return expire_order(order_id=order.pk, now=later)

    number, expired = run_together(start, expire)

    order.refresh_from_db()
    if expired:
        assert order.state == Order.State.EXPIRED
        assert number == "OrderNotPayableError"
    else:
        assert order.state == Order.State.PENDING
        assert PaymentAttempt.objects.get().number == number


def test_worker_killed_in_settlement_leaves_nothing_half(
    bank: Bank, buyer: User, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    order = make_order(buyer, plan, created_at=now)
    attempt = go_to(bank, order, now)
    bank.pay(attempt.number, now=now)

    def die(*_args: object, **_kwargs: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("orders.services.settlement.deliver_order", die)
        with pytest.raises(SystemExit):
            hear(bank, bank.notice(attempt.number), now)
    order.refresh_from_db()
    attempt.refresh_from_db()
    assert (order.state, attempt.state) == ("pending", "waiting")
    assert Enrolment.objects.count() == 0
    assert GatewayMessage.objects.get().state == GatewayMessage.State.WAITING

    GatewayMessage.objects.update(received_at=now - timedelta(minutes=1))
    tasks.sweep_gateway_messages()

    expect_paid_once(order)


# --- Bills ------------------------------------------------------------------------------------


def test_bill_read_by_four_at_once_is_one_bill(
    bank: Bank, buyer: User, plan: Plan
) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    attempt = go_to(
        bank, make_order(buyer, plan, created_at=timezone.now()), timezone.now()
    )
    bank.pay(attempt.number, now=yesterday)
    day = timezone.localdate(yesterday)
    bill = request_bill(gateway="east", day=day, now=timezone.now())

    def work() -> Any:
        return reconcile_bill(bill_id=bill.pk, now=timezone.now()).state

    assert run_together(*[work] * 4) == [BillDay.State.READ] * 4

    assert BillEntry.objects.count() == 1
    assert Enrolment.objects.count() == 1
    assert PaymentException.objects.count() == 0


def test_bill_meets_the_notification(bank: Bank, buyer: User, plan: Plan) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    order = make_order(buyer, plan, created_at=timezone.now())
    attempt = go_to(bank, order, timezone.now())
    bank.pay(attempt.number, now=yesterday)
    day = timezone.localdate(yesterday)
    bill = request_bill(gateway="east", day=day, now=timezone.now())

    run_together(
        lambda: hear(bank, bank.notice(attempt.number), timezone.now()),
        lambda: reconcile_bill(bill_id=bill.pk, now=timezone.now()),
    )

    expect_paid_once(order)


def test_report_of_the_other_gateway_for_one_number_is_nobodys(
    banks: dict[str, Bank], buyer: User, plan: Plan
) -> None:
    now = timezone.now()
    attempt = go_to(banks["east"], make_order(buyer, plan, created_at=now), now)

    outcome = apply_report(
        gateway="west",
        report=Report(attempt.number, State.PAID, 3300),
        source=GatewayMessage.Source.NOTIFICATION,
        now=now,
    )

    assert outcome == "exception"
    assert Order.objects.get().state == Order.State.PENDING
