"""The front before Django: what it answers, and that all else reaches Django as it came."""

import json
import logging
from datetime import datetime
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import DatabaseError
from django.test import Client

from accounts.models import PersonSession
from learning.models import PersonClock
from learning.rules.beat_tokens import BeatClaim
from learning.services import revoke_enrolment
from learning.services.steady_beats import issue_beat_token
from portal import beat_front
from portal.beat_front import BeatFront
from tests.factories.learning import enrol, make_study_plan
from tests.learning.learner import TestClock
from tests.learning.steady import SteadyLearner, fetch

BEAT, OPEN = "/learning/beat/", "/learning/open/"


class OwnConnection:
    """Django's connection of the test in place of raw ones; may be out of order."""

    is_broken = False

    def fetch(self, statement: str, values: Any) -> Any:
        if self.is_broken:
            raise DatabaseError
        return fetch(statement, values)

    def close(self) -> None:
        pytest.fail("the front closes nothing")


class Seen:
    """An application that notes what reaches it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self.bodies.append(environ["wsgi.input"].read())
        start_response("400 Bad Request", [])
        return [b"django"]


class Web:
    """Sends one WSGI request after the other."""

    def __init__(self) -> None:
        self.django = Seen()
        self.connection = OwnConnection()
        self.front = BeatFront(self.django, BEAT, self.connection)

    def send(
        self, body: bytes | dict[str, Any], token: str | None, **changed: str
    ) -> tuple[str, dict[str, str], bytes]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ |= {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": BEAT,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": BytesIO(raw),
        }
        if token is not None:
            environ["HTTP_X_BEAT_TOKEN"] = token
        answer: list[Any] = []
        parts = self.front(
            environ | changed, lambda status, headers: answer.extend([status, headers])
        )
        return answer[0], dict(answer[1]), b"".join(parts)


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def clock(now: datetime) -> TestClock:
    return TestClock(now)


@pytest.fixture
def learner(owner: Any, clock: TestClock, monkeypatch: Any) -> SteadyLearner:
    """Ten seconds into a chapter, ten more have passed."""
    monkeypatch.setattr("portal.beat_front.timezone.now", clock)
    learner = SteadyLearner(owner, make_study_plan(chapters=(600_000,)), clock)
    learner.open()
    learner.expect_prompt_after(100_000)
    learner.watch(10)
    clock.advance(10)
    return learner


@pytest.fixture
def token(learner: SteadyLearner) -> str:
    return issue_beat_token(learner.claim(), now=learner.clock())


def beat_of(learner: SteadyLearner, **changed: Any) -> dict[str, Any]:
    return {
        "session": learner.session,
        "sequence": 2,
        "position_ms": 20_000,
        "playing": True,
        "hidden": False,
    } | changed


def assert_passed_on(web: Web, learner: SteadyLearner, body: bytes) -> None:
    """Django got the request whole, and the clock stands as it stood."""
    assert web.django.bodies == [body]
    assert learner.person_clock.sequence == 1


def test_a_steady_beat_is_answered(web: Web, learner: SteadyLearner, token: str):
    status, headers, body = web.send(beat_of(learner), token)

    assert status == "200 OK"
    assert json.loads(body) == {
        "sequence": 2,
        "credited_ms": 10_000,
        "run": [10_000, 20_000],
    }
    assert headers == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Content-Length": str(len(body)),
    }
    assert web.django.bodies == []
    assert learner.person_clock.sequence == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"session": 7},
        {"session": "x" * 61},
        {"session": "another"},
        {"sequence": 0},
        {"sequence": "2"},
        {"sequence": True},
        {"sequence": 2**31},
        {"sequence": 1},
        {"position_ms": -1},
        {"position_ms": 20_000.5},
        {"position_ms": 2**63},
        {"position_ms": 31_000},
        {"playing": 1},
        {"hidden": None},
    ],
    ids=lambda changed: str(changed)[:30],
)
def test_what_is_not_steady_goes_to_django(
    web: Web, learner: SteadyLearner, token: str, changed: dict[str, Any]
):
    body = json.dumps(beat_of(learner, **changed)).encode()

    assert web.send(body, token)[0] == "400 Bad Request"
    assert_passed_on(web, learner, body)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff\xfe", b"[" * 2000, b'{"session": "a\x00"}'],
    ids=lambda body: repr(body[:8]),
)
def test_what_is_no_beat_goes_to_django(
    web: Web, learner: SteadyLearner, token: str, body: bytes
):
    web.send(body, token)

    assert_passed_on(web, learner, body)


def test_a_long_body_is_not_read(web: Web, learner: SteadyLearner, token: str):
    body = json.dumps(beat_of(learner) | {"more": "x" * 2048}).encode()

    web.send(body, token)

    assert_passed_on(web, learner, body)


@pytest.mark.parametrize("length", ["", "x", "-5", "+200"])
def test_a_body_of_unknown_length_is_not_read(
    web: Web, learner: SteadyLearner, token: str, length: str
):
    body = json.dumps(beat_of(learner)).encode()

    web.send(body, token, CONTENT_LENGTH=length)

    assert_passed_on(web, learner, body)


def test_without_a_good_token_django_decides(
    web: Web, learner: SteadyLearner, token: str, stranger: Any
):
    claim = learner.claim()
    old = issue_beat_token(claim, now=learner.clock())
    foreign = issue_beat_token(
        BeatClaim(stranger.pk, claim.session, claim.login), now=learner.clock()
    )
    body = json.dumps(beat_of(learner)).encode()
    for each in (None, "", "x", token[:-4] + "AAAA", foreign):
        web.send(body, each)
    learner.clock.advance(600)
    web.send(body, old)

    assert web.django.bodies == [body] * 6
    assert learner.person_clock.sequence == 1


def test_a_token_of_the_former_secret_is_good(
    web: Web, learner: SteadyLearner, token: str, settings: Any
):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret"

    assert web.send(beat_of(learner), token)[0] == "200 OK"


@pytest.mark.parametrize(
    "changed",
    [{"REQUEST_METHOD": "GET"}, {"PATH_INFO": "/learning/beat"}, {"PATH_INFO": OPEN}],
    ids=lambda changed: next(iter(changed.values())),
)
def test_other_requests_go_to_django(
    web: Web, learner: SteadyLearner, token: str, changed: dict[str, str]
):
    body = json.dumps(beat_of(learner)).encode()

    web.send(body, token, **changed)

    assert_passed_on(web, learner, body)


def test_a_database_out_of_order_is_djangos_to_explain(
    web: Web, learner: SteadyLearner, token: str
):
    web.connection.is_broken = True
    body = json.dumps(beat_of(learner)).encode()

    web.send(body, token)

    assert_passed_on(web, learner, body)


def test_a_revoked_plan_and_an_ended_login_reach_django(
    web: Web, learner: SteadyLearner, token: str
):
    web.send(beat_of(learner), token)
    learner.clock.advance(10)
    revoke_enrolment(enrolment=learner.enrolment, now=learner.clock())
    after = json.dumps(beat_of(learner, sequence=3, position_ms=30_000)).encode()
    web.send(after, token)
    learner.enrolment.state = "open"
    learner.enrolment.save()
    learner.open()
    token = issue_beat_token(learner.claim(), now=learner.clock())
    learner.beat()
    PersonSession.objects.update(ended_at=learner.clock(), end_reason="logout")
    learner.clock.advance(10)
    last = json.dumps(beat_of(learner, sequence=2, position_ms=30_000)).encode()
    web.send(last, token)

    assert web.django.bodies == [after, last]
    assert learner.progress().pending == [[0, 20_000]]


def test_many_beats_make_one_line(
    web: Web, learner: SteadyLearner, token: str, monkeypatch: Any, caplog: Any
):
    moment = [0.0]
    monkeypatch.setattr(beat_front, "monotonic", lambda: moment[0])
    web.front = BeatFront(web.django, BEAT, web.connection)
    with caplog.at_level(logging.INFO, logger="portal.beat_front"):
        for sequence, seconds in ((2, 1), (3, 9.5), (4, 11), (5, 12)):
            moment[0] = seconds
            web.send(beat_of(learner, sequence=sequence), token)

    (record,) = (each for each in caplog.records if each.name == "portal.beat_front")
    assert (record.message, record.count) == ("requests", 3)
    assert record.route == "learning/beat/ (steady)"


# --- Through the whole portal ------------------------------------------------------------
def test_the_token_of_an_answer_opens_the_hot_path(
    owner: Any, client_of: Any, web: Web, clock: TestClock, monkeypatch: Any
):
    """As a player goes: open, a full beat, a steady one, one that Django has to refuse."""
    monkeypatch.setattr("learning.api.timezone.now", clock)
    enrolment = enrol(owner, make_study_plan(chapters=(600_000,)))
    client: Client = client_of(owner)
    opened = client.post(
        OPEN,
        {
            "plan": enrolment.plan.code,
            "course": enrolment.plan.courses.get().code,
            "chapter": 1,
        },
        content_type="application/json",
    ).json()
    PersonClock.objects.update(until_prompt_ms=500_000)
    beat = {"session": opened["session"], "playing": True, "hidden": False}
    clock.advance(10)
    first = beat | {"sequence": 1, "position_ms": 10_000}
    status, _, _ = web.send(first, opened["token"])
    assert status == "400 Bad Request"
    full = client.post(BEAT, first, content_type="application/json").json()
    clock.advance(10)
    second = beat | {"sequence": 2, "position_ms": 20_000}
    status, _, body = web.send(second, full["token"])

    assert (status, json.loads(body)["credited_ms"]) == ("200 OK", 10_000)
    again = client.post(BEAT, second, content_type="application/json").json()
    assert (again["credited_ms"], again["refused_ms"]) == (10_000, 0)
    assert again["chapter"]["pending"] == [[0, 20_000]]
