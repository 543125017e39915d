from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from catalog import queries
from catalog.errors import (
    CourseNotFoundError,
    PlanNotFoundError,
    VideoLinkExpiredError,
    VideoNotFoundError,
)
from catalog.models import FieldOfStudy, Plan, PlanCourse, Subject
from catalog.rules import CreditSum
from tests.factories.catalog import (
    ChapterFactory,
    CourseFactory,
    PlanCourseFactory,
    PlanFactory,
    PlanPriceFactory,
    VideoFactory,
    make_course,
    make_plan,
)

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 15)


def test_plans_are_published_ones_in_order() -> None:
    two = PlanFactory(entry_two=True)
    one = PlanFactory()
    old = PlanFactory(year=2020)
    professional = PlanFactory(professional=True)
    PlanFactory(is_published=False)

    assert list(queries.list_plans(day=DAY, subject=Subject.GENERAL)) == [one, two, old]
    assert list(queries.list_plans(day=DAY, year=2026)) == [one, two, professional]
    assert list(
        queries.list_plans(day=DAY, subject=Subject.GENERAL, year=2020, field="")
    ) == [old]
    assert list(queries.list_plans(day=DAY, field=FieldOfStudy.ENGINEERING)) == [
        professional
    ]


def test_years_of_each_subject(django_assert_num_queries: Any) -> None:
    for year in (2011, 2026, 2020, 2026):
        PlanFactory(year=year)
    PlanFactory(professional=True, year=2025)
    PlanFactory(year=2019, is_published=False)

    with django_assert_num_queries(1):
        years = queries.list_plan_years()

    assert years == {"general": [2026, 2020, 2011], "professional": [2025]}


def test_drafts_are_for_staff_only() -> None:
    draft = PlanFactory(is_published=False)

    assert queries.get_plan_for_staff(draft.code, day=DAY) == draft
    with pytest.raises(PlanNotFoundError):
        queries.get_plan(draft.code, day=DAY)
    with pytest.raises(PlanNotFoundError):
        queries.get_plan_for_staff("none", day=DAY)


def test_offer_holds_the_courses_in_order_with_counts(
    django_assert_num_queries: Any,
) -> None:
    plan = PlanFactory()
    second = PlanCourseFactory(plan=plan, course=make_course(chapters=2), position=2)
    first = PlanCourseFactory(plan=plan, course=make_course(chapters=3), position=1)
    bare = PlanCourseFactory(plan=plan, course=CourseFactory(), position=3)

    with django_assert_num_queries(1):
        courses = queries.read_plan_offer(plan.pk).courses

    rows = [first, second, bare]
    assert [each.code for each in courses] == [row.course.code for row in rows]
    assert [each.lecturer_name for each in courses] == [
        row.course.lecturer.name for row in rows
    ]
    assert [each.chapter_count for each in courses] == [3, 2, 0]
    assert [each.duration_ms for each in courses] == [45_000, 30_000, 0]
    assert courses[0].field_label == first.course.get_field_display()
    assert courses[0].kind_label == first.get_kind_display()


def test_offer_counts_either_kind(django_assert_num_queries: Any) -> None:
    plan = make_plan(courses=2)
    compulsory = PlanCourseFactory(
        plan=plan, course=make_course(credits=20), kind=PlanCourse.Kind.COMPULSORY
    )

    with django_assert_num_queries(1):
        offer = queries.read_plan_offer(plan.pk)

    assert offer.credits == CreditSum(compulsory=20, elective=10)
    assert (offer.compulsory_count, offer.elective_count) == (1, 2)
    assert offer.course_count == len(offer.of_kind("")) == 3
    assert [each.code for each in offer.of_kind("compulsory")] == [
        compulsory.course.code
    ]
    assert len(offer.of_kind("elective")) == 2
    assert offer.has_both_kinds


def test_offer_of_an_empty_plan() -> None:
    offer = queries.read_plan_offer(PlanFactory().pk)

    assert offer.credits.total == 0
    assert not offer.has_both_kinds


def test_recalled_offer_is_read_once(django_assert_num_queries: Any) -> None:
    plan, other = make_plan(courses=2), make_plan(courses=1)

    with django_assert_num_queries(2):
        offers = [queries.recall_plan_offer(plan.pk) for _ in range(3)]
        assert queries.recall_plan_offer(other.pk).course_count == 1

    assert offers == [queries.read_plan_offer(plan.pk)] * 3


def test_course_outside_the_plan_is_not_found() -> None:
    plan = make_plan(courses=1)
    held = plan.plan_courses.get()

    assert queries.get_plan_course(plan, held.course.code) == held
    with pytest.raises(CourseNotFoundError):
        queries.get_plan_course(plan, make_course().code)


def test_facts_name_chapters_that_cannot_be_played() -> None:
    course = make_course(chapters=1)
    ChapterFactory(course=course, position=3, title="没有视频", video=None)
    ChapterFactory(
        course=course, position=2, title="等待", video=VideoFactory(waiting=True)
    )

    facts = queries.read_course_facts(course)

    assert facts.chapter_count == 3
    assert facts.unplayable == ["等待", "没有视频"]


