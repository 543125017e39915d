from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Profile
from catalog.models import Plan, Subject
from certificates.models import Certificate
from orders.models import InvoiceRequest, Order
from portal.hints import list_hints
from portal.queries import get_space
from tests.clock import at
from tests.factories.catalog import PlanFactory
from tests.factories.learning import ChapterProgressFactory, EnrolmentFactory
from tests.factories.orders import OrderFactory, OrderLineFactory

pytestmark = pytest.mark.django_db
# Session, user, enrolments, repeated courses, hours of units, last chapter, orders, invoices;
# and the profile where a certificate waits for it. The budget is 12.
SPACE_QUERIES = 8


def make_plan(subject: Subject, year: int = 2026, hours: int = 30) -> Plan:
    plan: Plan = PlanFactory(
        subject=subject, year=year, hours=hours, required_credits=hours
    )
    return plan


def certify(enrolment: Any, number: str, now: datetime) -> Certificate:
    return Certificate.objects.create(
        number=number, enrolment=enrolment, person=enrolment.person, issued_at=now
    )


def fill(owner: Any, count: int, now: datetime) -> None:
    for number in range(count):
        open_one = EnrolmentFactory(person=owner, plan=PlanFactory())
        ChapterProgressFactory(enrolment=open_one)
        done = EnrolmentFactory(person=owner, plan=PlanFactory(), completed=True)
        certify(done, f"N{number}", now)
        EnrolmentFactory(person=owner, plan=PlanFactory(), completed=True)
        order = OrderFactory(buyer=owner, expires_at=now + timedelta(minutes=20))
        OrderLineFactory(order=order)
        OrderFactory(buyer=owner, paid=True)


@pytest.mark.parametrize(
    ("count", "queries"),
    [(0, SPACE_QUERIES), (1, SPACE_QUERIES + 1), (12, SPACE_QUERIES + 1)],
)
def test_the_space_takes_the_same_queries_for_any_number_of_rows(
    owner: Any,
    client_of: Callable[[Any], Client],
    django_assert_num_queries: DjangoAssertNumQueries,
    now: datetime,
    count: int,
    queries: int,
) -> None:
    fill(owner, count, now)
    client = client_of(owner)

    with time_machine.travel(now, tick=False), django_assert_num_queries(queries):
        response = client.get(reverse("dashboard"))

    assert response.status_code == 200


def test_a_visitor_is_sent_to_the_login(client: Client) -> None:
    response = client.get(reverse("dashboard"))

    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/space/"


def test_the_page_is_not_kept_by_browsers(
    owner: Any, client_of: Callable[[Any], Client]
) -> None:
    response = client_of(owner).get(reverse("dashboard"))

    assert "no-store" in response["Cache-Control"]


def test_hours_of_the_year_are_added_up_by_subject(owner: Any, now: datetime) -> None:
    EnrolmentFactory(
        person=owner, plan=make_plan(Subject.GENERAL), compulsory_earned=18
    )
    for earned in (10, 12):
        EnrolmentFactory(
            person=owner,
            plan=make_plan(Subject.PROFESSIONAL, hours=60),
            elective_earned=earned,
        )
    EnrolmentFactory(
        person=owner, plan=make_plan(Subject.GENERAL, year=2025), elective_earned=30
    )

    space = get_space(owner, now=now)

    general, professional = space.duties
    assert (general.done, general.missing) == (18, 12)
    assert (professional.done, professional.missing) == (22, 38)
    assert (space.counted_hours, space.required_hours) == (40, 90)


def test_a_plan_gives_no_more_hours_than_it_has(owner: Any, now: datetime) -> None:
    plan = make_plan(Subject.GENERAL, hours=30)
    EnrolmentFactory(person=owner, plan=plan, elective_earned=34)

    general = get_space(owner, now=now).duties[0]

    assert (general.done, general.missing, general.counted) == (30, 0, 30)


def test_hours_beyond_the_duty_do_not_fill_the_other_subject(
    owner: Any, now: datetime
) -> None:
    for _ in range(3):
        plan = make_plan(Subject.GENERAL, hours=30)
        EnrolmentFactory(person=owner, plan=plan, elective_earned=30)

    space = get_space(owner, now=now)

    assert space.duties[0].done == 90
    assert space.counted_hours == 30


