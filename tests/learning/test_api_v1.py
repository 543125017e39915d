"""Studying through the API: own plans, courses and hours, and the player of an app."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Video
from learning.api_v1 import serializers
from learning.models import ChapterProgress, PersonClock, PlaySession, Prompt
from tests.app_client import app_of
from tests.clock import at
from tests.factories.catalog import ChapterFactory, VideoFactory
from tests.factories.learning import (
    ChapterProgressFactory,
    enrol,
    finish_plan,
    list_chapters,
    make_study_plan,
)

STUDY = "/api/v1/study/"
PLANS, HOURS = f"{STUDY}plans/", f"{STUDY}hours/"
OPEN, BEAT = f"{STUDY}open/", f"{STUDY}beat/"
CLOSE, ANSWER = f"{STUDY}close/", f"{STUDY}answer/"


@pytest.fixture
def enrolment(owner: User) -> Any:
    return enrol(owner, make_study_plan(chapters=(600_000, 300_000), courses=2))


@pytest.fixture
def time(clock: Any, time_machine: Any) -> Any:
    """The clock of everything: logins are asked at each request whether they are over."""
    time_machine.move_to(clock.now, tick=False)
    advance = clock.advance

    def move(seconds: float) -> None:
        advance(seconds)
        time_machine.move_to(clock.now, tick=False)

    clock.advance = move
    return clock


@pytest.fixture
def app(enrolment: Any, time: Any) -> Client:
    return app_of(enrolment.person)


def post(client: Client, url: str, data: Any) -> Any:
    return client.post(url, data, content_type="application/json")


def open_chapter(client: Client, enrolment: Any, **changed: Any) -> Any:
    course = enrolment.plan.plan_courses.order_by("position").first().course
    data = {"plan": enrolment.plan.code, "course": course.code, "chapter": 1}
    return post(client, OPEN, data | changed)


def beat(session: str, **changed: Any) -> dict[str, Any]:
    return {
        "session": session,
        "sequence": 1,
        "position_ms": 10_000,
        "playing": True,
        "hidden": False,
    } | changed


def courses_of(enrolment: Any) -> str:
    return f"{PLANS}{enrolment.plan.code}/courses/"


# --- Plans, courses, hours -----------------------------------------------------------------
def test_plans_are_ones_own_and_live(app: Client, enrolment: Any, stranger: User):
    enrol(stranger, make_study_plan())
    enrol(enrolment.person, make_study_plan(), revoked=True)

    answer = app.get(PLANS)

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    assert answer.json()["count"] == 1
    assert answer.json()["results"] == [
        {
            "plan": enrolment.plan.code,
            "title": enrolment.plan.title,
            "year": 2026,
            "subject": "general",
            "subject_label": "公需科目",
            "hours": 30,
            "state": "open",
            "percent": 0,
            "credits": 0,
            "required_credits": 10,
            "training_start": "2026-01-01",
            "training_end": "2026-12-31",
            "completed_at": None,
        }
    ]


def test_plans_by_state(app: Client, enrolment: Any):
    done = finish_plan(enrol(enrolment.person, make_study_plan()))

    found = app.get(PLANS, {"state": "completed"}).json()["results"]

    assert [row["plan"] for row in found] == [done.plan.code]
    assert app.get(PLANS, {"state": "lost"}).json()["code"] == "invalid"


def test_courses_say_how_far_one_is(app: Client, enrolment: Any):
    first = list_chapters(enrolment.plan)[0]
    ChapterProgressFactory(enrolment=enrolment, chapter=first, completed=True)

    answer = app.get(courses_of(enrolment)).json()

    assert answer["count"] == 2
    course = answer["results"][0]
    assert course["course"] == first.course.code
    assert (course["chapters"], course["chapters_done"]) == (2, 1)
    assert (course["percent"], course["completed"]) == (66, False)
    assert [row["percent"] for row in answer["results"]] == [66, 0]
    assert app.get(courses_of(enrolment), {"kind": "compulsory"}).json()["count"] == 0


def test_lists_cost_the_same_however_long(
    app: Client, enrolment: Any, django_assert_max_num_queries: Any
):
    with django_assert_max_num_queries(5):
        app.get(courses_of(enrolment))
    with django_assert_max_num_queries(4):
        app.get(PLANS)


def test_chapters_have_addresses_that_open_with_the_token(app: Client, enrolment: Any):
    chapter = list_chapters(enrolment.plan)[0]
    Video.objects.filter(pk=chapter.video_id).update(poster="posters/a.jpg")
    ChapterFactory(course=chapter.course, position=3, video=VideoFactory(waiting=True))

    answer = app.get(f"{courses_of(enrolment)}{chapter.course.code}/").json()

    assert answer["can_study"] is True
    ready, _, waiting = answer["chapters"]
    assert ready["video"].endswith("/video.mp4")
    assert ready["poster"].endswith("/poster.jpg")
    assert ready["captions"] is None
    assert (ready["duration_ms"], ready["resume_ms"]) == (600_000, 0)
    assert (waiting["chapter"], waiting["video"], waiting["duration_ms"]) == (
        3,
        None,
        0,
    )
    assert "correct" not in str(answer)


@pytest.mark.parametrize("part", ["", "{course}/"])
def test_plans_of_others_are_not_found(
    app: Client, stranger: User, enrolment: Any, part: str
):
    other = enrol(stranger, make_study_plan())
    course = other.plan.courses.get().code
    theirs = app.get(courses_of(other) + part.format(course=course))
    nothing = app.get(f"{PLANS}nothing/courses/{part.format(course=course)}")

    assert theirs.status_code == nothing.status_code == 404
    assert theirs["Content-Type"] == "application/problem+json"
    assert theirs.json() | {"reference": ""} == nothing.json() | {"reference": ""}


def test_a_course_of_another_plan_is_not_found(app: Client, enrolment: Any):
    course = make_study_plan().courses.get()

    answer = app.get(f"{courses_of(enrolment)}{course.code}/")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_hours_of_a_year(app: Client, enrolment: Any, stranger: User):
    finish_plan(enrolment)
    finish_plan(enrol(stranger, make_study_plan()))

    assert app.get(HOURS).json() == {
        "year": 2026,
        "general": {"earned": 10, "duty": 30},
        "professional": {"earned": 0, "duty": 60},
        "total": 10,
    }
    assert app.get(HOURS, {"year": 2025}).json()["total"] == 0
    assert app.get(HOURS, {"year": "heute"}).json()["code"] == "invalid"


@pytest.mark.parametrize(
    ("moment", "year"), [("2026-12-31 23:59", 2026), ("2027-01-01 00:01", 2027)]
)
def test_this_year_is_the_year_here(
    owner: User, time_machine: Any, moment: str, year: int
):
    time_machine.move_to(at(moment), tick=False)

    assert app_of(owner).get(HOURS).json()["year"] == year


# --- The player ----------------------------------------------------------------------------
def test_an_app_studies_as_a_browser_does(app: Client, enrolment: Any, time: Any):
    opened = open_chapter(app, enrolment).json()
    session = opened["session"]
    assert opened["video"].startswith("/video/")
    time.advance(10)

    told = post(app, BEAT, beat(session)).json()

    assert (told["credited_ms"], told["chapter"]["pending_ms"]) == (10_000, 10_000)
    again = post(app, BEAT, beat(session)).json()
    assert again == told
    time.advance(10)
    closed = post(app, CLOSE, beat(session, sequence=2, position_ms=20_000))
    assert closed.json() == {"closed": True}
    assert PlaySession.objects.get().end == "closed"
    assert ChapterProgress.objects.get().pending_ms == 20_000


def test_answers_have_every_field_of_the_schema_and_no_other(
    app: Client, enrolment: Any, time: Any
):
    opened = open_chapter(app, enrolment).json()
    assert set(opened) == set(serializers.OpenedSerializer().fields)
    PersonClock.objects.update(until_prompt_ms=5_000)
    time.advance(10)

    told = post(app, BEAT, beat(opened["session"])).json()

    assert set(told) == set(serializers.StandSerializer().fields)
    assert set(told["chapter"]) == set(serializers.ChapterStandSerializer().fields)
    assert set(told["plan"]) == set(serializers.PlanStandSerializer().fields)
    assert set(told["prompt"]) == set(serializers.PromptSerializer().fields)
    prompt = Prompt.objects.get()
    assert prompt.correct_option in {row["id"] for row in told["prompt"]["options"]}

    judged = post(
        app,
        ANSWER,
        {
            "session": opened["session"],
            "prompt": prompt.code,
            "option": prompt.correct_option,
        },
    ).json()

    assert set(judged) == set(serializers.JudgedSerializer().fields)
    assert judged["outcome"] == "right"
    assert judged["chapter"]["covered_ms"] == 10_000


def test_the_app_takes_a_session_over_from_the_browser(
    enrolment: Any, time: Any, client_of: Any, settings: Any
):
    settings.SESSIONS_AT_A_TIME = 2
    browser, app = client_of(enrolment.person), app_of(enrolment.person)
    data = {
        "plan": enrolment.plan.code,
        "course": list_chapters(enrolment.plan)[0].course.code,
        "chapter": 1,
    }
    session = post(browser, "/learning/open/", data).json()["session"]
    open_chapter(app, enrolment)
    time.advance(10)

    told = post(browser, "/learning/beat/", beat(session))

    assert (told.status_code, told.json()["error"]) == (409, "taken_over")


def test_a_session_belongs_to_its_login(
    app: Client, enrolment: Any, time: Any, settings: Any
):
    """The code of a session alone earns nothing from another device."""
    settings.SESSIONS_AT_A_TIME = 2
    session = open_chapter(app, enrolment).json()["session"]
    other = app_of(enrolment.person)
    time.advance(10)

    told = post(other, BEAT, beat(session))

    assert (told.status_code, told.json()["code"]) == (409, "session_ended")
    assert ChapterProgress.objects.get().pending_ms == 0


def test_another_persons_session_is_not_found(
    app: Client, enrolment: Any, stranger: User, time: Any
):
    session = open_chapter(app, enrolment).json()["session"]
    other = app_of(stranger)
    time.advance(10)

    told = post(other, BEAT, beat(session))

    assert (told.status_code, told.json()["code"]) == (404, "not_found")
    assert open_chapter(other, enrolment).status_code == 404
    assert ChapterProgress.objects.get().pending_ms == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "invalid"),
        ("[]", 400, "invalid"),
        ("[" * 900 + "]" * 900, 400, "invalid"),
        ('{"session": 1}', 400, "invalid"),
        (" " * 2049, 413, "too_long"),
    ],
)
def test_what_no_honest_app_sends(
    app: Client, enrolment: Any, body: str, status: int, code: str
):
    for url in (OPEN, BEAT, CLOSE, ANSWER):
        answer = app.post(url, body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert PlaySession.objects.count() == 0


def test_a_browser_wants_its_csrf_token_here_too(enrolment: Any, client_of: Any):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client_of(enrolment.person).cookies

    answer = open_chapter(strict, enrolment)

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert PlaySession.objects.count() == 0


def test_beats_have_a_limit_of_their_own(
    app: Client, enrolment: Any, time: Any, monkeypatch: Any
):
    monkeypatch.setattr(
        "portal.lib.api_throttles.StudyThrottle.THROTTLE_RATES",
        {"api_study": "2/min"},
    )
    session = open_chapter(app, enrolment).json()["session"]
    post(app, BEAT, beat(session))

    answer = post(app, BEAT, beat(session))

    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert app.get(PLANS).status_code == 200


def test_a_login_that_ends_in_the_middle_is_told(
    app: Client, enrolment: Any, time: Any
):
    session = open_chapter(app, enrolment).json()["session"]
    time.advance(timedelta(days=15).total_seconds())

    answer = post(app, BEAT, beat(session))

    assert (answer.status_code, answer.json()["code"]) == (401, "login_required")
