"""What buyers may have back, and what the policy says against it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders import tasks
from orders.errors import (
    ReasonMissingError,
    RefundRefusedError,
)
from orders.models import (
    Order,
    OrderLine,
    PaymentAttempt,
    Refund,
    RefundLine,
)
from orders.services.refunds.asking import quote_refund
from orders.services.refunds.deciding import (
    approve_refund,
)
from orders.services.refunds.running import run_refund
from tests.factories.accounts import UserFactory
from tests.factories.orders import OrderFactory, OrderLineFactory
from tests.orders.bank import Bank
from tests.orders.returns import ask, list_kinds, study
from tests.orders.shop import buy, buy_group

pytestmark = pytest.mark.django_db


def test_buyer_asks_for_everything_and_nothing_moves_yet(
    bought: Order, bank: Bank, now: datetime
) -> None:
    refund = ask(bought, now)

    bought.refresh_from_db()
    line = RefundLine.objects.get()
    assert (refund.state, refund.origin) == (Refund.State.REQUESTED, "buyer")
    assert (refund.amount_fen, refund.requested_by) == (3300, bought.buyer)
    assert (line.line, line.amount_fen) == (bought.lines.get(), 3300)
    assert bought.state == Order.State.PAID
    assert Enrolment.objects.get().is_live
    assert list_kinds(bought) == ["refund_asked"]
    assert tasks.sweep_refunds() is None
    assert bank.trades[refund.attempt.number].held_fen == 3300


@pytest.mark.parametrize(
    ("days", "allowed"), [(30, True), (31, False)], ids=["last day", "too late"]
)
def test_time_for_asking_ends(
    bought: Order, now: datetime, days: int, allowed: bool
) -> None:
    later = now + timedelta(days=days)

    if allowed:
        assert ask(bought, later).state == Refund.State.REQUESTED
        return
    with pytest.raises(RefundRefusedError, match="已超过支付后30天的退款期限"):
        ask(bought, later)
    assert Refund.objects.count() == 0


def test_what_was_studied_is_not_taken_back(bought: Order, now: datetime) -> None:
    study(bought)

    with pytest.raises(RefundRefusedError, match="赵一已开始学习"):
        ask(bought, now)

    assert Refund.objects.count() == 0
    assert list_kinds(bought) == []


def test_whoever_finished_or_is_certified_has_studied(
    bought: Order, now: datetime
) -> None:
    Enrolment.objects.update(state=Enrolment.State.COMPLETED, completed_at=now)

    with pytest.raises(RefundRefusedError, match="已开始学习"):
        ask(bought, now)


def test_policy_is_a_setting(bought: Order, now: datetime, settings: Any) -> None:
    study(bought)
    settings.REFUND_POLICY = settings.REFUND_POLICY | {
        "after_study": True,
        "days": 400,
        "needs_approval": False,
    }

    refund = ask(bought, now + timedelta(days=365))

    assert refund.state == Refund.State.APPROVED
    assert refund.decided_by is None
    assert list_kinds(bought) == ["refund_asked", "refund_started"]


def test_asking_can_be_switched_off(
    bought: Order, now: datetime, settings: Any
) -> None:
    settings.REFUND_POLICY = settings.REFUND_POLICY | {"buyers_may_ask": False}

    with pytest.raises(RefundRefusedError, match="请联系客服"):
        ask(bought, now)


def test_asking_needs_a_reason(bought: Order, now: datetime) -> None:
    with pytest.raises(ReasonMissingError):
        ask(bought, now, reason="  ")

    assert Refund.objects.count() == RefundLine.objects.count() == 0


def test_asking_twice_is_refused(bought: Order, now: datetime) -> None:
    ask(bought, now)

    with pytest.raises(RefundRefusedError, match="正在退款"):
        ask(bought, now)

    assert Refund.objects.count() == 1


@pytest.mark.parametrize("state", ["pending", "cancelled", "expired"])
def test_unpaid_orders_have_nothing_to_give_back(
    owner: User, now: datetime, state: str
) -> None:
    order = OrderFactory(buyer=owner, state=state)
    OrderLineFactory(order=order)

    with pytest.raises(RefundRefusedError, match="没有可退的款项"):
        ask(order, now)


def test_single_seats_of_a_group(
    bank: Bank, owner: User, plan: Plan, finance: User, now: datetime
) -> None:
    people = UserFactory.create_batch(3)
    order = buy_group(bank, owner, plan, people, now)
    seat = order.lines.get(person=people[1])

    refund = ask(order, now, line_ids=[seat.pk])
    approve_refund(refund_id=refund.pk, decision="", actor=finance, now=now)
    run_refund(refund_id=refund.pk, now=now)

    order.refresh_from_db()
    seat.refresh_from_db()
    assert refund.amount_fen == 3300
    assert (order.state, order.refunded_fen) == (Order.State.PAID, 3300)
    assert (seat.is_live, seat.refunded_at) == (False, now)
    assert OrderLine.objects.filter(is_live=True).count() == 2
    live = Enrolment.objects.live().values_list("person_id", flat=True)
    assert set(live) == {people[0].pk, people[2].pk}
    assert bank.trades[refund.attempt.number].held_fen == 6600


def test_one_who_studied_does_not_hold_up_the_others(
    bank: Bank, owner: User, plan: Plan, now: datetime
) -> None:
    people = UserFactory.create_batch(2)
    order = buy_group(bank, owner, plan, people, now)
    Enrolment.objects.filter(person=people[0]).update(elective_earned=1)

    with pytest.raises(RefundRefusedError, match="已开始学习"):
        ask(order, now)

    other = order.lines.get(person=people[1])
    assert ask(order, now, line_ids=[other.pk]).amount_fen == 3300


def test_seats_alone_can_be_ruled_out(
    bank: Bank, owner: User, plan: Plan, now: datetime, settings: Any
) -> None:
    settings.REFUND_POLICY = settings.REFUND_POLICY | {"by_seat": False}
    order = buy_group(bank, owner, plan, UserFactory.create_batch(2), now)

    with pytest.raises(RefundRefusedError, match="只能整单退款"):
        ask(order, now, line_ids=[order.lines.all()[0].pk])


def test_lines_of_another_order_are_refused(
    bank: Bank, bought: Order, stranger: User, plan: Plan, now: datetime
) -> None:
    other = buy(bank, stranger, plan, now)

    with pytest.raises(RefundRefusedError, match="请重新选择"):
        ask(bought, now, line_ids=[other.lines.get().pk])


def test_the_last_seat_ends_the_order(
    bank: Bank, owner: User, plan: Plan, finance: User, now: datetime
) -> None:
    order = buy_group(bank, owner, plan, UserFactory.create_batch(2), now)

    for line in order.lines.order_by("pk"):
        refund = ask(order, now, line_ids=[line.pk])
        approve_refund(refund_id=refund.pk, decision="", actor=finance, now=now)
        run_refund(refund_id=refund.pk, now=now)

    order.refresh_from_db()
    attempt = PaymentAttempt.objects.get()
    assert (order.state, order.refunded_fen) == (Order.State.REFUNDED, 6600)
    assert (attempt.received_fen, attempt.refunded_fen) == (6600, 6600)
    assert Enrolment.objects.live().count() == 0


def test_quote_says_what_stands_against_it(bought: Order, now: datetime) -> None:
    study(bought)

    quote = quote_refund(order=bought, line_ids=None, now=now + timedelta(days=40))

    assert quote.amount_fen == 3300
    assert quote.obstacles == ["已超过支付后30天的退款期限", "赵一已开始学习"]
