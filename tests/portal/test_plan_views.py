"""The pages of plans and courses: what they show to whom, and what they cost."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.services.second_factor import enrol_device
from catalog.models import FieldOfStudy, Plan, PlanCourse
from learning.models import Enrolment
from orders.models import Order
from portal.plan_views import choose_action
from tests.accounts.test_second_factor import SECRET, code_at
from tests.factories.catalog import (
    PlanCourseFactory,
    PlanFactory,
    make_course,
    make_plan,
)
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import OrderFactory, OrderLineFactory

pytestmark = pytest.mark.django_db

# The rows of `PlanFactory` are on sale and open all of 2026.
TODAY = date(2026, 6, 15)


@pytest.fixture
def visitor() -> Client:
    return Client()


def page(client: Client, name: str, *args: str, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


# --- List ----------------------------------------------------------
def test_list_opens_at_the_newest_year(visitor: Client) -> None:
    new, old = PlanFactory(year=2026), PlanFactory(year=2020)

    html = page(visitor, "plan-list", subject="general")

    assert new.title in html
    assert old.title not in html
    assert "year=2020" in html


def test_list_of_a_year_and_a_subject(visitor: Client) -> None:
    general, professional = PlanFactory(), PlanFactory(professional=True)

    html = page(visitor, "plan-list", subject="professional", year="2026")

    assert professional.title in html
    assert general.title not in html


def test_list_without_subject_shows_both(visitor: Client) -> None:
    general, professional = PlanFactory(), PlanFactory(professional=True)

    html = page(visitor, "plan-list", year="2026")

    assert general.title in html
    assert professional.title in html


def test_list_of_a_field(visitor: Client) -> None:
    engineering = PlanFactory(professional=True)
    education = PlanFactory(professional=True, field=FieldOfStudy.EDUCATION)

    html = page(visitor, "plan-list", subject="professional", field="education")

    assert education.title in html
    assert engineering.title not in html
    assert "工程建设" in html


def test_list_ignores_what_does_not_exist(visitor: Client) -> None:
    plan = PlanFactory()

    html = page(
        visitor, "plan-list", subject="nonsense", year="1999", field="x", page="99"
    )

    assert plan.title in html


def test_list_without_plans(visitor: Client) -> None:
    assert "没有符合条件的培训项目" in page(visitor, "plan-list", subject="general")


def test_list_hides_drafts(visitor: Client) -> None:
    draft = PlanFactory(is_published=False)
    PlanFactory()

    assert draft.title not in page(visitor, "plan-list")


def test_list_marks_what_the_person_holds(client_of: Any, owner: Any) -> None:
    held, revoked = PlanFactory(), PlanFactory()
    EnrolmentFactory(person=owner, plan=held)
    EnrolmentFactory(person=owner, plan=revoked, revoked=True)

    html = page(client_of(owner), "plan-list")

    assert reverse("learning:course-list", args=[held.code]) in html
    assert reverse("learning:course-list", args=[revoked.code]) not in html


# --- Plan ----------------------------------------------------------
def test_plan_page_says_hours_price_and_rule(visitor: Client) -> None:
    plan = make_plan()

    html = page(visitor, "plan-detail", plan.code)

    assert "30 学时" in html
    assert "33.00 元（1.10 元/学时 × 30 学时）" in html
    assert "修满 <b>30 学分</b>，课程自主选择" in html
    assert "2026年1月1日" in html
    assert "6 门 · 30 学分" in html


def test_plan_page_shows_courses_with_lecturer_and_chapters(visitor: Client) -> None:
    plan = make_plan(courses=1, chapters=3)
    course = plan.courses.get()

    html = page(visitor, "plan-detail", plan.code)

    assert course.title in html
    assert course.lecturer.name in html
    assert "5 学分" in html
    assert "3 章 · 45 秒" in html
    assert reverse("course-detail", args=[plan.code, course.code]) in html


def test_plan_page_is_paged_by_twelve(visitor: Client) -> None:
    plan = make_plan(courses=13)

    first = page(visitor, "plan-detail", plan.code)
    second = page(visitor, "plan-detail", plan.code, page="2")

    assert first.count('class="course-card"') == 12
    assert second.count('class="course-card"') == 1
    assert "第 2 / 2 页" in second


def test_plan_page_has_tabs_where_there_are_both_kinds(visitor: Client) -> None:
    plan = make_plan(courses=2, compulsory_credits=5, elective_credits=5)
    compulsory, elective = plan.plan_courses.order_by("position")
    PlanCourse.objects.filter(pk=compulsory.pk).update(kind="compulsory")

    html = page(visitor, "plan-detail", plan.code, kind="compulsory")

    assert compulsory.course.title in html
    assert elective.course.title not in html
    assert "其中必修不少于 5 学分、选修不少于 5 学分" in html
    assert 'class="tabs"' in html


def test_plan_page_without_tabs_where_there_is_one_kind(visitor: Client) -> None:
    assert 'class="tabs"' not in page(visitor, "plan-detail", make_plan().code)


def test_draft_is_not_found(visitor: Client, client_of: Any, owner: Any) -> None:
    draft = make_plan(is_published=False)

    for client in (visitor, client_of(owner)):
        response = client.get(reverse("plan-detail", args=[draft.code]))
        assert response.status_code == 404


def test_draft_is_a_preview_for_staff(client_of: Any, staff: Any) -> None:
    draft = make_plan(is_published=False)

    html = page(client_of(staff), "plan-detail", draft.code)

    assert "草稿预览" in html
    assert reverse("orders:checkout", args=[draft.code]) not in html


def test_a_draft_wants_what_the_staff_site_wants(
    settings: Any, time_machine: Any, now: Any, client_of: Any, staff: Any
) -> None:
    settings.STAFF_TOTP = True
    time_machine.move_to(now, tick=False)
    plan = make_plan(is_published=False, courses=1)
    course = plan.courses.get()
    pages = (
        reverse("plan-detail", args=[plan.code]),
        reverse("course-detail", args=[plan.code, course.code]),
    )
    before = now - timedelta(days=1)
    enrol_device(person=staff, secret=SECRET, code=code_at(before), now=before)
    desk = client_of(staff)

    assert [desk.get(page).status_code for page in pages] == [404, 404]
    desk.post(reverse("admin:second-factor"), {"code": code_at(now)})
    assert [desk.get(page).status_code for page in pages] == [200, 200]

    User.objects.filter(pk=staff.pk).update(
        password_changed_at=now - timedelta(days=90)
    )
    assert [desk.get(page).status_code for page in pages] == [404, 404]


# --- What can be done ----------------------------------------------------------
def test_words_of_entry_one() -> None:
    action = choose_action(PlanFactory(code="gx"), None, None, TODAY)

    assert (action.label, action.url) == ("立即购买", "/orders/new/gx/")


def test_words_of_entry_two() -> None:
    action = choose_action(PlanFactory(code="gx", entry_two=True), None, None, TODAY)

    assert (action.label, action.url) == ("报名", "/orders/new/gx/")


@pytest.mark.parametrize(("entry", "label"), [(1, "进入学习"), (2, "去学习")])
def test_holder_goes_on_studying(entry: int, label: str) -> None:
    plan = PlanFactory(code="gx", entry=Plan.Entry(entry))
    enrolment = EnrolmentFactory(plan=plan)

    action = choose_action(plan, enrolment, None, TODAY)

    assert (action.label, action.url) == (label, "/training/gx/")


def test_revoked_holder_is_told_so() -> None:
    plan = PlanFactory()

    action = choose_action(plan, EnrolmentFactory(plan=plan, revoked=True), None, TODAY)

    assert action.url == ""
    assert "已撤销" in action.note


@pytest.mark.parametrize(
    ("day", "note"),
    [(date(2025, 12, 31), "2026-01-01 开始报名"), (date(2027, 1, 1), "报名已结束")],
)
def test_outside_the_sale_window(day: date, note: str) -> None:
    action = choose_action(PlanFactory(), None, None, day)

    assert (action.url, action.note) == ("", note)


def test_unpaid_order_leads_to_its_page(client_of: Any, owner: Any) -> None:
    plan = make_plan()
    order = OrderFactory(buyer=owner)
    OrderLineFactory(order=order, person=owner, plan=plan)

    html = page(client_of(owner), "plan-detail", plan.code)

    assert "去支付" in html
    assert reverse("orders:detail", args=[order.number]) in html
    assert reverse("orders:checkout", args=[plan.code]) not in html


def test_order_of_a_coordinator_is_not_shown(
    client_of: Any, owner: Any, coordinator: Any
) -> None:
    plan = make_plan()
    order = OrderFactory(buyer=coordinator, kind=Order.Kind.GROUP)
    OrderLineFactory(order=order, person=owner, plan=plan)

    html = page(client_of(owner), "plan-detail", plan.code)

    assert "单位正在为您购买该培训项目" in html
    assert order.number not in html


def test_holder_sees_progress_on_the_plan(client_of: Any, owner: Any) -> None:
    plan = make_plan()
    EnrolmentFactory(person=owner, plan=plan, percent=40)

    html = page(client_of(owner), "plan-detail", plan.code)

    assert "计划完成度 <b>40%</b>" in html
    assert "学习中" in html


def test_finished_plan_says_so(client_of: Any, owner: Any) -> None:
    plan = make_plan()
    EnrolmentFactory(person=owner, plan=plan, completed=True)
    assert Enrolment.objects.get().state == Enrolment.State.COMPLETED

    assert "已结业" in page(client_of(owner), "plan-detail", plan.code)


# --- Course ----------------------------------------------------------
def test_course_page_lists_chapters_and_the_lecturer(visitor: Client) -> None:
    plan = PlanFactory()
    course = make_course(chapters=2, summary="课程简介文字")
    PlanCourseFactory(plan=plan, course=course)

    html = page(visitor, "course-detail", plan.code, course.code)

    for chapter in course.chapters.all():
        assert chapter.title in html
    assert "课程简介文字" in html
    assert course.lecturer.organisation in html
    assert "30 秒" in html


def test_course_page_of_a_holder_leads_to_the_player(
    client_of: Any, owner: Any
) -> None:
    plan = make_plan(courses=1)
    course = plan.courses.get()
    EnrolmentFactory(person=owner, plan=plan)

    html = page(client_of(owner), "course-detail", plan.code, course.code)

    assert reverse("learning:player", args=[plan.code, course.code]) in html


def test_course_of_another_plan_is_not_found(visitor: Client) -> None:
    plan, course = make_plan(), make_course()

    response = visitor.get(reverse("course-detail", args=[plan.code, course.code]))

    assert response.status_code == 404


def test_a_change_of_a_published_plan_shows_after_half_a_minute(
    visitor: Client, now: Any
) -> None:
    plan = make_plan(courses=1)
    page(visitor, "plan-detail", plan.code)
    late = PlanCourseFactory(plan=plan, course=make_course(title="后来添加的课程"))

    assert late.course.title not in page(visitor, "plan-detail", plan.code)
    caches["default"].clear()
    assert late.course.title in page(visitor, "plan-detail", plan.code)


def test_a_change_of_a_draft_shows_at_once(client_of: Any, staff: Any) -> None:
    plan = make_plan(courses=1)
    Plan.objects.update(is_published=False)
    client = client_of(staff)
    page(client, "plan-detail", plan.code)
    course = plan.courses.get()
    course.title = "改过的课程名称"
    course.save()

    assert "改过的课程名称" in page(client, "plan-detail", plan.code)


# --- Cost ----------------------------------------------------------
@pytest.mark.parametrize("rows", [1, 30])
def test_pages_cost_the_same_whatever_the_rows(
    rows: int, client_of: Any, owner: Any, django_assert_num_queries: Any
) -> None:
    plan = make_plan(courses=rows, chapters=2)
    for _ in range(rows):
        EnrolmentFactory(person=owner, plan=PlanFactory(is_published=False))
        PlanFactory()
    client = client_of(owner)
    course = plan.courses.order_by("pk")[0]

    with django_assert_num_queries(5):  # session, person, years, plans, holdings
        page(client, "plan-list")
    # session, person, plan, offer, enrolment, order line
    with django_assert_num_queries(6):
        page(client, "plan-detail", plan.code)
    # session, person, plan, course, chapters, enrolment, order line
    with django_assert_num_queries(7):
        page(client, "course-detail", plan.code, course.code)


@pytest.mark.parametrize(
    ("fields", "is_offered"),
    [
        ({"year": 2019, "accepts_claims": True}, True),
        ({"year": 2019, "accepts_claims": False}, False),
        ({"year": 2999, "accepts_claims": True}, False),
    ],
)
def test_past_plan_leads_to_the_vouchers(
    visitor: Client, fields: dict[str, object], is_offered: bool
) -> None:
    plan = PlanFactory(**fields)

    html = visitor.get(reverse("plan-detail", args=[plan.code])).content.decode()

    assert ("已在其他平台缴费？" in html) == is_offered
