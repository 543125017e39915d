"""The invariants of the ledger, with time injected (learning.md I1 to I8)."""

import pytest

from learning.errors import (
    InvalidInputError,
    SessionEndedError,
    SessionNotFoundError,
)
from learning.models import (
    ChapterProgress,
    CreditedTime,
    Enrolment,
    PersonClock,
    Prompt,
    QuestionTally,
    RefusedTime,
)
from tests.learning.learner import Learner


def test_watching_is_pending_until_a_question_is_answered(learner: Learner):
    answers = learner.watch(60)

    progress = learner.progress()
    assert [answer.receipt.credited_ms for answer in answers] == [10_000] * 6
    assert progress.covered == []
    assert progress.pending == [[0, 60_000]]
    assert (progress.covered_ms, progress.pending_ms) == (0, 60_000)
    assert progress.position_ms == 60_000
    assert learner.person_clock.credited_ms == 60_000
    assert learner.refused() == {}


def test_a_beat_earns_no_more_than_the_elapsed_time(learner: Learner):
    """I1."""
    learner.clock.advance(4)

    answer = learner.beat(7)

    assert answer.receipt.credited_ms == 4_000
    assert answer.receipt.refusal == "network"
    assert learner.progress().pending == [[0, 4_000]]


def test_a_beat_earns_no_more_than_the_way_of_the_position(learner: Learner):
    """I1."""
    learner.clock.advance(10)

    assert learner.beat(3).receipt.credited_ms == 3_000


def test_a_beat_earns_no_more_than_the_gap_cap(learner: Learner):
    """I1."""
    learner.watch(10)
    learner.play(300)

    answer = learner.beat()

    assert answer.receipt.credited_ms == 20_000
    assert answer.receipt.refused_ms == 280_000
    assert answer.refused_ms == {"network": 280_000}


def test_a_jump_moves_the_position_and_earns_nothing(learner: Learner):
    learner.watch(10)
    learner.clock.advance(10)

    jump = learner.beat(400)
    after = learner.watch(10)[0]

    assert jump.receipt.credited_ms == 0
    assert jump.receipt.refusal == "too_fast"
    assert after.receipt.credited_ms == 10_000
    assert learner.progress().pending == [[0, 10_000], [400_000, 410_000]]


def test_going_to_where_one_has_been_is_no_offence(learner: Learner):
    learner.watch(60)
    learner.beat(0)
    learner.clock.advance(1)

    answer = learner.beat(55)

    assert answer.receipt.credited_ms == 0
    assert answer.receipt.refusal == ""
    assert learner.refused() == {}


def test_watching_twice_adds_nothing(learner: Learner):
    """I3."""
    learner.watch(60)
    learner.beat(0)

    answers = learner.watch(60)

    assert [answer.receipt.credited_ms for answer in answers] == [0] * 6
    assert learner.progress().pending == [[0, 60_000]]
    assert learner.refused() == {"repeated": 60_000}


@pytest.mark.parametrize("speed", [0.75, 1.25, 1.5, 2])
def test_what_follows_a_review_at_another_speed_counts_in_full(
    learner: Learner, speed: float
):
    learner.watch(60)
    learner.beat(0)
    for _ in range(3):
        learner.clock.advance(10)
        learner.beat(learner.position + 10 * speed)
    learner.clock.advance((60 - learner.position) / speed)
    learner.beat(60)

    # On a line that is a little early and late in turn.
    for seconds in (10.3, 9.7, 9.8, 10.2):
        learner.clock.advance(seconds)
        learner.beat(learner.position + 10)

    assert learner.progress().pending == [[0, 89_800], [90_000, 100_000]]
    assert "too_fast" not in learner.refused()


def test_double_speed_earns_nothing(learner: Learner):
    """I5: the position tells the speed, whatever the player says."""
    for _ in range(6):
        learner.clock.advance(10)
        learner.beat(learner.position + 20)

    assert learner.earned_ms() == 0
    assert learner.refused() == {"too_fast": 60_000}


def test_a_repeated_beat_counts_once_and_is_answered_as_before(learner: Learner):
    """I8."""
    learner.play(10)
    first = learner.beat()
    learner.play(10)

    repeated = learner.beat(sequence=first.sequence)

    assert repeated.receipt == first.receipt
    assert repeated.sequence == first.sequence
    assert repeated.progress.pending_ms == 10_000
    assert learner.person_clock.last_position_ms == 10_000


def test_a_beat_that_was_overtaken_changes_nothing(learner: Learner):
    """I8: a rising number per session."""
    learner.watch(30)
    before = PersonClock.objects.values().get(person=learner.person)

    answer = learner.beat(500, sequence=2)

    assert answer.sequence == 3
    assert PersonClock.objects.values().get(person=learner.person) == before
    assert learner.progress().pending == [[0, 30_000]]


