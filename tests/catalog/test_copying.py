"""A plan once more for the year after: what moves, what stays, and only once."""

from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import AuditEntry
from catalog.errors import PlanExistsError
from catalog.models import Plan, PlanCourse, PlanPrice
from catalog.rules.years import move_code, move_date
from catalog.services import copy_plan, set_plan_price
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PlanCourseFactory, PlanFactory, make_course

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    plan = PlanFactory(
        code="gx-2026-2",
        title="2026年公需科目",
        summary="完成 2026 年度学习任务",
        entry=2,
        sells_codes=True,
        fastest_speed=150,
        accepts_claims=True,
        training_start=date(2026, 1, 5),
        elective_credits=10,
    )
    for position, kind in ((9, "elective"), (3, "compulsory")):
        PlanCourseFactory(plan=plan, course=make_course(), position=position, kind=kind)
    return plan


@pytest.mark.parametrize(
    ("code", "moved"),
    [
        ("gx-2026-2", "gx-2027-2"),
        ("gongxu", "gongxu-2027"),
        ("a" * 40, "a" * 35 + "-2027"),
    ],
)
def test_codes(code, moved):
    assert move_code(code, 2026) == moved


@pytest.mark.parametrize(
    ("day", "moved"),
    [
        (date(2026, 12, 31), date(2027, 12, 31)),
        (date(2028, 2, 29), date(2029, 2, 28)),
        (date(2027, 2, 28), date(2028, 2, 28)),
    ],
)
def test_dates(day, moved):
    assert move_date(day) == moved


def test_a_draft_with_everything_a_year_on(plan, staff, now):
    copy_plan(plan_id=plan.pk, actor=staff, now=now)

    copy = Plan.objects.priced(date(2026, 6, 15)).get(code="gx-2027-2")
    assert (copy.year, copy.title) == (2027, "2027年公需科目")
    assert copy.summary == "完成 2027 年度学习任务"
    assert (copy.entry, copy.hours, copy.required_credits) == (2, 30, 30)
    assert (copy.compulsory_credits, copy.elective_credits) == (0, 10)
    assert (copy.sells_codes, copy.accepts_claims) == (True, False)
    assert copy.fastest_speed == 150
    assert not copy.is_published
    assert (copy.training_start, copy.training_end) == (
        date(2027, 1, 5),
        date(2027, 12, 31),
    )
    assert (copy.sale_start, copy.sale_end) == (date(2027, 1, 1), date(2027, 12, 31))
    rows = copy.plan_courses.order_by("position")
    assert [(row.position, row.kind) for row in rows] == [
        (1, "compulsory"),
        (2, "elective"),
    ]
    assert copy.price_fen == 3300
    [price] = copy.prices.all()
    assert (price.valid_from, price.set_by) == (date(2026, 6, 15), staff)
    assert price.reason == "沿用 2026 年度计划的价格"
    entry = AuditEntry.objects.order_by("position").last()
    assert (entry.action, entry.target) == ("catalog.plan_copied", "plan:gx-2027-2")
    assert entry.detail == {"from": "gx-2026-2"}


def test_the_price_is_the_one_of_today(plan, staff, now):
    set_plan_price(
        plan_id=plan.pk,
        valid_from=date(2026, 7, 1),
        pricing="flat",
        unit_price_fen=9900,
        reason="新通知",
        actor=staff,
        now=now,
    )

    copy = copy_plan(plan_id=plan.pk, actor=staff, now=now)

    assert [price.unit_price_fen for price in copy.prices.all()] == [110]


def test_a_plan_without_a_price(staff, now):
    plan = PlanFactory(code="p", unit_price_fen=0)

    copy = copy_plan(plan_id=plan.pk, actor=staff, now=now)

    assert (copy.code, copy.prices.count()) == ("p-2027", 0)


def test_only_once(plan, staff, now):
    copy_plan(plan_id=plan.pk, actor=staff, now=now)
    counts = [each.objects.count() for each in (Plan, PlanCourse, PlanPrice)]

    with pytest.raises(PlanExistsError, match="计划编号 gx-2027-2 已存在"):
        copy_plan(plan_id=plan.pk, actor=staff, now=now)

    assert [each.objects.count() for each in (Plan, PlanCourse, PlanPrice)] == counts


def test_in_the_staff_site(client_of, staff, plan):
    client = client_of(staff)
    page = reverse("admin:catalog_plan_copy", args=[plan.pk])
    change = reverse("admin:catalog_plan_change", args=[plan.pk])
    assert page in client.get(change).content.decode()

    assert "gx-2027-2" in client.get(page).content.decode()
    assert Plan.objects.count() == 1
    response = client.post(page)

    copy = Plan.objects.get(year=2027)
    assert response.url == reverse("admin:catalog_plan_change", args=[copy.pk])
    assert "不能重复复制" in client.get(page).content.decode()
    refused = client.post(page, follow=True)
    assert "不能重复复制" in refused.content.decode()
    assert Plan.objects.count() == 2


def test_not_by_who_may_not_add_plans(client_of, plan):
    viewer = UserFactory(staff=True)
    for name in ("view_plan", "change_plan", "add_planprice"):
        viewer.user_permissions.add(Permission.objects.get(codename=name))
    client = client_of(viewer)
    page = reverse("admin:catalog_plan_copy", args=[plan.pk])
    change = reverse("admin:catalog_plan_change", args=[plan.pk])

    assert page not in client.get(change).content.decode()
    assert client.get(page).status_code == client.post(page).status_code == 403
    assert Plan.objects.count() == 1