def test_waiting_videos_are_those_without_a_living_worker(now: Any) -> None:
    minute = timedelta(minutes=1)
    abandoned = VideoFactory(waiting=True, lease_until=now - minute, created_at=now)
    fresh = VideoFactory(waiting=True, created_at=now - minute)
    VideoFactory(waiting=True, lease_until=now + minute)
    VideoFactory()
    VideoFactory(failed=True)

    assert list(queries.list_waiting_videos(now)) == [fresh, abandoned]


def token_of(url: str) -> str:
    return url.split("/")[2]


def test_signed_address_lasts_two_hours_and_stays_the_same_within_one(
    now: Any, owner: Any
) -> None:
    video = VideoFactory()
    url = queries.signed_video_url(video, owner, now)

    assert queries.signed_video_url(video, owner, now + timedelta(minutes=30)) == url
    later = now + timedelta(hours=2)
    ticket = queries.read_ticket(token_of(url), owner, later)
    assert (ticket.person_id, ticket.video_id) == (owner.pk, video.pk)
    assert later < ticket.ends_at <= now + timedelta(hours=3)
    with pytest.raises(VideoLinkExpiredError):
        queries.read_ticket(token_of(url), owner, ticket.ends_at)


def test_signed_address_outlasts_a_long_video(now: Any, owner: Any) -> None:
    video = VideoFactory(duration_ms=5 * 3600 * 1000)
    token = token_of(queries.signed_video_url(video, owner, now))

    ticket = queries.read_ticket(token, owner, now + timedelta(hours=6))
    assert ticket.video_id == video.pk


def test_signed_address_is_for_one_person(now: Any, owner: Any, stranger: Any) -> None:
    token = token_of(queries.signed_video_url(VideoFactory(), owner, now))

    for other in (stranger, AnonymousUser()):
        with pytest.raises(VideoNotFoundError):
            queries.read_ticket(token, other, now)


def test_video_with_qualities_has_an_address_of_its_stream(
    now: Any, owner: Any
) -> None:
    plain, rich = VideoFactory(), VideoFactory(has_stream=True)

    assert queries.signed_stream_url(plain, owner, now) == ""
    address = queries.signed_stream_url(rich, owner, now)
    assert address.endswith("/stream.m3u8")
    assert queries.read_ticket(token_of(address), owner, now).video_id == rich.pk


# --- Prices ------------------------------------------------------------------------------


def price_on(plan: Plan, day: date) -> tuple[str, int, int]:
    """As a page reads it; whoever freezes a price reads the same."""
    row = queries.get_plan(plan.code, day=day)
    assert queries.read_price_fen(plan, day=day) == row.price_fen
    return (row.pricing, row.unit_price_fen, row.price_fen)


def test_price_of_a_plan() -> None:
    assert price_on(PlanFactory(), DAY) == ("per_hour", 110, 3300)
    assert price_on(PlanFactory(professional=True), DAY) == ("per_hour", 150, 9000)
    flat = PlanFactory(pricing=Plan.Pricing.FLAT, unit_price_fen=3300)
    assert price_on(flat, DAY) == ("flat", 3300, 3300)


def test_price_of_a_day_is_the_latest_up_to_it() -> None:
    plan = PlanFactory()
    change = date(2026, 7, 1)
    PlanPriceFactory(plan=plan, valid_from=change, unit_price_fen=120)
    PlanPriceFactory(plan=plan, valid_from=date(2026, 5, 1), unit_price_fen=115)
    PlanPriceFactory(valid_from=DAY, unit_price_fen=999)

    assert price_on(plan, date(2026, 4, 30)) == ("per_hour", 110, 3300)
    assert price_on(plan, date(2026, 6, 30)) == ("per_hour", 115, 3450)
    assert price_on(plan, change) == ("per_hour", 120, 3600)


def test_of_two_prices_for_a_day_the_later_entry_counts() -> None:
    plan = PlanFactory()
    PlanPriceFactory(plan=plan, valid_from=DAY, unit_price_fen=120)
    PlanPriceFactory(
        plan=plan, valid_from=DAY, pricing=Plan.Pricing.FLAT, unit_price_fen=3300
    )

    assert price_on(plan, DAY) == ("flat", 3300, 3300)


def test_plan_without_a_price_costs_nothing_yet() -> None:
    plan = PlanFactory(unit_price_fen=0)
    PlanPriceFactory(plan=plan, valid_from=DAY + timedelta(days=1))

    assert price_on(plan, DAY) == ("flat", 0, 0)
    assert price_on(plan, DAY + timedelta(days=1)) == ("per_hour", 110, 3300)


def test_prices_of_a_list_come_with_its_query(django_assert_num_queries: Any) -> None:
    for number in range(20):
        PlanFactory(unit_price_fen=100 + number)

    with django_assert_num_queries(1):
        prices = [plan.price_fen for plan in queries.list_plans(day=DAY)]

    assert prices == [3000 + 30 * number for number in range(20)]
