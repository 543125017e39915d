"""The player's endpoints: types and ranges, owner and stranger, and no key in any answer."""

import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import Plan, Video
from learning.models import ChapterProgress, PersonClock, PlaySession, Prompt
from learning.services import revoke_enrolment
from tests.factories.learning import (
    PromptFactory,
    enrol,
    make_study_plan,
    wrong_option,
)

OPEN = "/learning/open/"
BEAT, CLOSE, ANSWER = "/learning/beat/", "/learning/close/", "/learning/prompt/"


@pytest.fixture
def enrolment(owner: Any, now: Any, monkeypatch: Any) -> Any:
    plan = make_study_plan(chapters=(600_000,))
    return enrol(owner, plan)


@pytest.fixture
def time(clock: Any, monkeypatch: Any) -> Any:
    """The clock that the endpoints read."""
    monkeypatch.setattr("learning.api.timezone.now", clock)
    return clock


@pytest.fixture
def visitor(owner: Any, client_of: Any, enrolment: Any, time: Any) -> Client:
    return client_of(owner)


def send(client: Client, url: str, data: Any) -> Any:
    return client.post(url, data, content_type="application/json")


def open_chapter(client: Client, enrolment: Any, **changed: Any) -> Any:
    course = enrolment.plan.courses.get()
    data = {"plan": enrolment.plan.code, "course": course.code, "chapter": 1}
    return send(client, OPEN, data | changed)


def beat_data(code: str, **changed: Any) -> dict[str, Any]:
    return {
        "session": code,
        "sequence": 1,
        "position_ms": 10_000,
        "playing": True,
        "hidden": False,
    } | changed


@pytest.fixture
def session(visitor: Client, enrolment: Any) -> str:
    return open_chapter(visitor, enrolment).json()["session"]


def test_opening_answers_how_the_learner_stands(visitor: Client, enrolment: Any):
    response = open_chapter(visitor, enrolment)

    data = response.json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert data["session"] == PlaySession.objects.get().code
    assert data["chapter"] == {
        "duration_ms": 600_000,
        "covered": [],
        "covered_ms": 0,
        "pending": [],
        "pending_ms": 0,
        "position_ms": 0,
        "completed": False,
    }
    assert data["plan"] == {"percent": 0, "credits": 0, "completed": False}
    assert data["prompt"] is None
    assert data["video"].startswith("/video/")
    assert data["stream"] == ""


def test_opening_offers_the_qualities_of_a_video(visitor: Client, enrolment: Any):
    Video.objects.update(has_stream=True)

    data = open_chapter(visitor, enrolment).json()

    assert data["stream"] == data["video"].replace("video.mp4", "stream.m3u8")


def test_a_beat_answers_what_counts(visitor: Client, session: str, time: Any):
    time.advance(10)

    data = send(visitor, BEAT, beat_data(session)).json()

    assert (data["credited_ms"], data["refused_ms"], data["sequence"]) == (10_000, 0, 1)
    assert data["chapter"]["pending"] == [[0, 10_000]]
    assert (data["course_completed"], data["plan_completed"]) == (False, False)
    assert (data["prompt_due"], data["hold_seconds"]) == (False, 0)


def test_refused_time_comes_with_its_reason(visitor: Client, session: str, time: Any):
    time.advance(10)

    data = send(visitor, BEAT, beat_data(session, position_ms=500_000)).json()

    assert (data["refused_ms"], data["refused_reason"]) == (10_000, "too_fast")
    assert data["refused"] == [
        {"reason": "too_fast", "label": "快进或倍速", "ms": 10_000}
    ]


def test_a_question_comes_without_its_key(visitor: Client, session: str, time: Any):
    """I7, over every answer until the question is judged."""
    PersonClock.objects.update(until_prompt_ms=5_000)
    time.advance(10)

    response = send(visitor, BEAT, beat_data(session))

    prompt = Prompt.objects.get()
    data = response.json()["prompt"]
    assert set(data) == {
        *("code", "stem", "options", "seconds_left", "seconds_given", "try", "tries"),
    }
    assert [set(option) for option in data["options"]] == [{"id", "text"}] * 4
    assert (data["code"], data["seconds_left"], data["try"]) == (prompt.code, 60, 1)
    assert response.content.count(prompt.correct_option.encode()) == 1


def test_answering_rightly_and_wrongly(visitor: Client, session: str, time: Any):
    PersonClock.objects.update(until_prompt_ms=5_000)
    time.advance(10)
    send(visitor, BEAT, beat_data(session))
    first = Prompt.objects.get()

    wrong = send(
        visitor,
        ANSWER,
        {"session": session, "prompt": first.code, "option": wrong_option(first)},
    ).json()
    second = Prompt.objects.get(closed_at__isnull=True)
    right = send(
        visitor,
        ANSWER,
        {"session": session, "prompt": second.code, "option": second.correct_option},
    ).json()

    assert (wrong["outcome"], wrong["prompt"]["try"]) == ("wrong", 2)
    assert (right["outcome"], right["prompt"]) == ("right", None)
    assert right["chapter"]["covered"] == [[0, 10_000]]


