"""我的学时: the figures, the next steps, the queries, and nothing of anybody else."""

from datetime import UTC, date

import pytest
from django.urls import reverse

from accounts.models import Profile
from catalog.models import Subject
from certificates.models import Certificate
from learning.models import Enrolment
from portal.my_hours import Step, get_my_hours
from portal.queries import get_space
from tests.clock import at
from tests.factories.catalog import CourseFactory, PlanFactory
from tests.factories.learning import (
    ChapterProgressFactory,
    CourseCompletionFactory,
    EnrolmentFactory,
)
from tests.factories.unit_hours import UnitHoursFactory

pytestmark = pytest.mark.django_db
PAGE = reverse("my-hours")
GENERAL, PROFESSIONAL = Subject.GENERAL, Subject.PROFESSIONAL


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)


def learn(person, subject, earned, *, year=2026, hours=60, completed=False, **plan):
    plan = {"training_end": date(2026, 12, 31)} | plan
    state = {"completed": True} if completed else {}
    return EnrolmentFactory(
        person=person,
        plan=PlanFactory(
            year=year, subject=subject, hours=hours, required_credits=hours, **plan
        ),
        elective_earned=earned,
        **state,
    )


def figures(hours, year=2026):
    row = next(each for each in hours.years if each.year == year)
    return [(each.done, each.missing, each.counted) for each in row.subjects]


# --- Figures -----------------------------------------------------------------------------
def test_every_year_since_2011_newest_first(owner, now):
    hours = get_my_hours(owner, now=now)

    assert [each.year for each in hours.years] == list(range(2026, 2010, -1))
    assert figures(hours) == [(0, 30, 0), (0, 60, 0)]
    assert (hours.this_year.required, hours.this_year.missing) == (90, 90)


@pytest.mark.parametrize(
    ("moment", "year"), [("2026-12-31 23:59", 2026), ("2027-01-01 00:01", 2027)]
)
def test_the_year_turns_at_midnight_here_and_not_in_london(owner, moment, year):
    hours = get_my_hours(owner, now=at(moment).astimezone(UTC))

    assert hours.this_year.year == year


def test_plans_and_hours_of_the_unit_add_up(owner, stranger, now):
    learn(owner, GENERAL, 34, hours=30)
    learn(owner, PROFESSIONAL, 40)
    learn(owner, PROFESSIONAL, 7, year=2025)
    revoked = learn(owner, PROFESSIONAL, 50)
    Enrolment.objects.filter(pk=revoked.pk).update(state="revoked")
    learn(stranger, PROFESSIONAL, 60)
    UnitHoursFactory(person=owner, hours=8)
    UnitHoursFactory(person=owner, hours=16, state="passed", year=2025)
    for state in ("rejected", "withdrawn"):
        UnitHoursFactory(person=owner, hours=20, state=state)
    UnitHoursFactory(person=stranger, hours=20)

    hours = get_my_hours(owner, now=now)

    assert figures(hours) == [(30, 0, 30), (48, 12, 48)]
    assert figures(hours, 2025) == [(0, 30, 0), (23, 37, 23)]
    assert len(hours.this_year.records) == 3


def test_more_than_the_duty_is_shown_and_fills_nothing_else(owner, now):
    learn(owner, GENERAL, 30, hours=30)
    learn(owner, GENERAL, 20, hours=30)

    hours = get_my_hours(owner, now=now)

    assert figures(hours) == [(50, 0, 30), (0, 60, 0)]
    assert (hours.this_year.counted, hours.this_year.missing) == (30, 60)


def test_a_course_of_two_plans_counts_once(owner, now):
    course = CourseFactory(credits=5)
    for _ in range(2):
        enrolment = learn(owner, PROFESSIONAL, 30)
        CourseCompletionFactory(enrolment=enrolment, course=course)

    assert figures(get_my_hours(owner, now=now))[1] == (55, 5, 55)
    assert get_space(owner, now=now).duties[1].done == 55


def test_the_start_page_shows_the_same_figure(owner, now):
    learn(owner, PROFESSIONAL, 40)
    UnitHoursFactory(person=owner, hours=8)

    assert get_space(owner, now=now).duties[1].done == 48


# --- Next steps --------------------------------------------------------------------------
def steps(person, subject, year=2026, *, now):
    row = next(y for y in get_my_hours(person, now=now).years if y.year == year)
    return next(each for each in row.subjects if each.subject == subject).steps


def test_nothing_to_do_when_nothing_is_missing(owner, now):
    learn(owner, GENERAL, 30, hours=30)
    PlanFactory(subject=GENERAL)

    assert steps(owner, GENERAL, now=now) == []


