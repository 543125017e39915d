"""课程培训, the courses of a plan, the player's page: words, rights, number of queries."""

from typing import Any

import pytest
from django.test import Client

from catalog.models import PlanCourse, Subject
from learning.models import Enrolment
from tests.factories.catalog import PlanCourseFactory, PlanFactory, make_course
from tests.factories.learning import (
    ChapterProgressFactory,
    EnrolmentFactory,
    enrol,
    finish_plan,
    make_study_plan,
)

TRAINING = "/training/"


@pytest.fixture
def visitor(owner: Any, client_of: Any) -> Client:
    return client_of(owner)


@pytest.fixture
def _in_training_period(now: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("learning.views.courses.timezone.now", lambda: now)
    monkeypatch.setattr("learning.views.courses.timezone.localdate", now.date)


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- 课程培训 ------------------------------------------------------------------------------


def test_the_list_speaks_the_words_of_either_entry(visitor: Client, owner: Any):
    enrol(owner, PlanFactory(title="入口一计划"))
    enrol(owner, PlanFactory(title="入口二计划", entry_two=True), percent=40)

    page = text_of(visitor.get(TRAINING))

    assert page.count("进入学习</a>") == 1
    assert page.count("去学习</a>") == 1
    assert "<b>40%</b>" in page
    assert "已结业</span>" not in page


def test_a_finished_plan_wears_its_badge(visitor: Client, owner: Any):
    EnrolmentFactory(person=owner, completed=True)

    page = text_of(visitor.get(TRAINING))

    assert "已结业</span>" in page
    assert "<b>100%</b>" in page
    assert "我的证书" in page


def test_the_list_can_be_narrowed(visitor: Client, owner: Any):
    EnrolmentFactory(person=owner, completed=True, plan__title="完成的计划")
    enrol(owner, PlanFactory(title="在学的计划"))

    done, going = (
        text_of(visitor.get(TRAINING, {"state": state}))
        for state in ("completed", "open")
    )

    assert ("完成的计划" in done, "在学的计划" in done) == (True, False)
    assert ("完成的计划" in going, "在学的计划" in going) == (False, True)


def test_nobody_sees_the_enrolments_of_others(
    visitor: Client, stranger: Any, client: Client
):
    enrol(stranger, PlanFactory(title="别人的计划", code="not-mine"))

    assert "别人的计划" not in text_of(visitor.get(TRAINING))
    assert visitor.get("/training/not-mine/").status_code == 404
    assert client.get(TRAINING).url == "/accounts/login/?next=/training/"


def test_kept_cards_are_those_of_the_one_who_asks(
    visitor: Client, owner: Any, stranger: Any, client_of: Any
):
    plan = PlanFactory(title="同一个计划", code="shared")
    PlanCourseFactory(plan=plan, course=make_course(title="同一门课程", chapters=1))
    enrol(owner, plan, percent=40)
    finish_plan(EnrolmentFactory(person=stranger, plan=plan, percent=70))

    mine, theirs = visitor, client_of(stranger)
    assert "<b>40%</b>" in text_of(mine.get(TRAINING))
    assert "<b>40%</b>" not in text_of(theirs.get(TRAINING))
    assert "<b>40%</b>" in text_of(mine.get(TRAINING))
    assert "已完成</span>" in text_of(theirs.get("/training/shared/"))
    assert "已完成</span>" not in text_of(mine.get("/training/shared/"))


def test_a_revoked_plan_is_gone(visitor: Client, owner: Any):
    EnrolmentFactory(person=owner, revoked=True, plan__code="gone")

    assert "还没有已开通的培训" in text_of(visitor.get(TRAINING))
    assert visitor.get("/training/gone/").status_code == 404


@pytest.mark.parametrize("count", [1, 12])
def test_the_list_takes_few_queries(
    visitor: Client, owner: Any, count: int, django_assert_max_num_queries: Any
):
    for _ in range(count):
        enrol(owner, PlanFactory())

    with django_assert_max_num_queries(4):
        visitor.get(TRAINING)


# --- The courses of a plan -------------------------------------------------------------------


def test_the_plan_shows_what_is_required_and_earned(visitor: Client, owner: Any):
    plan = PlanFactory(
        code="p", required_credits=30, compulsory_credits=20, elective_credits=10
    )
    for kind in (PlanCourse.Kind.COMPULSORY, PlanCourse.Kind.ELECTIVE):
        PlanCourseFactory(plan=plan, course=make_course(chapters=2), kind=kind)
    enrol(owner, plan, compulsory_earned=20, elective_earned=5, percent=83)

    page = text_of(visitor.get("/training/p/"))

    assert "学分要求" in page
    assert "<b>25</b> / 30 学分" in page
    assert "<dt>必修</dt><dd>20 / 20<i" in page
    assert "<dt>选修</dt><dd>5 / 10</dd>" in page
    assert '计划完成度</h2> <p class="study-sum"><b>83%</b>' in page


def test_courses_show_how_far_they_are(visitor: Client, owner: Any):
    plan = make_study_plan(courses=3, chapters=(100_000, 100_000), code="p")
    enrolment = enrol(owner, plan)
    begun, done, _untouched = plan.plan_courses.order_by("position")
    ChapterProgressFactory(
        enrolment=enrolment,
        chapter=begun.course.chapters.get(position=1),
        completed=True,
    )
    partial = Enrolment.objects.get(pk=enrolment.pk)
    for chapter in done.course.chapters.all():
        ChapterProgressFactory(enrolment=partial, chapter=chapter, completed=True)
    enrolment.course_completions.create(
        course=done.course,
        credits=5,
        is_compulsory=False,
        completed_at=enrolment.opened_at,
    )

    page = text_of(visitor.get("/training/p/"))

    assert page.count("已完成</span>") == 1
    assert [page.count(word) for word in ("继续学习", "再次学习", "课程学习</a>")] == [
        *(1, 1, 1)
    ]
    assert '<span class="progress-figure">50%</span>' in page
    assert '<span class="progress-figure">100%</span>' in page
    assert '<span class="progress-figure">0%</span>' in page


def test_courses_come_in_pages_and_kinds(visitor: Client, owner: Any):
    plan = PlanFactory(code="p")
    for number in range(14):
        kind = PlanCourse.Kind.ELECTIVE if number else PlanCourse.Kind.COMPULSORY
        PlanCourseFactory(plan=plan, course=make_course(), kind=kind, position=number)
    enrol(owner, plan)

    first = visitor.get("/training/p/")
    second = visitor.get("/training/p/", {"page": 2})
    compulsory = visitor.get("/training/p/", {"kind": "compulsory"})

    assert [len(page.context["courses"]) for page in (first, second, compulsory)] == [
        *(12, 2, 1)
    ]


@pytest.mark.parametrize("count", [1, 12])
def test_the_course_list_takes_few_queries(
    visitor: Client, owner: Any, count: int, django_assert_max_num_queries: Any
):
    plan = make_study_plan(courses=count, chapters=(60_000, 60_000), code="p")
    finish_plan(enrol(owner, plan))

    with django_assert_max_num_queries(9):
        visitor.get("/training/p/")


# --- The player ------------------------------------------------------------------------------


@pytest.mark.usefixtures("_in_training_period")
def test_the_player_gets_what_it_needs(visitor: Client, owner: Any):
    plan = make_study_plan(chapters=(60_000, 60_000), code="p", fastest_speed=125)
    course = plan.courses.get()
    enrolment = enrol(owner, plan)
    ChapterProgressFactory(
        enrolment=enrolment,
        chapter=course.chapters.get(position=2),
        covered=[[0, 20_000]],
        covered_ms=20_000,
        pending=[[20_000, 25_000]],
        pending_ms=5_000,
        position_ms=25_000,
    )

    response = visitor.get(f"/training/p/{course.code}/", {"chapter": 2})

    config = response.context["config"]
    assert response.status_code == 200
    assert (config["plan"], config["course"], config["chapter"]) == (
        *("p", course.code, 2),
    )
    assert config["covered"] == [[0, 20_000]]
    assert config["pending"] == [[20_000, 25_000]]
    assert (config["resumeMs"], config["durationMs"]) == (25_000, 60_000)
    assert config["fastestSpeed"] == 1.25
    assert config["urls"]["beat"] == "/learning/beat/"
    assert config["video"].startswith("/video/")
    assert config["stream"] == ""
    assert 'id="prompt"' in text_of(response)


@pytest.mark.usefixtures("_in_training_period")
def test_the_player_opens_at_the_first_unfinished_chapter(visitor: Client, owner: Any):
    plan = make_study_plan(chapters=(60_000, 60_000, 60_000), code="p")
    course = plan.courses.get()
    enrolment = enrol(owner, plan)
    ChapterProgressFactory(
        enrolment=enrolment, chapter=course.chapters.get(position=1), completed=True
    )

    response = visitor.get(f"/training/p/{course.code}/")

    page = text_of(response)
    assert response.context["current"].chapter.position == 2
    assert response.context["done_count"] == 1
    assert page.count('aria-label="已完成"') == 1
    assert "下一章节" in page
    assert 'class="return-button" href="/training/p/"' in page


def test_outside_the_training_period_there_is_no_player(visitor: Client, owner: Any):
    plan = make_study_plan(
        code="p", training_start="2020-01-01", training_end="2020-12-31"
    )
    enrol(owner, plan)
    course = plan.courses.get()

    response = visitor.get(f"/training/p/{course.code}/")

    assert "不在培训时间内" in text_of(response)
    assert "config" not in response.context
    assert "/video/" not in text_of(response)


@pytest.mark.usefixtures("_in_training_period")
def test_a_chapter_without_video_says_so(visitor: Client, owner: Any):
    plan = make_study_plan(code="p")
    enrol(owner, plan)
    course = plan.courses.get()
    course.chapters.update(video=None)

    assert "视频正在准备" in text_of(visitor.get(f"/training/p/{course.code}/"))


@pytest.mark.parametrize(
    "path",
    ["/training/p/other/", "/training/p/{course}/?chapter=9", "/training/q/{course}/"],
)
def test_what_does_not_exist_is_not_found(visitor: Client, owner: Any, path: str):
    plan = make_study_plan(code="p")
    enrol(owner, plan)
    course = plan.courses.get()

    assert visitor.get(path.format(course=course.code)).status_code == 404


def test_the_player_is_for_the_owner_alone(
    stranger: Any, owner: Any, client_of: Any, client: Client
):
    plan = make_study_plan(code="p")
    enrol(owner, plan)
    url = f"/training/p/{plan.courses.get().code}/"

    assert client_of(stranger).get(url).status_code == 404
    assert client.get(url).url == f"/accounts/login/?next={url}"


@pytest.mark.usefixtures("_in_training_period")
@pytest.mark.parametrize("count", [1, 20])
def test_the_player_takes_few_queries(
    visitor: Client, owner: Any, count: int, django_assert_max_num_queries: Any
):
    plan = make_study_plan(chapters=(60_000,) * count, code="p")
    finish_plan(enrol(owner, plan))
    url = f"/training/p/{plan.courses.get().code}/"

    with django_assert_max_num_queries(7):
        visitor.get(url)


def test_subjects_have_their_names(visitor: Client, owner: Any):
    enrol(owner, PlanFactory(subject=Subject.PROFESSIONAL))

    assert "专业科目" in text_of(visitor.get(TRAINING))
