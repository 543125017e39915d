"""A client that lies in every field of every endpoint, one after the other (I5).

Whatever of a wrong type or range it sends is a 400 and changes no row; in the hot path it is
left to Django, which says so.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.rules.session_marks import CODE_KEY
from learning.models import (
    ChapterProgress,
    CreditedTime,
    PersonClock,
    PlaySession,
    Prompt,
    RefusedTime,
)
from learning.services.steady_beats import issue_beat_token
from tests.factories.learning import enrol, make_study_plan
from tests.learning.learner import Learner, TestClock
from tests.learning.steady import SteadyLearner
from tests.portal.test_beat_front import Web

LOOSE = (None, [], {}, "\x00", "\ud800", "", "1\n")
NO_TEXT = (*LOOSE, 7, 1.5, True, float("nan"), "x" * 61)
NO_NUMBER = (
    *LOOSE,
    *("1", "x", 1.5, 10.0, True, False, float("nan"), float("inf"), float("-inf")),
    *(-1, -(2**31), 2**31, 2**63, 10**40),
)
NO_FLAG = (*LOOSE, 0, 1, 1.0, "true", "yes")
TEXTS = {
    "open": ("plan", "course"),
    "beat": ("session",),
    "close": ("session",),
    "prompt": ("session", "prompt", "option"),
}
NUMBERS = {
    "open": ("chapter", "position_ms"),
    "beat": ("sequence", "position_ms"),
    "close": ("sequence", "position_ms"),
}
FLAGS = {"beat": ("playing", "hidden"), "close": ("playing", "hidden")}


def list_lies() -> Iterator[tuple[str, str, Any]]:
    for kinds, lies in ((TEXTS, NO_TEXT), (NUMBERS, NO_NUMBER), (FLAGS, NO_FLAG)):
        for endpoint, fields in kinds.items():
            for field in fields:
                # Without a position the player goes on where it was left.
                may_miss = (endpoint, field) == ("open", "position_ms")
                for lie in lies:
                    if not (may_miss and lie is None):
                        yield endpoint, field, lie
    for endpoint in ("beat", "close"):
        yield endpoint, "sequence", 0
        # A good deal behind the end of ten minutes.
        yield endpoint, "position_ms", 606_000


def state() -> list[Any]:
    """Every row that learning may write."""
    rows = (
        *(PersonClock, PlaySession, ChapterProgress),
        *(Prompt, CreditedTime, RefusedTime),
    )
    return [list(row.objects.values()) for row in rows]


@pytest.fixture
def client(learner: Learner, client_of: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The learner's own browser, with the clock of the test."""
    monkeypatch.setattr("learning.api.timezone.now", learner.clock)
    browser: Client = client_of(learner.person)
    learner.login = browser.session[CODE_KEY]
    return browser


@pytest.fixture
def asked(learner: Learner, client: Client) -> Learner:
    """Half a minute pending, a question on the screen, ten more seconds on the clock."""
    learner.open()
    learner.expect_prompt_after(30)
    learner.watch(30)
    learner.clock.advance(10)
    return learner


def honest(learner: Learner) -> dict[str, dict[str, Any]]:
    """What an honest player would send to each endpoint at this moment."""
    beat = {"session": learner.session, "sequence": 4, "position_ms": 40_000}
    beat |= {"playing": True, "hidden": False}
    course = learner.chapters[0].course
    opening = {"plan": learner.enrolment.plan.code, "course": course.code}
    return {
        "open": opening | {"chapter": 1, "position_ms": 30_000},
        "beat": beat,
        "close": beat,
        "prompt": {
            "session": learner.session,
            "prompt": learner.prompt.code,
            "option": learner.prompt.correct_option,
        },
    }


def test_no_field_can_be_lied_about(asked: Learner, client: Client):
    bodies, before = honest(asked), state()
    for endpoint, field, lie in list_lies():
        body = json.dumps(bodies[endpoint] | {field: lie})
        url = f"/learning/{endpoint}/"

        answer = client.post(url, body, content_type="application/json")

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid"), (
            *(endpoint, field, lie),
        )
        assert state() == before, (endpoint, field, lie)
    # The same without a lie.
    for endpoint in ("beat", "prompt", "close", "open"):
        url = f"/learning/{endpoint}/"
        answer = client.post(url, bodies[endpoint], content_type="application/json")
        assert answer.status_code == 200, endpoint


def test_no_field_can_be_missing(asked: Learner, client: Client):
    before = state()
    for endpoint, body in honest(asked).items():
        for field in body.keys() - ({"position_ms"} if endpoint == "open" else set()):
            less = {name: value for name, value in body.items() if name != field}

            answer = client.post(
                f"/learning/{endpoint}/", less, content_type="application/json"
            )

            assert answer.status_code == 400, (endpoint, field)
    assert state() == before


def test_the_hot_path_believes_no_field_either(
    owner: Any, clock: TestClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("portal.beat_front.timezone.now", clock)
    learner = SteadyLearner(owner, make_study_plan(chapters=(600_000,)), clock)
    learner.open()
    learner.expect_prompt_after(100_000)
    learner.watch(10)
    clock.advance(10)
    web, token = Web(), issue_beat_token(learner.claim(), now=clock())
    beat = {"session": learner.session, "sequence": 2, "position_ms": 20_000}
    beat |= {"playing": True, "hidden": False}
    before, sent = state(), []
    for endpoint, field, lie in list_lies():
        if endpoint == "beat":
            sent.append(json.dumps(beat | {field: lie}).encode())
            web.send(sent[-1], token)

    assert web.django.bodies == sent
    assert state() == before
    assert web.send(beat, token)[0] == "200 OK"


def test_everything_a_client_may_claim_besides_is_ignored(
    owner: Any, client_of: Any, clock: TestClock, monkeypatch: pytest.MonkeyPatch
):
    """Length, speed, end, threshold, the time of day: told to every endpoint, read by none."""
    monkeypatch.setattr("learning.api.timezone.now", clock)
    plan = make_study_plan(chapters=(600_000,))
    claims = {
        "duration_ms": 1,
        "covered": [[0, 600_000]],
        "covered_ms": 600_000,
        "credited_ms": 600_000,
        "speed": 16,
        "ended": True,
        "complete": True,
        "until_prompt_ms": 10**9,
        "threshold": 0,
        "now": "2036-01-01T00:00:00Z",
        "login": "another",
    }
    enrol(owner, plan)
    client: Client = client_of(owner)

    def post(endpoint: str, data: dict[str, Any]) -> Any:
        headers = {"Date": "Fri, 01 Jan 2036 00:00:00 GMT"}
        url = f"/learning/{endpoint}/"
        return client.post(
            url, data | claims, content_type="application/json", headers=headers
        ).json()

    opened = post(
        "open", {"plan": plan.code, "course": plan.courses.get().code, "chapter": 1}
    )
    PersonClock.objects.update(until_prompt_ms=10_000)
    clock.advance(10)
    beat = {"session": opened["session"], "sequence": 1, "position_ms": 10_000}
    told = post("beat", beat | {"playing": True, "hidden": True})
    prompt = Prompt.objects.get()
    answer = {"session": opened["session"], "prompt": prompt.code}
    judged = post("prompt", answer | {"option": prompt.correct_option})

    # The page in the background counts: who answers the questions may listen.
    assert told["credited_ms"] == 10_000
    assert judged["chapter"]["covered"] == [[0, 10_000]]
    assert judged["chapter"]["completed"] is False
    assert (judged["course_completed"], judged["plan_completed"]) == (False, False)
    assert PersonClock.objects.get().last_beat_at == clock.now