def test_what_is_held_is_studied_first(owner, now):
    plan = learn(owner, GENERAL, 10, hours=30, title="公需甲", code="g26").plan
    PlanFactory(subject=GENERAL)

    assert steps(owner, GENERAL, now=now) == [
        Step(
            "学习《公需甲》",
            reverse("learning:course-list", args=[plan.code]),
            "请在 2026-12-31 前学完",
        )
    ]


def test_the_course_watched_last_goes_on(owner, now):
    enrolment = learn(owner, GENERAL, 10, hours=30, code="g26")
    progress = ChapterProgressFactory(enrolment=enrolment)
    course = progress.chapter.course

    [step] = steps(owner, GENERAL, now=now)

    assert step.text == f"继续学习《{course.title}》"
    assert step.url == reverse("learning:player", args=["g26", course.code])


def test_what_is_held_does_not_suffice(owner, now):
    learn(owner, PROFESSIONAL, 0, hours=10)
    offer = PlanFactory(professional=True, title="专业乙")

    found = steps(owner, PROFESSIONAL, now=now)

    assert [step.url for step in found][1] == reverse("plan-detail", args=[offer.code])
    assert found[1].text == "选购《专业乙》"
    assert found[1].note == "报名截至 2026-12-31"


def test_several_offers_lead_to_the_list(owner, now):
    PlanFactory.create_batch(2, subject=GENERAL, year=2024)

    [step] = steps(owner, GENERAL, 2024, now=now)

    assert step.text == "补学公需科目（2 个项目可选）"
    assert step.url == f"{reverse('plan-list')}?subject=general&year=2024"


def test_what_cannot_be_bought_today_is_not_offered(owner, now):
    PlanFactory(subject=GENERAL, is_published=False)
    PlanFactory(subject=GENERAL, sale_end=date(2026, 6, 14))
    PlanFactory(subject=GENERAL, sale_start=date(2026, 6, 16))
    # Finished, so there is nothing more to get from it.
    learn(owner, GENERAL, 10, hours=10, completed=True)

    assert [step.url for step in steps(owner, GENERAL, now=now)] == [""]
    assert steps(owner, GENERAL, 2013, now=now) == [
        Step("2013 年度公需科目目前没有开放补学的项目")
    ]


def test_a_training_period_over_is_no_next_step(owner, now):
    learn(owner, GENERAL, 10, year=2025, training_end=date(2026, 6, 14))

    assert steps(owner, GENERAL, 2025, now=now) == [
        Step("2025 年度公需科目目前没有开放补学的项目")
    ]


def test_a_training_to_come_says_when(owner, now):
    learn(owner, GENERAL, 0, hours=30, title="公需丙", training_start=date(2026, 7, 1))

    assert steps(owner, GENERAL, now=now) == [Step("《公需丙》2026-07-01 开始培训")]


# --- The page ----------------------------------------------------------------------------
def fill(owner, count):
    for number in range(count):
        done = learn(owner, PROFESSIONAL, 60, completed=True, year=2026 - number % 15)
        Certificate.objects.create(
            number=f"N{number}",
            enrolment=done,
            person=owner,
            issued_at=at("2026-01-02 10:00"),
        )
        learn(owner, GENERAL, 30, completed=True)
        ChapterProgressFactory(enrolment=learn(owner, GENERAL, 3))
        UnitHoursFactory(person=owner)
        PlanFactory(year=2026 - number % 15)


@pytest.mark.parametrize(("count", "queries"), [(0, 7), (1, 8), (20, 8)])
def test_the_same_queries_for_any_number_of_rows(
    client_of, owner, django_assert_num_queries, count, queries
):
    fill(owner, count)
    client = client_of(owner)

    with django_assert_num_queries(queries):
        response = client.get(PAGE)

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_visitors_log_in_first(client):
    assert client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"


def test_the_unit_the_state_and_the_reason_are_shown(client_of, owner, stranger):
    row = UnitHoursFactory(
        person=owner, state="rejected", state_reason="签到表不符", content="审计实务"
    )
    UnitHoursFactory(person=stranger, content="别人的培训")

    html = client_of(owner).get(PAGE).content.decode()

    for text in ("审计实务", row.unit.name, "不予认可", "签到表不符", row.code):
        assert text in html
    assert reverse("support:conversation") in html
    assert "别人的培训" not in html


def test_certificates_and_what_they_wait_for(client_of, owner):
    done = learn(owner, GENERAL, 30, hours=30, completed=True)
    client = client_of(owner)
    assert "打印证书" in client.get(PAGE).content.decode()

    Profile.objects.filter(person=owner).update(series="")
    assert "完善信息后打印" in client.get(PAGE).content.decode()

    Certificate.objects.create(
        number="N1", enrolment=done, person=owner, issued_at=at("2026-01-02 10:00")
    )
    html = client.get(PAGE).content.decode()
    assert reverse("certificates:detail", args=["N1"]) in html
    assert "完善信息后打印" not in html
