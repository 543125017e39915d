"""Money that comes late, twice, or for people who have the plan already."""

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.models import (
    Order,
    OrderLine,
    PaymentAttempt,
    PaymentException,
)
from orders.services.outcomes import Outcome
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PlanFactory
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import (
    OrderFactory,
    OrderLineFactory,
    PaymentAttemptFactory,
    make_order,
)
from tests.orders.reports import apply, list_kinds, paid

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(owner: User) -> Order:
    return make_order(owner)


@pytest.fixture
def attempt(order: Order) -> PaymentAttempt:
    return PaymentAttemptFactory(order=order)


def test_late_money_opens_the_plan_if_it_still_can(owner: User, now: datetime) -> None:
    order = make_order(owner, expired=True)
    attempt = PaymentAttemptFactory(order=order, closed=True)

    outcome = apply(paid(attempt), now)

    order.refresh_from_db()
    assert outcome is Outcome.SETTLED
    assert (order.state, order.closed_at) == (Order.State.PAID, None)
    assert OrderLine.objects.get().is_live is True
    assert Enrolment.objects.get().source_number == order.number
    assert PaymentException.objects.count() == 0


def expect_late_exception(order: Order, attempt: PaymentAttempt, now: datetime) -> None:
    outcome = apply(paid(attempt), now)

    order.refresh_from_db()
    attempt.refresh_from_db()
    exception = PaymentException.objects.get()
    assert outcome is Outcome.EXCEPTION
    assert exception.kind == PaymentException.Kind.LATE
    assert exception.amount_fen == attempt.amount_fen
    assert order.state == Order.State.EXPIRED
    assert attempt.state == PaymentAttempt.State.PAID
    assert OrderLine.objects.get(order=order).is_live is False


def test_late_money_after_the_training_is_an_exception(
    owner: User, now: datetime
) -> None:
    order = make_order(owner, PlanFactory(closed=True), expired=True)
    attempt = PaymentAttemptFactory(order=order, closed=True)

    expect_late_exception(order, attempt, now)
    assert Enrolment.objects.count() == 0


def test_late_money_for_a_plan_held_meanwhile_is_an_exception(
    owner: User, now: datetime
) -> None:
    order = make_order(owner, expired=True)
    attempt = PaymentAttemptFactory(order=order, closed=True)
    EnrolmentFactory(person=owner, plan=order.lines.get().plan, source="voucher")

    expect_late_exception(order, attempt, now)
    assert Enrolment.objects.get().source == "voucher"


def test_late_money_for_a_plan_being_bought_again_is_an_exception(
    owner: User, now: datetime
) -> None:
    order = make_order(owner, expired=True)
    attempt = PaymentAttemptFactory(order=order, closed=True)
    again = make_order(owner, order.lines.get().plan)

    expect_late_exception(order, attempt, now)
    again.refresh_from_db()
    assert again.state == Order.State.PENDING