def test_nothing_of_another_person_is_counted(
    owner: Any, stranger: Any, now: datetime
) -> None:
    fill(stranger, 2, now)

    space = get_space(owner, now=now)

    assert space.counted_hours == 0
    assert (space.studying, space.certified, space.awaiting_certificate) == ([], [], [])
    assert (space.pending_orders, space.invoices) == ([], [])
    assert (space.last_chapter, space.uninvoiced_count) == (None, 0)


def test_revoked_enrolments_are_not_shown(owner: Any, now: datetime) -> None:
    EnrolmentFactory(person=owner, revoked=True, elective_earned=30)

    assert get_space(owner, now=now).studying == []


def test_the_chapter_watched_last_is_offered(owner: Any, now: datetime) -> None:
    enrolment = EnrolmentFactory(person=owner)
    ChapterProgressFactory(enrolment=enrolment, updated_at=now - timedelta(days=1))
    last = ChapterProgressFactory(enrolment=enrolment, updated_at=now)

    found = get_space(owner, now=now).last_chapter
    assert found is not None
    assert (found.plan_code, found.course_code, found.position, found.title) == (
        enrolment.plan.code,
        last.chapter.course.code,
        last.chapter.position,
        last.chapter.title,
    )


def test_a_finished_plan_is_not_offered_for_going_on(owner: Any, now: datetime) -> None:
    ChapterProgressFactory(enrolment=EnrolmentFactory(person=owner, completed=True))

    assert get_space(owner, now=now).last_chapter is None


def test_orders_that_ran_out_or_are_settled_are_not_to_pay(
    owner: Any, now: datetime
) -> None:
    waiting = OrderFactory(buyer=owner, expires_at=now + timedelta(seconds=1))
    OrderFactory(buyer=owner, expires_at=now)
    OrderFactory(buyer=owner, paid=True)
    OrderFactory(buyer=owner, cancelled=True)

    pending = get_space(owner, now=now).pending_orders
    assert [order.number for order in pending] == [waiting.number]


def test_an_invoice_is_missing_only_in_the_year_of_payment(owner: Any) -> None:
    paid_at = at("2025-12-31 23:59")
    OrderFactory(buyer=owner, paid=True, paid_at=paid_at)

    assert get_space(owner, now=at("2025-12-31 23:59")).uninvoiced_count == 1
    assert get_space(owner, now=at("2026-01-01 00:00")).uninvoiced_count == 0


def test_an_order_with_a_request_misses_no_invoice(owner: Any, now: datetime) -> None:
    order = OrderFactory(buyer=owner, paid=True)
    InvoiceRequest.objects.create(
        order=order, buyer_kind="person", title="赵一", requested_at=now
    )

    assert get_space(owner, now=now).uninvoiced_count == 0


def test_the_next_steps_come_in_order_of_urgency(owner: Any, now: datetime) -> None:
    fill(owner, 1, now)

    hints = list_hints(get_space(owner, now=now))

    assert [hint.action for hint in hints] == ["去支付", "打印证书", "申请开票"]
    number = Order.objects.get(state=Order.State.PENDING).number
    assert hints[0].url == reverse("orders:detail", args=[number])


def test_an_incomplete_profile_comes_before_the_certificate(
    owner: Any, now: datetime
) -> None:
    EnrolmentFactory(person=owner, completed=True)
    Profile.objects.filter(person=owner).update(series="")

    hints = list_hints(get_space(owner, now=now))

    assert [hint.action for hint in hints] == ["完善信息"]


def test_someone_new_is_led_to_the_plans(
    owner: Any, client_of: Callable[[Any], Client], now: datetime
) -> None:
    with time_machine.travel(now, tick=False):
        html = client_of(owner).get(reverse("dashboard")).content.decode()

    assert list_hints(get_space(owner, now=now)) == []
    assert "/plans/?subject=general&amp;year=2026" in html
    assert "还没有开通培训项目" in html


def test_the_greeting_names_the_person_and_the_day_in_chongqing(
    owner: Any, client_of: Callable[[Any], Client]
) -> None:
    with time_machine.travel(at("2027-01-01 00:30"), tick=False):
        html = client_of(owner).get(reverse("dashboard")).content.decode()

    assert "赵一，您好" in html
    assert "2027年1月1日，星期五" in html
    assert "2027 年度学时" in html


def test_open_sale_dates_do_not_matter_for_what_is_held(
    owner: Any, now: datetime
) -> None:
    plan = PlanFactory(sale_start=date(2020, 1, 1), sale_end=date(2020, 12, 31))
    enrolment = EnrolmentFactory(person=owner, plan=plan)

    held = get_space(owner, now=now).studying
    assert [row.code for row in held] == [enrolment.plan.code]
