"""One order for everybody a check found free, its payment, and who is told."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Message
from accounts.services.files import read_private_file
from learning.models import Enrolment
from orders.errors import (
    GroupLimitError,
    GroupNotAllowedError,
    GroupStateError,
    GroupTakenError,
    PlanNotOnSaleError,
)
from orders.models import (
    GatewayMessage,
    GroupCheck,
    GroupRow,
    InvoiceRequest,
    Order,
    OrderEvent,
    OrderLine,
)
from orders.payments.protocol import Report, State
from orders.queries.groups import Standing, count_standings, list_people
from orders.rules import InvoiceDetails
from orders.rules.groups import TAKEN
from orders.services import apply_report, place_personal_order
from orders.services.groups import forget_old_checks, ordering, place_group_order
from tests.factories.accounts import UserFactory, make_id_number
from tests.factories.groups import (
    make_checked,
    make_group_order,
    make_trainees,
    paste,
)
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import PaymentAttemptFactory

pytestmark = pytest.mark.django_db
UNKNOWN = make_id_number(900_000)


@pytest.fixture
def given(coordinator, unit, plan, now):
    return {"buyer": coordinator, "unit": unit, "plan": plan, "now": now}


@pytest.fixture
def people(db):
    return make_trainees(3)


@pytest.fixture
def check(given, people):
    return make_checked(paste(*people[::-1], UNKNOWN), **given)


def pay(order, now):
    attempt = PaymentAttemptFactory(order=order)
    return apply_report(
        gateway="alipay",
        report=Report(attempt.number, State.PAID, attempt.amount_fen),
        source=GatewayMessage.Source.NOTIFICATION,
        now=now,
    )


def expect_nothing_ordered(check):
    check.refresh_from_db()
    assert check.order is None
    assert Order.objects.filter(kind=Order.Kind.GROUP).count() == 0
    assert OrderLine.objects.filter(order__kind=Order.Kind.GROUP).count() == 0


# --- Ordering ----------------------------------------------------------------------------
def test_one_order_for_all_who_are_free(check, people, coordinator, unit, plan, now):
    order = place_group_order(check_id=check.pk, actor=coordinator, now=now)

    assert (order.kind, order.state) == (Order.Kind.GROUP, Order.State.PENDING)
    assert (order.buyer, order.unit) == (coordinator, unit)
    assert order.total_fen == 3 * 3300
    assert order.expires_at == now + timedelta(minutes=30)
    lines = list(order.lines.order_by("pk"))
    assert [line.person_id for line in lines] == sorted(each.pk for each in people)
    for line in lines:
        assert (line.plan_title, line.plan_year) == (plan.title, plan.year)
        assert (line.hours, line.price_fen, line.quantity) == (30, 3300, 1)
        assert line.is_live
    check.refresh_from_db()
    assert (check.state, check.order) == (GroupCheck.State.ORDERED, order)
    event = OrderEvent.objects.get()
    assert (event.kind, event.actor, event.detail) == ("placed", coordinator, "3人")
    assert InvoiceRequest.objects.count() == 0


def test_the_invoice_is_one_for_all(check, coordinator, now):
    invoice = InvoiceDetails("enterprise", "示例单位", "91500000MA00000000", "")

    order = place_group_order(
        check_id=check.pk, invoice=invoice, actor=coordinator, now=now
    )

    request = InvoiceRequest.objects.get()
    assert (request.order, request.title) == (order, "示例单位")


def test_the_cashier_shows_how_many(check, coordinator, now):
    from orders.services.payment import _make_subject  # noqa: PLC0415

    order = place_group_order(check_id=check.pk, actor=coordinator, now=now)

    assert _make_subject(order) == "2026年公需科目（3人）"


def test_a_check_becomes_one_order(check, coordinator, now):
    order = place_group_order(check_id=check.pk, actor=coordinator, now=now)

    with pytest.raises(GroupStateError):
        place_group_order(check_id=check.pk, actor=coordinator, now=now)

    assert Order.objects.get() == order


def test_people_of_the_own_order_are_not_marked_as_taken(check, coordinator, now):
    """Two clicks, the first of which finds somebody taken who is free for the second."""
    order = place_group_order(check_id=check.pk, actor=coordinator, now=now)

    assert ordering._mark_taken(check.pk, now=now) == (0, 3)

    check.refresh_from_db()
    assert (check.order, check.free_count) == (order, 3)
    assert check.rows.filter(outcome=GroupRow.Outcome.TAKEN).count() == 0


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("another", GroupStateError),
        ("late", GroupStateError),
        ("forgotten", GroupStateError),
        ("nobody_free", GroupStateError),
        ("not_appointed", GroupNotAllowedError),
        ("sale_over", PlanNotOnSaleError),
    ],
)
def test_refusals_change_nothing(how, error, check, coordinator, plan, now):
    actor, moment = coordinator, now
    if how == "another":
        actor = UserFactory()
    elif how == "late":
        moment = now + timedelta(hours=24)
    elif how == "forgotten":
        forget_old_checks(now=now + timedelta(hours=24))
    elif how == "nobody_free":
        check.rows.filter(outcome="free").delete()
    elif how == "not_appointed":
        coordinator.appointments.update(ended_at=now)
    else:
        plan.is_published = False
        plan.save()

    with pytest.raises(error):
        place_group_order(check_id=check.pk, actor=actor, now=moment)

    expect_nothing_ordered(check)


def test_unpaid_orders_of_a_day_are_limited(given, settings, now):
    """Each keeps its people from buying the plan themselves."""
    settings.GROUP_PURCHASE = settings.GROUP_PURCHASE | {"daily_unpaid_orders": 2}
    for _ in range(2):
        make_group_order(make_trainees(1), **given)

    with pytest.raises(GroupLimitError):
        make_group_order(make_trainees(1), **given)

    assert Order.objects.count() == 2
    pay(Order.objects.first(), now)
    make_group_order(make_trainees(1), **given)


@pytest.mark.parametrize("how", ["enrolled", "ordered", "closed"])
def test_who_is_no_longer_free_is_named_by_number_and_the_rest_can_be_bought(
    how, check, people, coordinator, plan, now
):
    gone, *left = people
    if how == "enrolled":
        EnrolmentFactory(person=gone, plan=plan)
    elif how == "ordered":
        place_personal_order(buyer=gone, plan=plan, now=now)
    else:
        gone.state = gone.State.CLOSED
        gone.save()

    with pytest.raises(GroupTakenError) as caught:
        place_group_order(check_id=check.pk, actor=coordinator, now=now)

    assert (caught.value.taken, caught.value.left) == (1, 2)
    assert str(caught.value) == (
        "有 1 人刚刚已开通或已有订单，不能再购买；其余 2 人仍可购买。"
    )
    expect_nothing_ordered(check)
    assert (check.state, check.free_count) == (GroupCheck.State.CHECKED, 2)
    row = check.rows.get(outcome=GroupRow.Outcome.TAKEN)
    assert (row.given.number, row.person) == (gone.id_number, None)
    book = load_workbook(BytesIO(read_private_file(check.error_file)))
    assert [cell.value for cell in book.active["D"]].count(TAKEN) == 1
    order = place_group_order(check_id=check.pk, actor=coordinator, now=now)
    assert list(order.lines.order_by("pk").values_list("person_id", flat=True)) == [
        person.pk for person in left
    ]


def test_when_all_are_taken_there_is_nothing_left(
    check, people, coordinator, plan, now
):
    for person in people:
        EnrolmentFactory(person=person, plan=plan)

    with pytest.raises(GroupTakenError, match="已没有可购买的人员") as caught:
        place_group_order(check_id=check.pk, actor=coordinator, now=now)

    assert (caught.value.taken, caught.value.left) == (3, 0)


# --- Paid --------------------------------------------------------------------------------
def test_paid_all_may_study_and_are_told(given, people, now, unit, plan):
    pending = UserFactory(pending=True)
    order = make_group_order([*people, pending], **given)

    assert pay(order, now) == "settled"

    enrolments = Enrolment.objects.filter(plan=plan, source_number=order.number)
    assert set(enrolments.values_list("person_id", flat=True)) == {
        person.pk for person in (*people, pending)
    }
    told = {
        message.recipient: message.text
        for message in Message.objects.filter(template="group_opened")
    }
    assert set(told) == {person.phone for person in people}
    text = told[people[0].phone]
    assert text.startswith(f"{unit.name}已为您购买{plan.title}")
    assert text.endswith(reverse("learning:training"))
    invited = Message.objects.get(template="group_opened_pending")
    assert invited.recipient == pending.phone
    assert "首次登录" in invited.text
    assert not Message.objects.filter(is_code=True).exists()


def test_told_is_nobody_who_had_the_plan_already(given, people, plan, now):
    order = make_group_order(people, **given)
    EnrolmentFactory(person=people[0], plan=plan, source="code")

    pay(order, now)

    told = {message.recipient for message in Message.objects.all()}
    assert told == {person.phone for person in people[1:]}


def test_the_buyer_who_studies_too_is_not_told(given, people, now):
    order = make_group_order([*people, given["buyer"]], **given)

    pay(order, now)

    told = {message.recipient for message in Message.objects.all()}
    assert told == {person.phone for person in people}


def test_paid_twice_nobody_is_told_twice(given, people, now):
    order = make_group_order(people, **given)
    attempt = PaymentAttemptFactory(order=order)
    for _ in range(2):
        apply_report(
            gateway="alipay",
            report=Report(attempt.number, State.PAID, attempt.amount_fen),
            source=GatewayMessage.Source.NOTIFICATION,
            now=now,
        )

    assert Message.objects.count() == 3


def test_a_personal_order_tells_nobody(owner, plan, now):
    pay(place_personal_order(buyer=owner, plan=plan, now=now), now)

    assert Enrolment.objects.count() == 1
    assert Message.objects.count() == 0


# --- How far they are --------------------------------------------------------------------
def test_states_of_the_people(given, people, now, plan):
    order = make_group_order(people, **given)
    waiting = make_group_order(make_trainees(1), **given)
    pay(order, now)
    Enrolment.objects.filter(person=people[0]).update(percent=40)
    Enrolment.objects.filter(person=people[1]).update(
        state="completed", completed_at=now, percent=100
    )

    found = count_standings([order.pk, waiting.pk])

    assert found == {
        order.pk: Standing(people=3, studying=2, completed=1, percent=46),
        waiting.pk: Standing(people=1, studying=0, completed=0, percent=0),
    }
    everybody = list_people(order)
    assert [
        (line.person, line.enrolment_state, line.percent) for line in everybody
    ] == [
        (people[0], "open", 40),
        (people[1], "completed", 100),
        (people[2], "open", 0),
    ]
    assert [line.person for line in list_people(order, standing="completed")] == [
        people[1]
    ]
    assert len(list_people(order, standing="studying")) == 2


def test_what_people_hold_without_this_order_is_not_told(given, people, now, plan):
    """Of an order that is not paid, and of a seat whose money went back."""
    order = make_group_order(people, **given)
    EnrolmentFactory(person=people[0], plan=plan, percent=70)
    nothing = {order.pk: Standing(people=3, studying=0, completed=0, percent=0)}

    assert count_standings([order.pk]) == nothing
    assert list(list_people(order, standing="studying")) == []

    pay(order, now)
    order.lines.filter(person=people[0]).update(is_live=False, refunded_at=now)

    assert count_standings([order.pk])[order.pk].studying == 2
    assert count_standings([order.pk])[order.pk].percent == 0
    studying = list_people(order, standing="studying")
    assert [line.person for line in studying] == people[1:]
    refunded = list_people(order)[0]
    assert (refunded.enrolment_state, refunded.percent) == (None, None)
