"""Anti-idle questions: I6, I7, I11 and what an unanswered one costs."""

import pytest

from learning.errors import (
    InvalidInputError,
    PromptNotFoundError,
    SessionEndedError,
    TakenOverError,
)
from learning.models import CreditedTime, Enrolment, Prompt
from tests.factories.learning import PromptFactory, make_study_plan
from tests.learning.learner import Learner


@pytest.fixture
def asked(learner: Learner) -> Learner:
    """The learner after a minute of pending time, with a question on the screen."""
    learner.expect_prompt_after(60)
    learner.watch(60)
    return learner


def test_a_question_comes_when_the_credited_time_is_up(learner: Learner):
    learner.expect_prompt_after(25)

    answers = learner.watch(30)

    assert [answer.prompt is None for answer in answers] == [True, True, False]
    assert learner.prompt.try_number == 1
    # A minute to answer, and five seconds for the line.
    assert (learner.prompt.deadline_at - learner.clock.now).total_seconds() == 65


def test_watching_again_brings_no_question_nearer(learner: Learner):
    """I11: the credited seconds count, not those of the session."""
    learner.expect_prompt_after(25)
    learner.watch(20)
    learner.beat(0)

    answers = learner.watch(20)

    assert [answer.prompt for answer in answers] == [None, None]
    assert learner.person_clock.until_prompt_ms == 5_000


def test_reopening_does_not_dodge_a_question(asked: Learner):
    """I11."""
    code = asked.prompt.code
    asked.close()

    answer = asked.open(1)

    assert answer.prompt is not None
    assert answer.prompt.code == code


def test_a_right_answer_makes_pending_time_credit(asked: Learner):
    judged = asked.answer_right()

    progress = asked.progress()
    assert judged.outcome == Prompt.Outcome.RIGHT
    assert progress.covered == [[0, 60_000]]
    assert (progress.covered_ms, progress.pending_ms) == (60_000, 0)
    assert 240_000 <= asked.person_clock.until_prompt_ms <= 540_000
    assert judged.answer.prompt is None


def test_a_right_answer_confirms_the_pending_time_of_every_chapter(learner: Learner):
    learner.expect_prompt_after(60)
    learner.watch(30)
    learner.open(1)
    learner.watch(30)

    learner.answer_right()

    assert learner.progress(0).covered == [[0, 30_000]]
    assert learner.progress(1).covered == [[0, 30_000]]


def test_a_revoked_enrolment_gets_nothing_from_a_right_answer(learner: Learner, clock):
    learner.watch(30)
    Enrolment.objects.update(state=Enrolment.State.REVOKED)
    other = Learner(learner.person, make_study_plan(), clock)
    other.open()
    other.expect_prompt_after(30)
    other.watch(30)

    other.answer_right()

    assert learner.progress().covered_ms == 0
    assert other.progress().covered_ms == 30_000


def test_pending_time_is_confirmed_in_the_order_of_locks(learner: Learner, clock):
    """Completing locks enrolments: by their ids, whichever was studied first."""
    later = Learner(learner.person, make_study_plan(), clock)
    later.open()
    later.watch(10)
    learner.open(1)
    learner.expect_prompt_after(10)
    learner.watch(10)

    learner.answer_right()

    rows = CreditedTime.objects.order_by("pk")
    assert later.enrolment.pk > learner.enrolment.pk
    assert [row.enrolment_id for row in rows] == [
        learner.enrolment.pk,
        later.enrolment.pk,
    ]


def test_a_wrong_answer_brings_another_question(asked: Learner):
    first = asked.prompt

    judged = asked.answer_wrong()

    second = asked.prompt
    assert judged.outcome == Prompt.Outcome.WRONG
    assert judged.answer.prompt == second
    assert second.pk != first.pk
    assert second.stem != first.stem
    assert second.try_number == 2
    assert asked.progress().pending_ms == 60_000


def test_after_three_wrong_answers_the_pending_time_is_lost(asked: Learner):
    for _ in range(3):
        judged = asked.answer_wrong()

    progress = asked.progress()
    assert judged.answer.prompt is None
    assert judged.answer.refused_ms == {"prompt": 60_000}
    assert (progress.pending, progress.pending_ms, progress.covered_ms) == ([], 0, 0)
    assert list(Prompt.objects.order_by("pk").values_list("dropped_ms", flat=True)) == [
        0,
        0,
        60_000,
    ]
    assert (asked.person_clock.hold_until - asked.clock.now).total_seconds() == 60


def test_the_wait_after_three_wrong_answers_earns_nothing(asked: Learner):
    for _ in range(3):
        asked.answer_wrong()

    waiting = asked.watch(50)
    asked_again = asked.watch(10)[0]

    assert [answer.prompt for answer in waiting] == [None] * 5
    assert asked_again.prompt is not None
    assert asked_again.prompt.try_number == 1
    assert asked.earned_ms() == 0
    assert asked.refused() == {"prompt": 120_000}
    asked.answer_right()
    assert asked.watch(10)[0].receipt.credited_ms == 10_000


def test_time_up_to_the_deadline_waits_for_the_answer(asked: Learner):
    asked.watch(50)

    asked.answer_right()

    assert asked.progress().covered == [[0, 110_000]]


