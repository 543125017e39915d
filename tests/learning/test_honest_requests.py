"""Honest learners as their requests come in: logins that end, many behind one address."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import PersonSession
from accounts.services.sessions import end_other_sessions
from learning.models import ChapterProgress, PlaySession
from tests.factories.accounts import UserFactory
from tests.factories.learning import make_study_plan
from tests.learning.learner import Learner, TestClock


@pytest.fixture
def time(clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> TestClock:
    """The clock that the endpoints read."""
    monkeypatch.setattr("learning.api.timezone.now", clock)
    return clock


def post(client: Client, endpoint: str, data: dict[str, Any]) -> Any:
    url = f"/learning/{endpoint}/"
    return client.post(url, data, content_type="application/json")


def open_player(client: Client, learner: Learner) -> str:
    plan = learner.enrolment.plan
    data = {"plan": plan.code, "course": plan.courses.get().code, "chapter": 1}
    answer = post(client, "open", data)
    assert answer.status_code == 200
    return str(answer.json()["session"])


def beat(client: Client, session: str, number: int, position_ms: int) -> Any:
    data = {"session": session, "sequence": number, "position_ms": position_ms}
    return post(client, "beat", data | {"playing": True, "hidden": False})


def test_a_login_that_expires_in_the_middle_costs_less_than_a_beat(
    owner: Any, client_of: Any, time: TestClock
):
    """The page is told why; after another login it goes on at the same place."""
    learner = Learner(owner, make_study_plan(chapters=(600_000,)), time)
    client: Client = client_of(owner)
    session = open_player(client, learner)
    learner.expect_prompt_after(100_000)
    for number in range(1, 7):
        time.advance(10)
        assert beat(client, session, number, number * 10_000).status_code == 200
    end_other_sessions(
        person=owner, current="", reason=PersonSession.EndReason.EXPIRED, now=time.now
    )
    time.advance(10)

    refused = beat(client, session, 7, 70_000)

    assert (refused.status_code, refused.json()["error"]) == (401, "login_required")
    again: Client = client_of(owner)
    reopened = open_player(again, learner)
    time.advance(10)
    told = beat(again, reopened, 1, 70_000).json()
    assert told["credited_ms"] == 10_000
    assert told["chapter"]["pending"] == [[0, 70_000]]
    ends = PlaySession.objects.order_by("pk").values_list("end", flat=True)
    assert list(ends) == [PlaySession.End.TAKEN_OVER, ""]


def test_two_hundred_people_behind_one_address(
    db: None, client_of: Any, time: TestClock
):
    """A school's network: nothing about learning is counted by address."""
    plan = make_study_plan(chapters=(600_000,))
    learners = [Learner(UserFactory(), plan, time) for _ in range(200)]
    clients = [client_of(learner.person) for learner in learners]
    sessions = [
        open_player(client, learner)
        for client, learner in zip(clients, learners, strict=True)
    ]
    time.advance(10)

    told = [
        beat(client, session, 1, 10_000)
        for client, session in zip(clients, sessions, strict=True)
    ]

    assert {answer.status_code for answer in told} == {200}
    assert {answer.json()["credited_ms"] for answer in told} == {10_000}
    pending = ChapterProgress.objects.values_list("pending_ms", flat=True)
    assert list(pending) == [10_000] * 200