def test_closing_by_a_form_as_a_leaving_page_sends_it(
    owner: Any, enrolment: Any, time: Any
):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    token = client.get("/verify/").cookies["csrftoken"].value
    headers = {"X-CSRFToken": token}
    course = enrolment.plan.courses.get()
    session = client.post(
        OPEN,
        {"plan": enrolment.plan.code, "course": course.code, "chapter": 1},
        content_type="application/json",
        headers=headers,
    ).json()["session"]
    time.advance(7)

    response = client.post(
        CLOSE,
        {
            "csrfmiddlewaretoken": token,
            "beat": json.dumps(beat_data(session, position_ms=7_000, playing=False)),
        },
    )

    assert (response.status_code, response.json()) == (200, {"closed": True})
    assert PlaySession.objects.get().end == PlaySession.End.CLOSED
    assert ChapterProgress.objects.get().pending == [[0, 7_000]]


@pytest.mark.parametrize("url", [OPEN, BEAT, CLOSE, ANSWER])
def test_without_a_csrf_token_nothing_happens(owner: Any, url: str):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)

    assert send(client, url, {}).status_code == 403


@pytest.mark.parametrize("url", [OPEN, BEAT, CLOSE, ANSWER])
def test_nobody_is_told_to_log_in(client: Client, db: None, url: str):
    response = send(client, url, {})

    assert response.status_code == 401
    assert response.json()["error"] == "login_required"


@pytest.mark.parametrize("url", [OPEN, BEAT, CLOSE, ANSWER])
def test_only_post_is_answered(visitor: Client, url: str):
    assert visitor.get(url).status_code == 405


@pytest.mark.parametrize("url", [OPEN, BEAT, CLOSE, ANSWER])
@pytest.mark.parametrize("body", ["", "[]", "1", "{", "null", "[" * 2000, "\x00"])
def test_what_is_no_json_object_is_refused(visitor: Client, url: str, body: str):
    response = visitor.post(url, body, content_type="application/json")

    assert response.status_code == 400
    assert response.json() == {"error": "invalid", "message": "请求内容有误"}


@pytest.mark.parametrize("url", [OPEN, BEAT, CLOSE, ANSWER])
def test_a_long_body_is_refused(visitor: Client, url: str):
    assert send(visitor, url, {"session": "x" * 2048}).status_code == 413


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"plan": "no-such-plan"}, 404),
        ({"course": "no-such-course"}, 404),
        ({"chapter": 2}, 404),
        ({"chapter": "1"}, 400),
        ({"position_ms": -5}, 400),
        ({"plan": 7}, 400),
    ],
)
def test_only_chapters_of_the_plan_can_be_opened(
    visitor: Client, enrolment: Any, changed: dict[str, Any], status: int
):
    response = open_chapter(visitor, enrolment, **changed)

    assert response.status_code == status
    assert PlaySession.objects.count() == 0


def test_a_course_of_another_plan_cannot_be_opened(visitor: Client, enrolment: Any):
    other = make_study_plan()

    response = open_chapter(visitor, enrolment, course=other.courses.get().code)

    assert response.status_code == 404


def test_a_stranger_cannot_open_or_use_it(
    stranger: Any, client_of: Any, session: str, enrolment: Any, time: Any
):
    client = client_of(stranger)
    time.advance(10)

    assert open_chapter(client, enrolment).status_code == 404
    assert send(client, BEAT, beat_data(session)).status_code == 404
    assert send(client, CLOSE, beat_data(session)).status_code == 404
    assert PlaySession.objects.get().ended_at is None
    assert ChapterProgress.objects.get().pending == []


def test_a_stranger_cannot_answer_the_owners_question(
    stranger: Any, client_of: Any, session: str, enrolment: Any, time: Any
):
    prompt = PromptFactory(enrolment=enrolment, deadline_at=time.now)
    own = enrol(stranger, make_study_plan())
    client = client_of(stranger)
    mine = open_chapter(client, own).json()["session"]

    response = send(
        client, ANSWER, {"session": mine, "prompt": prompt.code, "option": "right"}
    )

    prompt.refresh_from_db()
    assert response.status_code == 404
    assert prompt.closed_at is None


def test_a_session_taken_over_says_so(
    visitor: Client, session: str, enrolment: Any, time: Any
):
    open_chapter(visitor, enrolment)
    time.advance(10)

    response = send(visitor, BEAT, beat_data(session))

    assert response.status_code == 409
    assert response.json() == {
        "error": "taken_over",
        "message": "您已在其他窗口或设备上开始学习，本页面已停止计时",
    }


def test_a_new_login_needs_a_new_session(
    owner: Any, client_of: Any, session: str, time: Any
):
    time.advance(10)

    response = send(client_of(owner), BEAT, beat_data(session))

    assert (response.status_code, response.json()["error"]) == (409, "session_ended")


def test_a_revoked_plan_says_so(
    visitor: Client, session: str, enrolment: Any, time: Any
):
    revoke_enrolment(enrolment=enrolment, now=time.now)
    time.advance(10)

    response = send(visitor, BEAT, beat_data(session))

    assert (response.status_code, response.json()["error"]) == (403, "not_entitled")
    assert open_chapter(visitor, enrolment).status_code == 404


def test_outside_the_training_period_nothing_opens(visitor: Client, enrolment: Any):
    Plan.objects.update(training_start="2025-01-01", training_end="2025-12-31")

    response = open_chapter(visitor, enrolment)

    assert (response.status_code, response.json()["error"]) == (403, "outside_period")


def test_a_beat_is_cheap(
    visitor: Client, session: str, time: Any, django_assert_num_queries: Any
):
    time.advance(10)

    # Login session and person; clock and progress, read and written; refused time; and the
    # transaction around them.
    with django_assert_num_queries(9):
        send(visitor, BEAT, beat_data(session))
