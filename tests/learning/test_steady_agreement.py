"""The hot path changes no meaning: with it and without it a client is told the same."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learning.errors import LearningError
from learning.models import (
    ChapterProgress,
    Enrolment,
    PersonClock,
    Prompt,
    RefusedTime,
)
from learning.queries import list_chapter_states
from learning.services import Receipt, prompts
from learning.services import sessions as play_sessions
from tests.factories.accounts import UserFactory
from tests.factories.learning import make_study_plan
from tests.learning.learner import TestClock
from tests.learning.steady import SteadyLearner

moves = st.lists(
    st.one_of(
        # Mostly playing on, a little before or behind the clock.
        st.tuples(st.just("play"), st.integers(0, 22), st.integers(-2, 3)),
        st.tuples(st.just("play"), st.integers(5, 12), st.just(0)),
        st.tuples(st.just("play"), st.integers(5, 12), st.just(0)),
        st.tuples(st.just("seek"), st.integers(0, 12), st.integers(0, 125)),
        st.tuples(st.just("pause"), st.integers(0, 40), st.just(0)),
        st.tuples(
            st.sampled_from(["repeat", "open", "close", "right", "right", "wrong"]),
            st.integers(0, 12),
            st.integers(0, 1),
        ),
    ),
    min_size=8,
    max_size=25,
)
Step = tuple[str, int, int]


@contextmanager
def random_of(rng: Random) -> Iterator[None]:
    """Let the services draw from `rng`."""
    modules = (prompts, play_sessions)
    kept = [module.RANDOM for module in modules]
    for module in modules:
        module.RANDOM = rng
    try:
        yield
    finally:
        for module, own in zip(modules, kept, strict=True):
            module.RANDOM = own


def act(learner: SteadyLearner, step: Step, *, hot: bool) -> Any:
    """One step of a client; what it was told, a refusal by its name."""
    name, seconds, number = step
    learner.clock.advance(seconds)
    position = learner.position

    def beat(to: float, **more: Any) -> Receipt:
        to = max(0.0, to)
        if hot:
            return learner.tell(to, **more)
        return learner.beat(to, **more).receipt

    def answer(option: Callable[[], Any]) -> Any:
        asked = Prompt.objects.filter(person=learner.person, closed_at=None).exists()
        return option().outcome if asked else None

    deeds: dict[str, Callable[[], Any]] = {
        "play": lambda: beat(position + seconds + number),
        "seek": lambda: beat(number),
        "pause": lambda: beat(position, is_playing=False),
        "repeat": lambda: beat(position + number, sequence=max(1, learner.sequence)),
        "open": lambda: learner.open(number) and None,
        "close": learner.close,
        "right": lambda: answer(learner.answer_right),
        "wrong": lambda: answer(learner.answer_wrong),
    }
    try:
        return deeds[name]()
    except LearningError as error:
        return type(error).__name__


def state_of(learner: SteadyLearner) -> Any:
    """Everything that the rules are about, as it stands with the run folded in."""
    chapters = list_chapter_states(learner.enrolment, learner.chapters[0].course)
    clock = PersonClock.objects.values(
        *("sequence", "last_beat_at", "last_position_ms", "balance_ms", "credited_ms"),
        *("until_prompt_ms", "hold_until", "beats", "jitter_ms"),
    ).get(person=learner.person)
    refused: dict[str, int] = {}
    for row in RefusedTime.objects.filter(enrolment=learner.enrolment):
        refused[row.reason] = refused.get(row.reason, 0) + row.milliseconds
    enrolment = Enrolment.objects.get(pk=learner.enrolment.pk)
    return (
        [
            (
                [list(each) for each in row.covered],
                [list(each) for each in row.pending],
                row.covered_ms,
                row.pending_ms,
                row.position_ms,
                row.completed_at,
            )
            for row in (state.progress for state in chapters)
            if row
        ],
        clock,
        refused,
        (enrolment.state, enrolment.percent, enrolment.credits_earned),
    )


@pytest.mark.django_db
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves, st.integers(0, 2**32))
def test_the_hot_path_and_the_ledger_alone_agree(
    now: datetime, learning_settings: dict[str, Any], steps: list[Step], seed: int
):
    """Anything a client may do: the same answers, the same rows, at every step."""
    learning_settings.update(
        prompt_after_seconds=(15, 40), first_prompt_seconds=0, prompt_hold_seconds=10
    )
    plan = make_study_plan(chapters=(120_000, 60_000))
    learners = [SteadyLearner(UserFactory(), plan, TestClock(now)) for _ in range(2)]
    draws = [Random(seed), Random(seed)]
    for step in [("open", 0, 0), *steps, ("close", 1, 0)]:
        told = []
        for learner, rng, hot in zip(learners, draws, (True, False), strict=True):
            with random_of(rng), suppress(PersonClock.DoesNotExist):
                told.append(act(learner, step, hot=hot))
        assert told[0] == told[1]
        assert state_of(learners[0]) == state_of(learners[1])
    rows = ChapterProgress.objects.filter(enrolment=learners[0].enrolment)
    assert not PersonClock.objects.get(person=learners[0].person).has_run
    assert all(row.covered_ms <= 120_000 for row in rows)