def test_a_missed_deadline_drops_the_pending_time(asked: Learner):
    """I6: nothing after the deadline counts, and what waited is lost."""
    prompt = asked.prompt
    asked.watch(60)

    late = asked.watch(10)[0]

    prompt.refresh_from_db()
    assert prompt.outcome == Prompt.Outcome.EXPIRED
    assert prompt.dropped_ms == 120_000
    assert late.receipt.credited_ms == 0
    assert late.receipt.refusal == "prompt"
    assert late.refused_ms == {"prompt": 130_000}
    assert asked.earned_ms() == 0


def test_a_new_question_has_to_be_answered_after_a_missed_one(asked: Learner):
    asked.watch(70)

    still_blocked = asked.watch(10)[0]
    asked.answer_right()
    after = asked.watch(10)[0]

    assert still_blocked.prompt is not None
    assert after.receipt.credited_ms == 10_000
    assert asked.earned_ms() == 20_000


def test_an_absent_learner_is_not_asked_again_and_again(asked: Learner):
    """The player stops at a question and goes on reporting that it stands still."""
    for _ in range(30):
        asked.clock.advance(10)
        answer = asked.beat(is_playing=False)

    assert answer.prompt is None
    assert answer.is_prompt_due
    assert Prompt.objects.count() == 1
    assert asked.beat(is_playing=True).prompt is not None


def test_a_question_that_never_arrived_costs_nothing(asked: Learner):
    """The line broke with the very answer that carried it."""
    lost = asked.prompt
    asked.play(300)

    answer = asked.beat()

    lost.refresh_from_db()
    assert lost.outcome == Prompt.Outcome.UNDELIVERED
    assert lost.dropped_ms == 0
    assert answer.prompt is not None
    assert answer.prompt.pk != lost.pk
    assert asked.progress().pending_ms == 60_000 + 20_000
    asked.answer_right()
    assert asked.progress().covered_ms == 80_000


def test_who_lets_questions_pass_in_silence_is_not_paid_for_it(asked: Learner):
    """I6: a beat after every deadline only, so that no question ever arrives."""
    earned = []
    for _ in range(5):
        asked.play(70)
        asked.beat()
        earned.append(asked.earned_ms())

    assert earned == [80_000] * 5
    assert asked.refused() == {"network": 5 * 50_000, "prompt": 4 * 20_000}
    asked.answer_right()
    assert asked.progress().covered_ms == 80_000
    assert asked.watch(10)[0].receipt.credited_ms == 10_000


def test_a_line_that_swallows_a_question_now_and_then_costs_nothing(asked: Learner):
    for _ in range(3):
        asked.play(70)
        asked.beat()
        asked.answer_right()
        asked.expect_prompt_after(10)
        asked.watch(10)

    assert asked.refused() == {"network": 3 * 50_000}
    assert asked.earned_ms() == 60_000 + 3 * (20_000 + 10_000)


def test_an_answer_after_the_deadline_is_too_late(asked: Learner):
    prompt = asked.prompt
    asked.clock.advance(66)

    judged = asked.answer(prompt.correct_option, prompt)

    assert judged.outcome == Prompt.Outcome.EXPIRED
    assert judged.answer.refused_ms == {"prompt": 60_000}
    assert asked.earned_ms() == 0


def test_a_repeated_answer_is_told_the_first_judgement(asked: Learner):
    prompt = asked.prompt
    asked.answer_right()
    asked.watch(10)
    until = asked.person_clock.until_prompt_ms

    judged = asked.answer("anything", prompt)

    assert judged.outcome == Prompt.Outcome.RIGHT
    assert asked.person_clock.until_prompt_ms == until
    assert asked.progress().pending_ms == 10_000


def test_an_option_that_was_not_offered_is_refused(asked: Learner):
    with pytest.raises(InvalidInputError):
        asked.answer("no such option")

    assert asked.prompt.closed_at is None
    assert asked.progress().pending_ms == 60_000


def test_the_question_of_another_person_is_unknown(asked: Learner, stranger):
    other = PromptFactory(enrolment__person=stranger)

    with pytest.raises(PromptNotFoundError):
        asked.answer("right", other)

    other.refresh_from_db()
    assert other.closed_at is None


def test_another_login_of_the_same_person_cannot_answer(asked: Learner):
    asked.login = "another login"

    with pytest.raises(SessionEndedError):
        asked.answer_right()

    assert asked.prompt.closed_at is None
    assert asked.progress().covered_ms == 0


def test_an_old_session_cannot_answer(asked: Learner, clock):
    elsewhere = Learner(asked.person, asked.enrolment.plan, clock)
    elsewhere.open(1)

    with pytest.raises(TakenOverError):
        asked.answer_right()

    assert asked.prompt.closed_at is None


def test_the_pool_of_the_chapter_is_asked_first(asked: Learner):
    chapter = asked.chapters[0]

    assert asked.prompt.question.chapter == chapter
    assert asked.prompt.question.course == chapter.course


def test_the_first_question_of_a_person_comes_early_when_settings_say_so(
    owner, clock, learning_settings
):
    learning_settings["first_prompt_seconds"] = 20
    learner = Learner(owner, make_study_plan(), clock)
    learner.open()

    answers = learner.watch(20)

    assert answers[-1].prompt is not None


def test_the_first_question_is_drawn_when_settings_name_no_time(
    owner, clock, learning_settings
):
    learning_settings["first_prompt_seconds"] = 0
    learner = Learner(owner, make_study_plan(), clock)

    learner.open()

    assert 240_000 <= learner.person_clock.until_prompt_ms <= 540_000