def test_second_gateway_paying_the_same_order_is_a_refund_to_do(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    other = PaymentAttemptFactory(order=order)
    apply(paid(attempt), now)

    outcome = apply(paid(other), now)

    other.refresh_from_db()
    exception = PaymentException.objects.get()
    assert outcome is Outcome.EXCEPTION
    assert exception.kind == PaymentException.Kind.DUPLICATE
    assert exception.attempt == other
    assert other.state == PaymentAttempt.State.PAID
    assert Enrolment.objects.count() == 1


def test_money_for_a_plan_given_meanwhile_is_a_refund_to_do(
    order: Order, attempt: PaymentAttempt, owner: User, now: datetime
) -> None:
    EnrolmentFactory(person=owner, plan=order.lines.get().plan, source="code")

    outcome = apply(paid(attempt), now)

    order.refresh_from_db()
    assert outcome is Outcome.EXCEPTION
    assert order.state == Order.State.PAID
    assert PaymentException.objects.get().kind == PaymentException.Kind.DUPLICATE
    assert Enrolment.objects.get().source == "code"


def make_group(
    owner: User, plan: Plan, people: list[User], **traits: Any
) -> tuple[Order, PaymentAttempt]:
    order = OrderFactory(
        buyer=owner,
        kind=Order.Kind.GROUP,
        total_fen=plan.price_fen * len(people),
        **traits,
    )
    for person in people:
        OrderLineFactory(order=order, plan=plan, person=person)
    return order, PaymentAttemptFactory(order=order)


def test_one_who_got_the_plan_otherwise_does_not_hold_up_the_others(
    owner: User, now: datetime
) -> None:
    plan = PlanFactory()
    people = UserFactory.create_batch(4)
    EnrolmentFactory(person=people[2], plan=plan, source="voucher")
    order, attempt = make_group(owner, plan, people)

    outcome = apply(paid(attempt), now)
    again = apply(paid(attempt), now)

    order.refresh_from_db()
    exception = PaymentException.objects.get()
    enrolled = Enrolment.objects.live().filter(plan=plan)
    assert (outcome, again) == (Outcome.EXCEPTION, Outcome.UNCHANGED)
    assert order.state == Order.State.PAID
    assert enrolled.count() == 4
    assert enrolled.get(person=people[2]).source == "voucher"
    assert exception.kind == PaymentException.Kind.DUPLICATE
    assert exception.line == order.lines.get(person=people[2])
    assert exception.amount_fen == plan.price_fen
    assert list_kinds(order) == ["notified", "paid", "enrolled", "exception"]
    assert order.events.get(kind="exception").detail == "重复支付（1人）"


def test_late_group_money_enrols_all_who_are_still_free(
    owner: User, now: datetime
) -> None:
    plan = PlanFactory()
    people = UserFactory.create_batch(4)
    order, attempt = make_group(owner, plan, people, expired=True)
    EnrolmentFactory(person=people[0], plan=plan, source="code")
    being_bought = make_order(people[1], plan)

    outcome = apply(paid(attempt), now)

    order.refresh_from_db()
    being_bought.refresh_from_db()
    lost = PaymentException.objects.order_by("line__person")
    assert outcome is Outcome.EXCEPTION
    assert order.state == Order.State.PAID
    assert [(row.kind, row.line.person) for row in lost if row.line] == [
        ("late", people[0]),
        ("late", people[1]),
    ]
    live = order.lines.filter(is_live=True).values_list("person_id", flat=True)
    assert set(live) == {people[2].pk, people[3].pk}
    enrolled = Enrolment.objects.filter(source_number=order.number)
    assert enrolled.count() == 2
    assert being_bought.state == Order.State.PENDING


def test_only_one_attempt_pays_an_order(
    order: Order, attempt: PaymentAttempt, now: datetime
) -> None:
    other = PaymentAttemptFactory(order=order)
    apply(paid(attempt), now)
    apply(paid(other), now)

    paying = PaymentAttempt.objects.filter(pays_order=True)
    assert list(paying) == [attempt]
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentAttempt.objects.update(pays_order=True)


def test_what_came_is_written_down_even_where_it_does_not_fit(
    attempt: PaymentAttempt, now: datetime
) -> None:
    apply(paid(attempt, amount_fen=1), now)

    attempt.refresh_from_db()
    assert (attempt.received_fen, attempt.paid_at) == (1, now)


def test_everybody_on_a_group_order_is_enrolled(owner: User, now: datetime) -> None:
    plan = PlanFactory()
    order = OrderFactory(buyer=owner, kind=Order.Kind.GROUP, total_fen=9900)
    attempt = PaymentAttemptFactory(order=order)
    people = UserFactory.create_batch(3)
    for person in people:
        OrderLineFactory(order=order, plan=plan, person=person)

    outcome = apply(paid(attempt), now)

    enrolled = Enrolment.objects.filter(plan=plan).values_list("person_id", flat=True)
    assert outcome is Outcome.SETTLED
    assert set(enrolled) == {person.pk for person in people}
    assert list_kinds(order) == ["notified", "paid", "enrolled"]