def test_time_never_runs_backwards(learner: Learner):
    """A host whose clock is behind must not sell the same seconds twice."""
    learner.watch(60)
    learner.clock.advance(-40)
    learner.beat(61)
    learner.clock.advance(40)

    learner.beat(100)

    assert learner.earned_ms() == 60_000
    assert learner.person_clock.last_beat_at == learner.clock.now


def test_a_worker_killed_in_the_midst_changes_nothing(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
):
    """I12 as well: the beat completes the chapter, is rolled back, and comes once more."""
    learner.watch(560)
    rows = (PersonClock, ChapterProgress, Enrolment, CreditedTime, RefusedTime)
    before = [list(row.objects.values()) for row in rows]
    learner.play(10)
    with monkeypatch.context() as broken:
        broken.setattr("learning.services.ledger.build_answer", die)
        with pytest.raises(KeyboardInterrupt):
            learner.beat()

    assert [list(row.objects.values()) for row in rows] == before
    assert learner.beat(sequence=learner.sequence).receipt.credited_ms == 10_000
    assert learner.progress().completed_at == learner.clock.now
    assert learner.progress().covered == [[0, 570_000]]


def test_a_worker_killed_while_it_judges_an_answer_changes_nothing(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
):
    learner.expect_prompt_after(30)
    learner.watch(30)
    rows = (PersonClock, ChapterProgress, CreditedTime, Prompt, QuestionTally)
    before = [list(row.objects.values()) for row in rows]
    with monkeypatch.context() as broken:
        broken.setattr("learning.services.prompts.build_answer", die)
        with pytest.raises(KeyboardInterrupt):
            learner.answer_right()

    assert [list(row.objects.values()) for row in rows] == before
    assert learner.answer_right().outcome == Prompt.Outcome.RIGHT
    assert learner.progress().covered_ms == 30_000
    assert CreditedTime.objects.get().milliseconds == 30_000


def die(*_given: object) -> None:
    """What a worker that is stopped does in the midst of its work."""
    raise KeyboardInterrupt


def test_credit_never_goes_down(learner: Learner):
    """I4, over everything a player may report."""
    learner.expect_prompt_after(30)
    learner.watch(30)
    learner.answer_right()
    seen = [learner.progress().covered_ms]
    for position in (0, 599, 12, 300, 5):
        learner.clock.advance(10)
        learner.beat(position)
        seen.append(learner.progress().covered_ms)

    assert seen == [30_000] * 6


def test_a_position_outside_the_video_is_refused(learner: Learner):
    learner.watch(10)
    before = ChapterProgress.objects.values().get()

    with pytest.raises(InvalidInputError):
        learner.beat(606)

    assert ChapterProgress.objects.values().get() == before
    assert learner.person_clock.sequence == 1


def test_a_position_just_behind_the_end_is_the_end(learner: Learner):
    learner.open(1, position=290)
    learner.clock.advance(10)

    learner.beat(300.8)

    assert learner.progress(1).position_ms == 300_000
    assert learner.progress(1).pending == [[290_000, 300_000]]


def test_the_first_beat_has_to_come_soon_after_the_opening(learner: Learner):
    learner.play(60)

    late = learner.beat()
    after = learner.watch(10)[0]

    assert late.receipt.credited_ms == 0
    assert late.refused_ms == {"network": 60_000}
    assert after.receipt.credited_ms == 10_000


def test_a_session_nobody_opened_is_unknown(learner: Learner):
    learner.session = "0" * 26

    with pytest.raises(SessionNotFoundError):
        learner.beat()

    assert RefusedTime.objects.count() == 0


def test_another_login_of_the_same_person_cannot_use_the_session(learner: Learner):
    learner.login = "another login"

    with pytest.raises(SessionEndedError):
        learner.watch(10)

    assert learner.earned_ms() == 0


def test_another_person_cannot_use_the_session(learner: Learner, stranger):
    mine = learner.session
    other = Learner(stranger, learner.enrolment.plan, learner.clock)
    other.open()
    other.session = mine

    with pytest.raises(SessionNotFoundError):
        other.watch(10)

    assert learner.earned_ms() == other.earned_ms() == 0


def test_every_refused_second_has_a_reason_and_a_time(learner: Learner):
    """I13."""
    learner.watch(10)
    first_gap = learner.clock.now
    learner.play(100)
    learner.beat()
    learner.play(60)
    learner.beat()

    row = RefusedTime.objects.get()
    assert row.reason == RefusedTime.Reason.NETWORK
    assert row.milliseconds == 80_000 + 40_000
    assert row.session == learner.session
    assert row.first_at == first_gap
    assert row.last_at == learner.clock.now
    assert str(row) == "网络中断 120 秒"
