from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.errors import (
    PlanAlreadyHeldError,
    PlanBeingBoughtError,
    PlanNotOnSaleError,
    PriceChangedError,
)
from orders.models import InvoiceRequest, Order, OrderEvent, OrderLine
from orders.rules import InvoiceDetails
from orders.services import checkout, place_personal_order
from tests.clock import at
from tests.factories.catalog import PlanFactory, PlanPriceFactory
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import OrderFactory, OrderLineFactory, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(db: None) -> Plan:
    plan: Plan = PlanFactory(title="2026年公需科目", hours=30, unit_price_fen=110)
    return plan


def expect_nothing_placed() -> None:
    assert Order.objects.count() == 0
    assert OrderLine.objects.count() == 0
    assert OrderEvent.objects.count() == 0


def test_order_copies_what_is_sold(owner: User, plan: Plan, now: datetime) -> None:
    order = place_personal_order(buyer=owner, plan=plan, now=now)
    plan.title, plan.year = "改名", 2027
    plan.save()
    PlanPriceFactory(plan=plan, unit_price_fen=999)

    line = OrderLine.objects.get(order=order)
    order.refresh_from_db()
    assert order.kind == Order.Kind.PERSONAL
    assert order.state == Order.State.PENDING
    assert order.buyer == owner
    assert order.total_fen == 3300
    assert order.expires_at == now + timedelta(minutes=30)
    assert (line.person, line.plan) == (owner, plan)
    assert (line.plan_title, line.plan_year) == ("2026年公需科目", 2026)
    assert (line.hours, line.price_fen) == (30, 3300)
    assert line.is_live is True
    assert [event.kind for event in order.events.all()] == ["placed"]
    assert InvoiceRequest.objects.count() == 0


def test_flat_price_is_the_price(owner: User, now: datetime) -> None:
    plan = PlanFactory(pricing=Plan.Pricing.FLAT, unit_price_fen=3300, hours=30)

    order = place_personal_order(buyer=owner, plan=plan, now=now)

    assert order.total_fen == 3300


def test_invoice_is_asked_for_with_the_order(
    owner: User, plan: Plan, now: datetime
) -> None:
    details = InvoiceDetails("enterprise", "示例公司", "91500000MA5XYZ0000", "a@b.cn")

    order = place_personal_order(buyer=owner, plan=plan, invoice=details, now=now)

    request = InvoiceRequest.objects.get()
    assert request.order == order
    assert request.buyer_kind == InvoiceRequest.Buyer.ENTERPRISE
    assert (request.title, request.credit_code) == ("示例公司", "91500000MA5XYZ0000")
    assert (request.email, request.requested_at) == ("a@b.cn", now)


@pytest.mark.parametrize("moment", ["2025-12-31 23:59:59", "2027-01-01 00:00:00"])
def test_plan_outside_its_sale_window_is_refused(
    owner: User, plan: Plan, moment: str
) -> None:
    with pytest.raises(PlanNotOnSaleError):
        place_personal_order(buyer=owner, plan=plan, now=at(moment))

    expect_nothing_placed()


@pytest.mark.parametrize("moment", ["2026-01-01 00:00:00", "2026-12-31 23:59:59"])
def test_first_and_last_second_of_the_window_count(
    owner: User, plan: Plan, moment: str
) -> None:
    place_personal_order(buyer=owner, plan=plan, now=at(moment))

    assert Order.objects.count() == 1


@pytest.mark.parametrize("changes", [{"is_published": False}, {"unit_price_fen": 0}])
def test_plan_that_is_not_for_sale_is_refused(
    owner: User, now: datetime, changes: dict[str, object]
) -> None:
    with pytest.raises(PlanNotOnSaleError):
        place_personal_order(buyer=owner, plan=PlanFactory(**changes), now=now)

    expect_nothing_placed()


def test_plan_held_already_is_refused(owner: User, plan: Plan, now: datetime) -> None:
    EnrolmentFactory(person=owner, plan=plan)

    with pytest.raises(PlanAlreadyHeldError) as refused:
        place_personal_order(buyer=owner, plan=plan, now=now)

    assert refused.value.plan_code == plan.code
    expect_nothing_placed()


def test_revoked_plan_can_be_bought_again(
    owner: User, plan: Plan, now: datetime
) -> None:
    EnrolmentFactory(person=owner, plan=plan, revoked=True)

    place_personal_order(buyer=owner, plan=plan, now=now)

    assert Order.objects.count() == 1


def test_buying_twice_leads_to_the_first_order(
    owner: User, plan: Plan, now: datetime
) -> None:
    first = place_personal_order(buyer=owner, plan=plan, now=now)

    with pytest.raises(PlanBeingBoughtError) as refused:
        place_personal_order(buyer=owner, plan=plan, now=now)

    assert refused.value.order_number == first.number
    assert Order.objects.count() == 1


def test_order_of_somebody_else_for_the_person_is_not_told(
    owner: User, stranger: User, plan: Plan, now: datetime
) -> None:
    order = OrderFactory(buyer=stranger, kind=Order.Kind.GROUP)
    OrderLineFactory(order=order, plan=plan, person=owner)

    with pytest.raises(PlanBeingBoughtError) as refused:
        place_personal_order(buyer=owner, plan=plan, now=now)

    assert refused.value.order_number == ""
    assert Order.objects.count() == 1


@pytest.mark.parametrize("trait", ["expired", "cancelled"])
def test_closed_order_lets_the_plan_go(
    owner: User, plan: Plan, now: datetime, trait: str
) -> None:
    make_order(owner, plan, **{trait: True})

    place_personal_order(buyer=owner, plan=plan, now=now)

    assert Order.objects.count() == 2


def test_second_window_between_check_and_insert_is_refused(
    owner: User, plan: Plan, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order that did not lock the person comes after the check: the constraint decides."""

    def lose(*_arguments: object) -> None:
        make_order(owner, plan)
        raise IntegrityError

    monkeypatch.setattr(checkout, "_place", lose)

    with pytest.raises(PlanBeingBoughtError):
        place_personal_order(buyer=owner, plan=plan, now=now)

    assert Order.objects.count() == 1
    assert Enrolment.objects.count() == 0


# --- Prices have dates -------------------------------------------------------------------


def test_order_before_midnight_keeps_its_price(
    owner: User, stranger: User, plan: Plan
) -> None:
    PlanPriceFactory(plan=plan, valid_from=date(2026, 7, 1), unit_price_fen=120)

    before = place_personal_order(buyer=owner, plan=plan, now=at("2026-06-30 23:59:59"))
    after = place_personal_order(
        buyer=stranger, plan=plan, now=at("2026-07-01 00:00:00")
    )

    assert (before.total_fen, after.total_fen) == (3300, 3600)
    before.refresh_from_db()
    assert before.total_fen == before.lines.get().price_fen == 3300
    assert after.lines.get().price_fen == 3600


def test_buyer_who_saw_another_price_is_told(owner: User, plan: Plan) -> None:
    PlanPriceFactory(plan=plan, valid_from=date(2026, 7, 1), unit_price_fen=120)
    midnight = at("2026-07-01 00:00:00")

    with pytest.raises(PriceChangedError) as refusal:
        place_personal_order(buyer=owner, plan=plan, shown_fen=3300, now=midnight)

    assert refusal.value.price_fen == 3600
    expect_nothing_placed()
    order = place_personal_order(buyer=owner, plan=plan, shown_fen=3600, now=midnight)
    assert order.total_fen == 3600
