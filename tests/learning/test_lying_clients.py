"""Clients that lie: whatever they report, nobody learns faster than the clock."""

from contextlib import suppress
from datetime import datetime
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learning.errors import LearningError
from learning.models import Prompt
from learning.rules.intervals import merge_intervals, total_ms
from tests.factories.accounts import UserFactory
from tests.factories.learning import make_study_plan
from tests.learning.learner import Learner, TestClock

TOLERANCE_MS = 5_000


def test_a_script_that_posts_progress_earns_the_clock(learner: Learner):
    """A beat a second, each claiming ten seconds."""
    for _ in range(120):
        learner.clock.advance(1)
        learner.beat(min(600, learner.position + 10))

    assert learner.earned_ms() <= 120_000
    assert learner.progress().completed_at is None


def test_thirty_chapters_at_once_earn_one_clock(owner, clock: TestClock):
    learner = Learner(owner, make_study_plan(chapters=(600_000,) * 30), clock)
    started = clock.now
    for _ in range(5):
        for chapter in range(30):
            learner.open(chapter, position=0)
            clock.advance(1)
            learner.beat(1)

    elapsed_ms = (clock.now - started).total_seconds() * 1000
    assert learner.earned_ms() <= elapsed_ms


def test_reopening_in_a_circle_mints_no_tolerance(learner: Learner):
    started = learner.clock.now
    for _ in range(100):
        learner.open(position=learner.position)
        learner.clock.advance(2)
        learner.beat(learner.position + 6)

    elapsed_ms = (learner.clock.now - started).total_seconds() * 1000
    assert learner.earned_ms() <= elapsed_ms


def test_waiting_saves_up_no_more_than_the_tolerance(learner: Learner):
    learner.beat(0)
    learner.clock.advance(3_000)
    learner.beat(0)
    learner.clock.advance(1)

    burst = learner.beat(20)

    assert burst.receipt.credited_ms <= 1_000 + TOLERANCE_MS


def test_a_robot_without_answers_finishes_nothing(learner: Learner, clock: TestClock):
    """It plays in real time for an hour and never answers rightly."""
    learner.expect_prompt_after(300)
    rng = Random(7)
    for _ in range(360):
        learner.position = (learner.position + 10) % 590
        clock.advance(10)
        answer = learner.beat()
        if answer.prompt and rng.random() < 0.5:
            learner.answer_wrong()

    assert learner.progress().covered_ms == 0
    assert learner.progress().completed_at is None
    assert Prompt.objects.filter(outcome=Prompt.Outcome.RIGHT).count() == 0


actions = st.lists(
    st.tuples(
        st.sampled_from(["beat", "repeat", "open", "close", "answer", "wrong"]),
        st.integers(min_value=0, max_value=40),
        st.integers(min_value=0, max_value=600),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


def act(
    learner: Learner, action: str, position: int, flag: bool, sequence: int
) -> None:
    """Do one thing a client can do; a refusal is an answer like any other."""
    is_asked = Prompt.objects.filter(
        person=learner.person, closed_at__isnull=True
    ).exists()
    deeds = {
        "beat": lambda: learner.beat(position, is_playing=flag),
        "repeat": lambda: learner.beat(position, sequence=sequence),
        "open": lambda: learner.open(int(flag), position=position),
        "close": learner.close,
        "answer": learner.answer_right if is_asked else learner.close,
        "wrong": learner.answer_wrong if is_asked else learner.close,
    }
    with suppress(LearningError):
        deeds[action]()


@pytest.mark.django_db
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(actions)
def test_no_sequence_of_reports_beats_the_clock(
    now: datetime, steps: list[tuple[str, int, int, bool]]
):
    """I2, I3 and I4 over anything a client may do: credit ≤ clock, only ever rising."""
    clock = TestClock(now)
    learner = Learner(
        UserFactory(), make_study_plan(chapters=(600_000, 600_000)), clock
    )
    learner.open()
    credited = [0, 0]
    for action, seconds, position, flag in steps:
        clock.advance(seconds)
        act(learner, action, position, flag, max(1, learner.sequence))
        before, credited = credited, covered_of(learner)
        assert [late >= soon for late, soon in zip(credited, before, strict=True)] == [
            *(True, True)
        ]
        assert learner.earned_ms() <= (clock.now - now).total_seconds() * 1000
        for row in learner.enrolment.chapter_progress.all():
            assert row.covered_ms == total_ms(merge_intervals(row.covered))
            assert row.pending_ms == total_ms(merge_intervals(row.pending))
            assert (
                total_ms(merge_intervals([*row.covered, *row.pending]))
                == row.covered_ms + row.pending_ms
            )


def covered_of(learner: Learner) -> list[int]:
    rows = learner.enrolment.chapter_progress.all()
    covered = {row.chapter_id: row.covered_ms for row in rows}
    return [covered.get(chapter.pk, 0) for chapter in learner.chapters]
