"""Staff set prices on the plan's page: a new row of its history, from tomorrow on."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from catalog.models import Plan, PlanPrice
from tests.catalog.test_admin import PLAN_DATA, PRICE, formset
from tests.factories.catalog import PlanFactory, PlanPriceFactory
from tests.factories.requests import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(db: None) -> Plan:
    plan: Plan = PlanFactory(title="新计划", code="new-plan")
    return plan


def save(client: Client, plan: Plan, **price: str) -> str:
    """Send the plan's page with one more price; the page that follows."""
    prices = formset("prices", [PRICE | price])
    prices["prices-INITIAL_FORMS"] = "0"
    response = client.post(
        reverse("admin:catalog_plan_change", args=[plan.pk]),
        PLAN_DATA | prices | formset("plan_courses", []),
        follow=True,
    )
    assert response.status_code == 200
    return response.content.decode()


def days_from_now(days: int) -> str:
    return f"{timezone.localdate() + timedelta(days=days)}"


def test_a_future_price_is_added_by_name_and_noted(
    plan: Plan, staff: Any, client_of: Any
) -> None:
    save(client_of(staff), plan, valid_from=days_from_now(1), unit_price="1.20")

    added = PlanPrice.objects.order_by("pk").last()
    assert added is not None
    assert (added.plan, added.unit_price_fen) == (plan, 120)
    assert (added.pricing, added.reason) == ("per_hour", "2026年通知")
    assert added.set_by == staff
    assert PlanPrice.objects.count() == 2
    note = AuditEntry.objects.get(action="catalog.price_set")
    assert (note.target, note.actor) == ("plan:new-plan", staff)
    assert note.detail == {
        "valid_from": days_from_now(1),
        "pricing": "per_hour",
        "unit_price_fen": 120,
        "reason": "2026年通知",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit_price": "1.105"}, "请填写金额，最多两位小数，例如 1.10"),
        ({"unit_price": "-1"}, "请填写金额，最多两位小数，例如 1.10"),
        ({"unit_price": "0"}, "单价须大于零"),
        ({"reason": ""}, "这个字段是必填项"),
        ({"valid_from": days_from_now(0)}, "已发布的计划，新价格最早从"),
        ({"valid_from": days_from_now(-30)}, "已发布的计划，新价格最早从"),
    ],
)
def test_a_price_that_cannot_be_is_refused(
    plan: Plan, staff: Any, client_of: Any, change: dict[str, str], message: str
) -> None:
    html = save(client_of(staff), plan, **({"valid_from": days_from_now(1)} | change))

    assert message in html
    assert PlanPrice.objects.count() == 1


def test_what_was_set_is_shown_and_cannot_be_changed(
    plan: Plan, staff: Any, client_of: Any
) -> None:
    old = PlanPriceFactory(plan=plan, unit_price_fen=1234, reason="旧的说明")
    client = client_of(staff)
    address = reverse("admin:catalog_plan_change", args=[plan.pk])

    html = client.get(address).content.decode()
    rows = {
        **formset("prices", [PRICE | {"id": str(old.pk), "plan": str(plan.pk)}]),
        "prices-INITIAL_FORMS": "1",
        "prices-0-DELETE": "on",
    }
    client.post(address, PLAN_DATA | rows | formset("plan_courses", []))

    assert "12.34" in html
    assert "旧的说明" in html
    assert 'value="12.34"' not in html
    old.refresh_from_db()
    assert (old.unit_price_fen, old.reason) == (1234, "旧的说明")


def test_hours_of_a_published_plan_are_part_of_its_price(
    plan: Plan, staff: Any, client_of: Any
) -> None:
    address = reverse("admin:catalog_plan_change", args=[plan.pk])
    data = PLAN_DATA | {"hours": "60"} | formset("prices", [])

    client_of(staff).post(address, data | formset("plan_courses", []))

    plan.refresh_from_db()
    assert (plan.hours, plan.title) == (30, "新计划")


@pytest.mark.parametrize("role", ["财务", "审核", "审计"])
def test_other_roles_set_no_price(plan: Plan, role: str, client_of: Any) -> None:
    client = client_of(make_staff(role))
    address = reverse("admin:catalog_plan_change", args=[plan.pk])
    prices = formset("prices", [PRICE | {"valid_from": days_from_now(1)}])

    response = client.post(address, PLAN_DATA | prices | formset("plan_courses", []))

    assert response.status_code in {302, 403}
    assert PlanPrice.objects.count() == 1


def test_business_sets_prices(plan: Plan, client_of: Any) -> None:
    save(client_of(make_staff("业务")), plan, valid_from=days_from_now(1))

    assert PlanPrice.objects.count() == 2
