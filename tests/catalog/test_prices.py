"""Prices have dates: they are added from tomorrow on, and what was set stays as it was."""

from collections.abc import Callable
from datetime import date, datetime
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import Error, IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry
from catalog import services
from catalog.errors import NotReadyError, PriceRefusedError
from catalog.models import Plan, PlanPrice
from catalog.queries import read_price_fen
from catalog.rules import refuse_price
from tests.clock import at
from tests.factories.catalog import PlanFactory, PlanPriceFactory, make_plan

pytestmark = pytest.mark.django_db

TODAY, TOMORROW = date(2026, 6, 15), date(2026, 6, 16)


def set_price(plan: Plan, **changes: Any) -> PlanPrice:
    values: dict[str, Any] = {
        "plan_id": plan.pk,
        "valid_from": TOMORROW,
        "pricing": Plan.Pricing.PER_HOUR,
        "unit_price_fen": 120,
        "reason": "按新通知",
        "actor": None,
        "now": at("2026-06-15 10:00"),
    }
    return services.set_plan_price(**values | changes)


# --- Setting ---------------------------------------------------------------------------------
def test_price_of_tomorrow_leaves_today_as_it_is() -> None:
    plan = PlanFactory()

    set_price(plan)

    assert read_price_fen(plan, day=TODAY) == 3300
    assert read_price_fen(plan, day=TOMORROW) == 3600


def test_midnight_is_that_of_chongqing() -> None:
    """At 00:30 there it is still the day before in UTC: tomorrow is the 17th already."""
    with pytest.raises(PriceRefusedError):
        set_price(PlanFactory(), valid_from=TOMORROW, now=at("2026-06-16 00:30"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"valid_from": TODAY}, "已发布的计划，新价格最早从 2026-06-16 起执行"),
        ({"valid_from": date(2026, 1, 1)}, "新价格最早从 2026-06-16 起执行"),
        ({"unit_price_fen": 0}, "单价须大于零"),
    ],
)
def test_price_that_cannot_be_set(changes: dict[str, Any], words: str) -> None:
    plan = PlanFactory()

    with pytest.raises(PriceRefusedError) as refusal:
        set_price(plan, **changes)

    assert words in str(refusal.value)
    assert PlanPrice.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_draft_may_be_corrected_at_once_but_not_for_the_past() -> None:
    draft = {"unit_price_fen": 1, "is_published": False, "today": TODAY}

    refuse_price(valid_from=TODAY, **draft)
    with pytest.raises(PriceRefusedError):
        refuse_price(valid_from=date(2026, 6, 14), **draft)


def test_announced_price_is_taken_back_by_a_further_row() -> None:
    plan = PlanFactory()
    set_price(plan)

    set_price(plan, unit_price_fen=110, reason="取消调价")

    assert read_price_fen(plan, day=TOMORROW) == 3300
    reasons = plan.prices.order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == ["按通知", "按新通知", "取消调价"]


def test_plan_without_a_price_of_today_is_not_published(now: datetime) -> None:
    plan = make_plan(is_published=False, unit_price_fen=0)
    PlanPriceFactory(plan=plan, valid_from=TOMORROW)

    with pytest.raises(NotReadyError) as refusal:
        services.publish_plan(plan_id=plan.pk, actor=None, now=now)

    assert refusal.value.problems == ["没有设定当前价格"]


# --- What was set stays ----------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        lambda price: PlanPrice.objects.filter(pk=price.pk).update(unit_price_fen=1),
        lambda price: PlanPrice.objects.filter(pk=price.pk).delete(),
    ],
)
def test_prices_are_not_changed_by_code(change: Callable[[PlanPrice], Any]) -> None:
    price = PlanPriceFactory()

    with pytest.raises(TypeError):
        change(price)

    assert PlanPrice.objects.get().unit_price_fen == 110


def test_prices_are_not_changed_in_the_database() -> None:
    price = PlanPriceFactory()
    price.unit_price_fen = 1

    with pytest.raises(Error, match="append-only"), transaction.atomic():
        price.save()

    assert PlanPrice.objects.get().unit_price_fen == 110


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="tests empty tables by DELETE elsewhere"
)
def test_prices_are_not_deleted_in_the_database() -> None:
    PlanPriceFactory()

    with (
        pytest.raises(Error, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM catalog_planprice")

    assert PlanPrice.objects.count() == 1


def test_database_knows_no_price_of_nothing() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanPriceFactory(unit_price_fen=0)


# --- From columns to rows --------------------------------------------------------------------
class _Rows:
    """Plans as the migration meets them: with the columns that are gone by now."""

    def __init__(self, plans: list[Plan]) -> None:
        self.plans = plans

    def get_model(self, app: str, name: str) -> Any:
        return self if name == "Plan" else apps.get_model(app, name)

    @property
    def objects(self) -> "_Rows":
        return self

    def filter(self, unit_price_fen__gt: int) -> "_Rows":
        priced = [p for p in self.plans if p.unit_price_fen > unit_price_fen__gt]
        return _Rows(priced)

    def order_by(self, _column: str) -> list[Plan]:
        return self.plans


def test_prices_of_before_become_the_first_rows() -> None:
    migration = import_module("catalog.migrations.0005_dated_prices")
    begun, later, without = (
        PlanFactory(unit_price_fen=0, sale_start=day, sale_end=date(2999, 1, 1))
        for day in (date(2020, 1, 1), date(2999, 1, 1), date(2020, 1, 1))
    )
    for plan, price in ((begun, 110), (later, 150)):
        plan.unit_price_fen, plan.pricing = price, Plan.Pricing.PER_HOUR

    migration.move_to_rows(_Rows([begun, later, without]), None)

    rows = {row.plan_id: row for row in PlanPrice.objects.all()}
    assert set(rows) == {begun.pk, later.pk}
    assert rows[begun.pk].valid_from == date(2020, 1, 1)
    assert rows[begun.pk].unit_price_fen == 110
    assert read_price_fen(later, day=timezone.localdate()) == 4500
