"""The hot path of a beat: what it takes, what it leaves, and how its run is folded in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import PersonSession
from accounts.services.sessions import end_other_sessions
from learning.models import PersonClock, PlaySession
from learning.queries import list_chapter_states
from learning.services import Receipt, close_idle_sessions, revoke_enrolment
from learning.services.study import lock_progress
from tests.factories.learning import make_study_plan
from tests.learning.learner import Learner, TestClock
from tests.learning.steady import SteadyLearner


@pytest.fixture
def steady(owner: Any, clock: TestClock) -> SteadyLearner:
    """Ten seconds into a chapter of ten minutes; no question is near."""
    learner = SteadyLearner(owner, make_study_plan(chapters=(600_000, 300_000)), clock)
    learner.open()
    learner.expect_prompt_after(100_000)
    learner.watch(10)
    return learner


def test_a_steady_beat_writes_to_the_clock_alone(
    steady: SteadyLearner, django_assert_num_queries: Any
):
    steady.clock.advance(10)
    with django_assert_num_queries(1):
        answer = steady.try_steady(20)

    row = steady.person_clock
    assert answer is not None
    assert (answer.credited_ms, answer.run_from_ms, answer.position_ms) == (
        *(10_000, 10_000, 20_000),
    )
    assert (row.credited_ms, row.last_position_ms, row.sequence) == (20_000, 20_000, 2)
    assert (row.until_prompt_ms, row.balance_ms) == (99_980_000, 0)
    assert (row.beats, row.jitter_ms, row.last_beat_at) == (2, 0, steady.clock.now)
    assert steady.progress().pending == [[0, 10_000]]


def test_staff_decide_on_what_is_being_played_too(steady: SteadyLearner):
    steady.clock.advance(10)
    steady.try_steady(20)
    row = steady.person_clock

    progress = lock_progress(row.person_id, row.enrolment_id, row.chapter_id)

    assert progress is not None
    assert progress.pending == [[0, 20_000]]
    # The next beat looks anew at what is covered.
    steady.clock.advance(10)
    assert steady.try_steady(30) is None


def test_watching_on_takes_the_hot_path(steady: SteadyLearner):
    for position in range(20, 560, 10):
        steady.clock.advance(10)
        steady.tell(position)

    assert steady.steady == 54
    steady.clock.advance(10)
    steady.tell(560)
    steady.clock.advance(10)
    # This one completes the chapter, so the ledger takes it.
    steady.tell(570)
    assert steady.steady == 55
    assert steady.progress().covered == [[0, 570_000]]
    assert steady.progress().completed_at == steady.clock.now


def test_a_paused_player_saves_time_up_to_the_tolerance(steady: SteadyLearner):
    steady.clock.advance(30)
    answer = steady.try_steady(10)

    assert answer is not None
    assert answer.credited_ms == 0
    assert steady.person_clock.balance_ms == 5_000
    steady.clock.advance(5)
    assert steady.try_steady(20) is not None
    assert steady.person_clock.balance_ms == 0


@pytest.mark.parametrize(
    ("seconds", "position"),
    [
        pytest.param(10, 9, id="back"),
        pytest.param(10, 21, id="more than the time that passed"),
        pytest.param(10, 300, id="a jump"),
        pytest.param(25, 35, id="more than the gap cap"),
        pytest.param(10, 601, id="beyond the video"),
    ],
)
def test_what_is_not_fully_earned_is_left_to_the_ledger(
    steady: SteadyLearner, seconds: int, position: int
):
    steady.clock.advance(seconds)

    assert_left(steady, lambda: steady.try_steady(position))


def assert_left(learner: SteadyLearner, offer: Callable[[], object]) -> None:
    """The hot path takes nothing and changes nothing."""
    before = PersonClock.objects.values().get(person=learner.person)
    assert offer() is None
    assert PersonClock.objects.values().get(person=learner.person) == before


@pytest.mark.parametrize(
    "change",
    [
        {"until_prompt_ms": 0},
        {"until_prompt_ms": 10_000},
        {"hold_until": datetime.fromisoformat("2026-06-15T10:00+08:00")},
        {"run_limit_ms": 19_999},
        {"sequence": 0},
        {"session": ""},
        {"login": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_clock_that_has_something_to_decide_is_left_to_the_ledger(
    steady: SteadyLearner, change: dict[str, Any]
):
    PersonClock.objects.update(**change)
    steady.clock.advance(10)

    assert_left(steady, lambda: steady.try_steady(20))


def test_a_question_falls_due_in_the_ledger_only(steady: SteadyLearner):
    steady.expect_prompt_after(20)
    steady.clock.advance(10)
    assert steady.try_steady(20) is not None
    steady.clock.advance(10)
    assert_left(steady, lambda: steady.try_steady(30))

    answer = steady.beat(30)

    assert answer.prompt is not None
    assert steady.progress().pending == [[0, 30_000]]


def test_a_repeat_is_told_what_the_steady_beat_was(steady: SteadyLearner):
    steady.clock.advance(9)
    steady.tell(19)
    steady.clock.advance(3)

    repeat = steady.beat(22, sequence=2)

    assert repeat.receipt == Receipt(credited_ms=9_000)
    assert steady.person_clock.last_position_ms == 19_000
    assert repeat.progress.pending == [(0, 19_000)]
    # A full answer puts its own receipt in the place of that.
    steady.clock.advance(7)
    steady.beat(0)
    assert steady.beat(0, sequence=3).receipt == Receipt()


@pytest.mark.parametrize("sequence", [1, 2])
def test_a_sequence_number_seen_before_is_not_taken(
    steady: SteadyLearner, sequence: int
):
    steady.clock.advance(5)
    steady.tell(15)
    steady.clock.advance(5)

    assert_left(steady, lambda: steady.try_steady(20, sequence=sequence))


def test_a_clock_that_runs_back_earns_nothing_twice(steady: SteadyLearner):
    steady.clock.advance(10)
    steady.tell(20)
    steady.clock.advance(-5)

    assert_left(steady, lambda: steady.try_steady(21))
    answer = steady.try_steady(20)

    assert answer is not None
    assert answer.credited_ms == 0
    assert steady.person_clock.last_beat_at == steady.clock.now + timedelta(seconds=5)


def test_an_ended_login_earns_nothing(steady: SteadyLearner):
    end_other_sessions(
        person=steady.person,
        current="",
        reason=PersonSession.EndReason.LOGOUT,
        now=steady.clock.now,
    )
    steady.clock.advance(10)

    assert_left(steady, lambda: steady.try_steady(20))


def test_a_session_taken_over_earns_nothing(steady: SteadyLearner):
    old = steady.claim()
    steady.clock.advance(10)
    steady.tell(20)
    Learner.open(steady, 1)
    steady.clock.advance(10)

    assert_left(steady, lambda: steady.try_steady(30, sequence=5, claim=old))
    assert steady.progress().pending == [[0, 20_000]]


def test_a_claim_for_another_session_is_refused(steady: SteadyLearner):
    claim = steady.claim()
    other = type(claim)(claim.person_id, "another", claim.login)
    steady.clock.advance(10)

    assert_left(steady, lambda: steady.try_steady(20, claim=other))


def test_another_persons_claim_is_refused(steady: SteadyLearner, stranger: Any):
    claim = steady.claim()
    other = type(claim)(stranger.pk, claim.session, claim.login)
    steady.clock.advance(10)

    assert_left(steady, lambda: steady.try_steady(20, claim=other))


# --- The fold ----------------------------------------------------------------------------
def leave_idle(learner: SteadyLearner) -> None:
    close_idle_sessions(now=learner.clock.now + timedelta(hours=1))


def revoke(learner: SteadyLearner) -> None:
    revoke_enrolment(enrolment=learner.enrolment, now=learner.clock.now)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (SteadyLearner.close, PlaySession.End.CLOSED),
        (leave_idle, PlaySession.End.IDLE),
        (lambda learner: learner.open(1), PlaySession.End.TAKEN_OVER),
        (revoke, PlaySession.End.REVOKED),
    ],
    ids=["closed", "idle", "taken over", "revoked"],
)
def test_the_end_of_a_session_keeps_what_was_played(
    steady: SteadyLearner, end: Callable[[SteadyLearner], Any], reason: str
):
    code = steady.session
    for position in (20, 30.5):
        steady.clock.advance(11)
        steady.tell(position)
    assert steady.steady == 2

    end(steady)

    progress = steady.progress()
    session = PlaySession.objects.get(code=code)
    assert (progress.pending, progress.pending_ms) == ([[0, 30_500]], 30_500)
    assert progress.position_ms == 30_500
    assert (session.end, session.credited_ms) == (reason, 30_500)
    closing = reason == PlaySession.End.CLOSED
    assert (session.beats, session.jitter_ms) == (
        (4, 12_000) if closing else (3, 2_000)
    )
    assert not steady.person_clock.has_run


def test_opening_again_goes_on_where_the_run_was(steady: SteadyLearner):
    steady.clock.advance(10)
    steady.tell(20)

    answer = steady.open()

    assert answer.progress.position_ms == 20_000
    assert steady.person_clock.last_position_ms == 20_000


def test_the_page_shows_what_is_not_folded_in_yet(steady: SteadyLearner):
    steady.clock.advance(10)
    steady.tell(20)

    first, second = list_chapter_states(steady.enrolment, steady.chapters[0].course)

    assert first.progress is not None
    assert (first.progress.pending, first.progress.pending_ms) == (
        [(0, 20_000)],
        20_000,
    )
    assert first.progress.position_ms == 20_000
    assert second.progress is None
    assert steady.progress().pending == [[0, 10_000]]


def test_a_wrong_answer_drops_the_run_too(steady: SteadyLearner):
    """The pending time of the run is at stake like any other."""
    steady.clock.advance(10)
    steady.tell(20)
    steady.expect_prompt_after(5)
    steady.clock.advance(10)
    steady.tell(30)
    for _ in range(3):
        steady.answer_wrong()

    assert steady.progress().pending == []
    assert steady.refused() == {"prompt": 30_000}
