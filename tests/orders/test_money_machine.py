"""Anything in any order: no fen is lost sight of, and nobody pays twice for one plan.

Hypothesis plays buyers, banks, notifications that come twice, late, forged or never, staff and
the sweeps. After every step the promises of `tests.orders.promises` are checked; at the end
the banks' books and ours have to agree to the fen.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from learning.models import Enrolment
from learning.services import open_enrolments
from orders.errors import OrderError
from orders.models import Order, PaymentAttempt, PaymentException, Refund
from orders.payments.protocol import State
from orders.services import (
    cancel_order,
    end_attempt,
    expire_order,
    place_personal_order,
    query_attempt,
    resolve_exception,
)
from orders.services.reconciliation import reconcile_bill, request_bill
from orders.services.refunds.asking import request_refund
from orders.services.refunds.deciding import (
    approve_refund,
    give_up_refund,
    refuse_refund,
    retry_refund,
)
from orders.services.refunds.running import run_refund
from tests.clock import at
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_endless_plan
from tests.orders.bank import BANKS, Bank, open_banks
from tests.orders.promises import (
    Books,
    check_banks_and_books,
    check_doubled_seats_are_seen,
    check_every_fen,
    check_nobody_pays_twice,
    check_nobody_studies_for_nothing,
    check_who_paid_may_study,
    list_slow_refunds,
    settle_everything,
)
from tests.orders.shop import go_to, hear, place_group, settle

pytestmark = pytest.mark.django_db

START = at("2026-06-15 10:00")
picks = st.integers(0, 99)
codes = st.sampled_from(["east", "west"])


def has(rows: str, *states: str) -> Callable[["Market"], bool]:
    """A step is worth taking only where there is such a row."""

    def find(market: "Market") -> bool:
        found: Any = getattr(market.books, rows)
        found = found.values() if isinstance(found, dict) else found
        return any(not states or row.state in states for row in found)

    return find


def has_trade(test: Callable[[Any], object]) -> Callable[["Market"], bool]:
    return lambda market: any(map(test, market.trades()))


is_unpaid = has_trade(lambda trade: trade.state is State.UNPAID)
is_paid = has_trade(lambda trade: trade.state is State.PAID)
holds_money = has_trade(lambda trade: trade.held_fen)
has_refunds = has_trade(lambda trade: trade.refunds)
has_slow_refund = has_trade(
    lambda trade: any(said is State.UNKNOWN for _, said in trade.refunds.values())
)


class Market(RuleBasedStateMachine):
    """Three people, one plan, two banks, a clock. Each run is rolled back at its end."""

    people: list[Any]
    staff: list[Any]
    plan: Any

    def __init__(self) -> None:
        super().__init__()
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        self.now = START
        open_banks(self.now)
        self.consoles = 0
        self.given: set[int] = set()
        self.books = Books.read()

    def teardown(self) -> None:
        try:
            settle_everything(self.now)
            self.the_promises_are_kept()
            check_banks_and_books()
        finally:
            transaction.set_rollback(True)
            self._atomic.__exit__(None, None, None)

    # --- Finding things -------------------------------------------------------------------

    def pick(self, rows: Any, place: int) -> Any:
        chosen = list(rows)
        return chosen[place % len(chosen)] if chosen else None

    def attempt(self, place: int) -> Any:
        return self.pick(PaymentAttempt.objects.order_by("pk"), place)

    def trades(self) -> list[Any]:
        return [trade for bank in BANKS.values() for trade in bank.trades.values()]

    def trade(self, place: int, test: Callable[[Any], object]) -> tuple[Bank, Any]:
        trade = self.pick(filter(test, self.trades()), place)
        return next(b for b in BANKS.values() if trade.number in b.trades), trade

    def allowed(self, work: Callable[[], object]) -> None:
        """Do what may be refused: a refusal changes nothing and is fine."""
        with suppress(OrderError):
            work()

    # --- Buyers ---------------------------------------------------------------------------

    @precondition(lambda market: sum(row.is_live for row in market.books.lines) < 3)
    @rule(person=picks, bank=codes)
    def order_alone(self, person: int, bank: str) -> None:
        buyer = self.people[person % len(self.people)]

        def place() -> None:
            order = place_personal_order(buyer=buyer, plan=self.plan, now=self.now)
            go_to(BANKS[bank], order, self.now)

        self.allowed(place)

    @precondition(lambda market: not any(row.is_live for row in market.books.lines))
    @rule(bank=codes)
    def order_as_a_group(self, bank: str) -> None:
        order = place_group(self.people[0], self.plan, self.people, self.now)
        go_to(BANKS[bank], order, self.now)

    @precondition(has("orders", "pending"))
    @rule(place=picks, bank=codes)
    def stand_before_another_cashier(self, place: int, bank: str) -> None:
        order = self.pick(Order.objects.order_by("pk"), place)
        if order:
            self.allowed(lambda: go_to(BANKS[bank], order, self.now))

    @precondition(is_unpaid)
    @rule(place=picks, odd=st.sampled_from([0, 0, 0, 1, -1]), is_heard=st.booleans())
    def pay(self, place: int, odd: int, is_heard: bool) -> None:
        # A bank that closed a trade takes no money; one that was never told to does.
        bank, trade = self.trade(place, lambda row: row.state is State.UNPAID)
        bank.pay(trade.number, trade.asked_fen + odd, now=self.now)
        if is_heard:
            hear(bank, bank.notice(trade.number), self.now)

    @initialize(is_group=st.booleans(), is_doubled=st.booleans(), bank=codes)
    def begin_with_a_purchase(
        self, is_group: bool, is_doubled: bool, bank: str
    ) -> None:
        people = self.people if is_group else self.people[:1]
        order = place_group(self.people[0], self.plan, people, self.now)
        attempt = go_to(BANKS[bank], order, self.now)
        if is_doubled:
            self.give_by_voucher(0)
        settle(BANKS[bank], attempt, self.now)

    @precondition(has("orders", "pending"))
    @rule(place=picks)
    def cancel(self, place: int) -> None:
        order = self.pick(Order.objects.order_by("pk"), place)
        if order:
            self.allowed(
                lambda: cancel_order(order=order, actor=order.buyer, now=self.now)
            )

    @precondition(has("orders", "paid"))
    @rule(place=picks, seat=st.none() | picks, is_approved=st.booleans())
    def ask_for_money_back(
        self, place: int, seat: int | None, is_approved: bool
    ) -> None:
        order = self.pick(Order.objects.filter(state="paid").order_by("pk"), place)
        lines = list(order.lines.order_by("pk").values_list("pk", flat=True))
        chosen = None if seat is None else [lines[seat % len(lines)]]
        self.allowed(
            lambda: request_refund(
                order=order,
                line_ids=chosen,
                reason="x",
                buyer=order.buyer,
                now=self.now,
            )
        )
        if is_approved:
            self.decide(place, is_approved=True)

    # --- Banks ----------------------------------------------------------------------------

    @precondition(is_paid)
    @rule(place=picks, times=st.integers(1, 3))
    def notify(self, place: int, times: int) -> None:
        bank, trade = self.trade(place, lambda row: row.state is State.PAID)
        for _ in range(times):
            hear(bank, bank.notice(trade.number), self.now)

    @precondition(is_unpaid)
    @rule(place=picks)
    def forge(self, place: int) -> None:
        bank, trade = self.trade(place, lambda row: row.state is State.UNPAID)
        facts = {"attempt": trade.number, "state": "paid", "fen": trade.asked_fen}
        body = bank.sign(facts | {"seller": bank.seller}, key=b"of somebody else")
        assert hear(bank, body, self.now) is None

    @precondition(has_slow_refund)
    @rule(place=picks, state=st.sampled_from([State.REFUNDED, State.CLOSED]))
    def decide_a_slow_refund(self, place: int, state: State) -> None:
        bank, trade, number = self.pick(list_slow_refunds(), place)
        bank.finish(trade, number, state, now=self.now)

    @precondition(has_refunds)
    @rule(place=picks, back=picks)
    def notify_of_a_refund(self, place: int, back: int) -> None:
        bank, trade = self.trade(place, lambda row: row.refunds)
        number = self.pick(trade.refunds, back)
        hear(bank, bank.refund_notice(trade.number, number), self.now)

    @precondition(holds_money)
    @rule(place=picks, fen=st.sampled_from([1, 3300, 9900]), is_heard=st.booleans())
    def pay_back_at_the_console(self, place: int, fen: int, is_heard: bool) -> None:
        bank, trade = self.trade(place, lambda row: row.held_fen)
        moving = sum(f for f, said in trade.refunds.values() if said is State.UNKNOWN)
        if fen > trade.held_fen - moving:
            return
        self.consoles += 1
        number = f"CONSOLE{self.consoles}"
        bank.pay_back(trade.number, fen, number, now=self.now)
        if is_heard:
            hear(bank, bank.refund_notice(trade.number, number), self.now)

    # --- The portal's sweeps ----------------------------------------------------------------

    @precondition(has("orders"))
    @rule(minutes=st.sampled_from([1, 5, 31, 60, 1500]))
    def let_time_pass(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        for bank in BANKS.values():
            bank.now = self.now

    @precondition(has("attempts", "waiting"))
    @rule(place=picks, fault=st.sampled_from(["", "down"]))
    def query(self, place: int, fault: str) -> None:
        attempt = self.attempt(place)
        if attempt is not None:
            BANKS[attempt.gateway].faults = [fault]
            query_attempt(attempt_id=attempt.pk, now=self.now)
            BANKS[attempt.gateway].faults = []

    @precondition(has("orders", "pending"))
    @rule()
    def expire(self) -> None:
        due = PaymentAttempt.objects.filter(expires_at__lte=self.now, state="waiting")
        for key in list(due.values_list("pk", flat=True)):
            end_attempt(attempt_id=key, now=self.now)
        for key in list(Order.objects.values_list("pk", flat=True)):
            expire_order(order_id=key, now=self.now)

    @precondition(has("refunds", "approved"))
    @rule(fault=st.sampled_from(["", "down", "lost", "refuse", "slow"]))
    def run_refunds(self, fault: str) -> None:
        for key in list(Refund.objects.values_list("pk", flat=True)):
            for bank in BANKS.values():
                bank.faults = [fault]
            run_refund(refund_id=key, now=self.now)
        for bank in BANKS.values():
            bank.faults = []

    @precondition(is_paid)
    @rule(bank=codes)
    def reconcile(self, bank: str) -> None:
        day = (self.now - timedelta(days=1)).date()
        bill = request_bill(gateway=bank, day=day, now=self.now)
        reconcile_bill(bill_id=bill.pk, now=self.now)

    # --- Staff ----------------------------------------------------------------------------

    @precondition(has("exceptions", "open"))
    @rule(
        place=picks,
        outcome=st.sampled_from(["accepted", "returned", "returned", "noted"]),
    )
    def resolve(self, place: int, outcome: str) -> None:
        row = self.pick(PaymentException.objects.filter(state="open"), place)
        if row:
            self.allowed(
                lambda: resolve_exception(
                    exception_id=row.pk,
                    outcome=PaymentException.Outcome(outcome),
                    reason="x",
                    actor=self.staff[0],
                    now=self.now,
                )
            )

    @precondition(has("refunds", "requested"))
    @rule(place=picks, is_approved=st.sampled_from([True, True, False]))
    def decide(self, place: int, is_approved: bool) -> None:
        row = self.pick(Refund.objects.filter(state="requested").order_by("pk"), place)
        if row is not None:
            work: Any = approve_refund if is_approved else refuse_refund
            self.allowed(
                lambda: work(
                    refund_id=row.pk, decision="x", actor=self.staff[0], now=self.now
                )
            )

    @precondition(has("refunds", "failed"))
    @rule(place=picks, is_retried=st.booleans())
    def follow_up_a_failure(self, place: int, is_retried: bool) -> None:
        row = self.pick(Refund.objects.filter(state="failed").order_by("pk"), place)
        if row is None:
            return
        if is_retried:
            retry_refund(refund_id=row.pk, actor=self.staff[1], now=self.now)
            return
        self.allowed(
            lambda: give_up_refund(
                refund_id=row.pk, reason="x", actor=self.staff[1], now=self.now
            )
        )

    @precondition(has("enrolments"))
    @rule(person=picks)
    def study(self, person: int) -> None:
        rows = Enrolment.objects.live().filter(
            person=self.people[person % len(self.people)]
        )
        rows.update(elective_earned=1)

    @rule(person=picks)
    def give_by_voucher(self, person: int) -> None:
        receiver = self.people[person % len(self.people)]
        self.given.add(receiver.pk)
        open_enrolments(
            plan=self.plan,
            users=[receiver],
            source=Enrolment.Source.VOUCHER,
            source_number="V1",
            now=self.now,
        )

    # --- The promises ---------------------------------------------------------------------

    @invariant()
    def the_promises_are_kept(self) -> None:
        self.books = Books.read()
        check_every_fen(self.books)
        check_nobody_pays_twice(self.books)
        check_doubled_seats_are_seen(self.books)
        check_who_paid_may_study(self.books, self.given)
        check_nobody_studies_for_nothing(self.books)


def test_money_is_never_lost_and_never_counted_twice(
    banks: Any,
) -> None:
    Market.people = UserFactory.create_batch(3)
    Market.staff = UserFactory.create_batch(2, is_staff=True)
    Market.plan = make_endless_plan()
    run_state_machine_as_test(
        Market,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
