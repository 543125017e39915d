from datetime import timedelta
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
    VideoFactory,
    make_course,
    make_plan,
)

pytestmark = pytest.mark.django_db


def test_plans_are_published_ones_in_order() -> None:
    two = PlanFactory(entry_two=True)
    one = PlanFactory()
    old = PlanFactory(year=2020)
    professional = PlanFactory(professional=True)
    PlanFactory(is_published=False)

    assert list(queries.list_plans(subject=Subject.GENERAL)) == [one, two, old]
    assert list(queries.list_plans(year=2026)) == [one, two, professional]
    assert list(queries.list_plans(subject=Subject.GENERAL, year=2020, field="")) == [
        old
    ]
    assert list(queries.list_plans(field=FieldOfStudy.ENGINEERING)) == [professional]


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

    assert queries.get_plan_for_staff(draft.code) == draft
    with pytest.raises(PlanNotFoundError):
        queries.get_plan(draft.code)
    with pytest.raises(PlanNotFoundError):
        queries.get_plan_for_staff("none")


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
    assert queries.get_signed_video(token_of(url), owner, later) == video
    with pytest.raises(VideoLinkExpiredError):
        queries.get_signed_video(
            token_of(url), owner, now + timedelta(hours=3, minutes=1)
        )


def test_signed_address_outlasts_a_long_video(now: Any, owner: Any) -> None:
    video = VideoFactory(duration_ms=5 * 3600 * 1000)
    token = token_of(queries.signed_video_url(video, owner, now))

    assert queries.get_signed_video(token, owner, now + timedelta(hours=6)) == video


def test_signed_address_is_for_one_person(now: Any, owner: Any, stranger: Any) -> None:
    token = token_of(queries.signed_video_url(VideoFactory(), owner, now))

    for other in (stranger, AnonymousUser()):
        with pytest.raises(VideoNotFoundError):
            queries.get_signed_video(token, other, now)


def test_signed_address_of_a_deleted_video(now: Any, owner: Any) -> None:
    video = VideoFactory()
    token = token_of(queries.signed_video_url(video, owner, now))
    video.delete()

    with pytest.raises(VideoNotFoundError):
        queries.get_signed_video(token, owner, now)


def test_price_of_a_plan() -> None:
    assert PlanFactory().price_fen == 3300
    assert PlanFactory(professional=True).price_fen == 9000
    assert PlanFactory(pricing=Plan.Pricing.FLAT, unit_price_fen=3300).price_fen == 3300
