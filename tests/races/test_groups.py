"""Group purchases that meet: two coordinators, the person, opposite orders, one check twice.

Threads with connections of their own, so the rows are really committed and locked.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Message, Unit, User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import (
    GroupLimitError,
    GroupStateError,
    GroupTakenError,
    PlanBeingBoughtError,
)
from orders.models import (
    GatewayMessage,
    GroupCheck,
    GroupRow,
    Order,
    OrderLine,
    PaymentException,
)
from orders.payments.protocol import Report, State
from orders.services import apply_report, expire_order, place_personal_order
from orders.services.groups import check_people, place_group_order
from tests.factories.accounts import UnitFactory
from tests.factories.groups import (
    hand_in,
    make_checked,
    make_crowd,
    make_trainees,
    paste,
)
from tests.factories.lists import make_coordinator
from tests.factories.orders import PaymentAttemptFactory, make_endless_plan
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 40
ROUNDS = 4
CROWD = 2500


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan()


def check_for(
    people: list[User],
    plan: Plan,
    unit: Unit | None = None,
    buyer: User | None = None,
) -> GroupCheck:
    """A check of these people by a coordinator of a unit of its own."""
    unit = unit or UnitFactory()
    return make_checked(
        paste(*people),
        buyer=buyer or make_coordinator(unit),
        unit=unit,
        plan=plan,
        now=timezone.now(),
    )


def order_all(check: GroupCheck) -> Callable[[], Any]:
    """Order; what came of it in a word."""

    def work() -> Any:
        try:
            order = place_group_order(
                check_id=check.pk, actor=check.buyer, now=timezone.now()
            )
        except GroupTakenError as error:
            return (error.taken, error.left)
        return order.number

    return work


def expect_one_live_line_each(people: list[User], plan: Plan) -> None:
    lines = OrderLine.objects.filter(plan=plan, is_live=True)
    ids = sorted(lines.values_list("person_id", flat=True))
    assert ids == sorted(person.pk for person in people)


def test_two_coordinators_buying_for_the_same_people(plan: Plan) -> None:
    """One gets all, the other a clear answer; in opposite orders, and nobody deadlocks."""
    for _ in range(ROUNDS):
        people = make_trainees(COUNT)
        one, other = check_for(people, plan), check_for(people[::-1], plan)

        outcomes = run_together(order_all(one), order_all(other))

        assert outcomes.count((COUNT, 0)) == 1
        assert Order.objects.count() == 1
        expect_one_live_line_each(people, plan)
        GroupCheck.objects.update(order=None)
        clear_orders()


def test_thousands_in_opposite_orders_do_not_deadlock(plan: Plan) -> None:
    """Long enough to overlap: taken in the order of the lists, they wait for each other."""
    people = make_crowd(CROWD, first=20_000)
    for _ in range(ROUNDS):
        one, other = check_for(people, plan), check_for(people[::-1], plan)

        outcomes = run_together(order_all(one), order_all(other))

        assert outcomes.count((CROWD, 0)) == 1
        expect_one_live_line_each(people, plan)
        GroupCheck.objects.update(order=None)
        clear_orders()


def clear_orders() -> None:
    for order in Order.objects.all():
        order.lines.all().delete()
        order.events.all().delete()
        order.delete()


def test_orders_that_overlap_in_part_leave_the_rest_to_be_bought(plan: Plan) -> None:
    for _ in range(ROUNDS):
        people = make_trainees(COUNT)
        half = COUNT // 2
        one = check_for(people[: half + 5], plan)
        other = check_for(people[half - 5 :][::-1], plan)

        outcomes = run_together(order_all(one), order_all(other))

        loser = other if isinstance(outcomes[1], tuple) else one
        assert outcomes.count((10, half - 5)) == 1
        loser.refresh_from_db()
        assert loser.free_count == half - 5
        taken = loser.rows.filter(outcome=GroupRow.Outcome.TAKEN)
        assert taken.count() == 10
        assert isinstance(order_all(loser)(), str)
        expect_one_live_line_each(people, plan)
        GroupCheck.objects.update(order=None)
        clear_orders()


def test_the_person_buys_while_the_coordinator_does(plan: Plan) -> None:
    for _ in range(ROUNDS):
        people = make_trainees(COUNT)
        check = check_for(people, plan)

        def buy(person: User = people[0]) -> str:
            try:
                order = place_personal_order(
                    buyer=person, plan=plan, now=timezone.now()
                )
            except PlanBeingBoughtError as error:
                return error.order_number
            return order.number

        group, own = run_together(order_all(check), buy)

        # Empty: the order is somebody else's, and the person is not told whose.
        if own:
            assert group == (1, COUNT - 1)
            assert isinstance(order_all(check)(), str)
        else:
            assert isinstance(group, str)
        expect_one_live_line_each(people, plan)
        GroupCheck.objects.update(order=None)
        clear_orders()


def test_coordinators_who_buy_for_each_other(plan: Plan) -> None:
    unit = UnitFactory()
    one = make_coordinator(unit)
    other = make_coordinator(unit)
    checks = [
        make_checked(
            paste(whom, *make_trainees(3)),
            buyer=who,
            unit=unit,
            plan=plan,
            now=timezone.now(),
        )
        for who, whom in ((one, other), (other, one))
    ]

    outcomes = run_together(*map(order_all, checks))

    assert sorted(outcomes) == sorted(Order.objects.values_list("number", flat=True))


def test_one_check_ordered_eight_times_is_one_order(plan: Plan) -> None:
    people = make_trainees(5)
    check = check_for(people, plan)

    def press() -> Any:
        try:
            return order_all(check)()
        except Exception as error:  # noqa: BLE001 - its name is what is looked at
            return type(error).__name__

    outcomes = run_together(*[press] * 8)

    assert outcomes.count("GroupStateError") == 7
    expect_one_live_line_each(people, plan)


def test_parallel_checks_are_counted(plan: Plan, settings: Any) -> None:
    settings.GROUP_PURCHASE = settings.GROUP_PURCHASE | {"daily_checks": 3}
    unit = UnitFactory()
    buyer = make_coordinator(unit)

    def submit() -> bool:
        try:
            hand_in("1", buyer=buyer, unit=unit, plan=plan, now=timezone.now())
        except GroupLimitError:
            return False
        return True

    assert sum(run_together(*[submit] * 8)) == 3
    assert GroupCheck.objects.count() == 3


def test_three_workers_at_one_check(plan: Plan) -> None:
    people = make_trainees(COUNT)
    unit = UnitFactory()
    check = hand_in(
        paste(*people),
        buyer=make_coordinator(unit),
        unit=unit,
        plan=plan,
        now=timezone.now(),
    )

    def work() -> None:
        check_people(check_id=check.pk, clock=timezone.now)

    run_together(*[work] * 3)

    check.refresh_from_db()
    assert (check.state, check.tries) == (GroupCheck.State.CHECKED, 1)
    assert (check.free_count, check.rows.count()) == (COUNT, COUNT)


def settle(order: Order) -> Callable[[], Any]:
    attempt = PaymentAttemptFactory(order=order)
    report = Report(attempt.number, State.PAID, attempt.amount_fen)

    return lambda: apply_report(
        gateway="alipay",
        report=report,
        source=GatewayMessage.Source.NOTIFICATION,
        now=timezone.now(),
    )


def place(people: list[User], plan: Plan) -> Order:
    check = check_for(people, plan)
    return place_group_order(check_id=check.pk, actor=check.buyer, now=timezone.now())


def test_opposite_group_orders_are_settled_without_a_deadlock() -> None:
    """The same people in two plans, paid at one moment: both settle, all are told once."""
    people = make_trainees(COUNT)
    one = place(people, make_endless_plan())
    other = place(people[::-1], make_endless_plan())

    assert run_together(settle(one), settle(other)) == ["settled", "settled"]

    assert Enrolment.objects.count() == 2 * COUNT
    assert Message.objects.filter(template="group_opened").count() == 2 * COUNT
    assert PaymentException.objects.count() == 0


def test_twelve_reports_of_a_group_payment_tell_everybody_once(plan: Plan) -> None:
    people = make_trainees(COUNT)
    order = place(people, plan)
    report = settle(order)

    outcomes = run_together(*[report] * 12)

    assert sorted(outcomes) == ["settled"] + ["unchanged"] * 11
    assert Enrolment.objects.count() == COUNT
    assert Message.objects.count() == COUNT


def test_payment_meets_the_expiry_of_a_group_order(plan: Plan) -> None:
    people = make_trainees(COUNT)
    order = place(people, plan)
    report = settle(order)
    Order.objects.update(expires_at=timezone.now())
    order.attempts.update(state="closed")

    run_together(report, lambda: expire_order(order_id=order.pk, now=timezone.now()))

    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert Enrolment.objects.count() == COUNT
    expect_one_live_line_each(people, plan)


def test_parallel_orders_of_one_buyer_are_counted(plan: Plan, settings: Any) -> None:
    settings.GROUP_PURCHASE = settings.GROUP_PURCHASE | {"daily_unpaid_orders": 2}
    unit = UnitFactory()
    given = {
        "buyer": make_coordinator(unit),
        "unit": unit,
        "plan": plan,
        "now": timezone.now(),
    }
    checks = [make_checked(paste(*make_trainees(2)), **given) for _ in range(8)]

    def press(check: GroupCheck) -> Any:
        try:
            return order_all(check)()
        except GroupLimitError:
            return "limit"

    outcomes = run_together(*(partial(press, check) for check in checks))

    assert outcomes.count("limit") == 6
    assert Order.objects.count() == 2
    assert OrderLine.objects.count() == 4


def test_numbers_of_parallel_checks_are_counted(plan: Plan, settings: Any) -> None:
    settings.GROUP_PURCHASE = settings.GROUP_PURCHASE | {"daily_numbers": 5}
    unit = UnitFactory()
    buyer = make_coordinator(unit)
    numbers = paste(*make_trainees(2))
    checks = [
        hand_in(numbers, buyer=buyer, unit=unit, plan=plan, now=timezone.now())
        for _ in range(8)
    ]

    run_together(
        *(
            partial(check_people, check_id=check.pk, clock=timezone.now)
            for check in checks
        )
    )

    states = sorted(GroupCheck.objects.values_list("state", flat=True))
    assert states == ["checked"] * 2 + ["refused"] * 6


def test_a_list_is_ordered_or_corrected(plan: Plan) -> None:
    """Both want the list and its buyer: taken in one order, neither waits for ever."""
    unit = UnitFactory()
    buyer = make_coordinator(unit)
    for _ in range(ROUNDS):
        check = check_for(make_trainees(2), plan, unit, buyer=buyer)

        def correct(check: GroupCheck = check) -> Any:
            try:
                hand_in(
                    "1",
                    buyer=buyer,
                    unit=unit,
                    plan=plan,
                    now=timezone.now(),
                    replaces=check,
                )
            except GroupStateError:
                return "late"
            return "corrected"

        def order(check: GroupCheck = check) -> Any:
            try:
                return order_all(check)()
            except GroupStateError:
                return "late"

        assert run_together(order, correct).count("late") == 1
