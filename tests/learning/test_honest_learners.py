"""Learners who must lose nothing, or only what is named (the list of learning.md)."""

from random import Random

import pytest

from learning.errors import SessionEndedError, TakenOverError
from learning.models import Enrolment, Prompt
from learning.services import close_idle_sessions
from tests.factories.accounts import UserFactory
from tests.factories.learning import make_study_plan
from tests.learning.learner import Learner, TestClock


def watch_on_a_bad_line(learner: Learner, seconds: int, rng: Random) -> None:
    """Every fifth beat is lost on the way; of those that arrive, some lose their answer.

    The player does what it does for real: it asks again after some seconds, with the next
    number and with the position of that moment.
    """
    until_beat = 10
    for _ in range(seconds):
        learner.play(1)
        until_beat -= 1
        if until_beat == 0:
            learner.sequence += 1
            is_lost = rng.random() < 0.2
            is_answer_lost = rng.random() < 0.2
            if not is_lost:
                learner.beat(sequence=learner.sequence)
            until_beat = rng.choice([1, 2, 4]) if is_lost or is_answer_lost else 10


@pytest.mark.parametrize("seed", range(5))
def test_a_fifth_of_the_beats_lost(learner: Learner, seed: int):
    watch_on_a_bad_line(learner, 600, Random(seed))
    learner.beat()

    assert learner.progress().covered_ms >= 600_000 * 0.9
    assert learner.progress().covered_ms <= 600_000
    assert learner.progress().completed_at is not None


def test_a_lost_beat_without_a_second_try(learner: Learner):
    """H lost, G paid: the next beat makes up for one that was never seen."""
    for number in range(1, 31):
        learner.play(10)
        if number % 2 == 0:
            learner.beat()

    assert learner.earned_ms() == 300_000


def test_five_minutes_offline_cost_what_is_named(learner: Learner):
    learner.watch(60)
    learner.play(300)
    learner.beat()
    learner.watch(60)

    assert learner.earned_ms() == 60_000 + 20_000 + 60_000
    assert learner.refused() == {"network": 280_000}


def test_what_was_lost_offline_can_be_watched_again(learner: Learner):
    learner.watch(60)
    learner.play(300)
    learner.beat()

    learner.beat(80)
    learner.watch(280)

    assert learner.progress().pending == [[0, 360_000]]


def test_a_crash_loses_no_more_than_a_beat(learner: Learner):
    learner.watch(60)
    learner.play(9)
    answer = learner.open()
    learner.watch(30)

    assert answer.progress.position_ms == 60_000
    assert learner.progress().pending == [[0, 90_000]]


def test_a_reload_with_a_question_open_shows_it_again(learner: Learner):
    learner.expect_prompt_after(60)
    learner.watch(60)
    code = learner.prompt.code
    learner.close()
    learner.clock.advance(5)

    answer = learner.open()

    assert answer.prompt is not None
    assert answer.prompt.code == code
    learner.answer_right()
    assert learner.progress().covered_ms == 60_000


def test_a_question_that_came_with_a_crash_costs_nothing(learner: Learner):
    """The page froze for a phone call before it could show the question."""
    learner.expect_prompt_after(60)
    learner.watch(60)
    learner.clock.advance(1200)
    close_idle_sessions(now=learner.clock.now)
    with pytest.raises(SessionEndedError):
        learner.beat()

    answer = learner.open()

    assert answer.prompt is not None
    assert answer.prompt.closed_at is None
    learner.answer_right()
    assert learner.progress().covered_ms == 60_000
    assert Prompt.objects.filter(dropped_ms__gt=0).count() == 0


def test_back_the_next_day(learner: Learner):
    learner.watch(60)
    learner.close()
    learner.clock.advance(86_400)

    answer = learner.open()
    learner.watch(60)

    assert answer.progress.position_ms == 60_000
    assert learner.progress().pending == [[0, 120_000]]


def test_a_pause_of_an_hour_costs_nothing(learner: Learner):
    learner.watch(55)
    learner.beat(is_playing=False)
    learner.clock.advance(850)
    learner.beat()
    learner.watch(30)

    assert learner.progress().pending == [[0, 85_000]]
    assert learner.refused() == {}


def test_phone_and_computer_in_turn(learner: Learner, clock: TestClock):
    phone = Learner(learner.person, learner.enrolment.plan, clock, login="phone")
    for device in (learner, phone, learner, phone):
        device.open()
        device.watch(60)
        device.close()

    assert learner.progress().pending == [[0, 240_000]]


def test_going_back_to_the_computer_is_said_kindly(learner: Learner, clock: TestClock):
    phone = Learner(learner.person, learner.enrolment.plan, clock, login="phone")
    learner.watch(30)
    phone.open()
    with pytest.raises(TakenOverError, match="其他窗口或设备"):
        learner.beat()

    learner.open()

    assert learner.watch(10)[0].receipt.credited_ms == 10_000


def test_a_buffering_video_costs_nothing(learner: Learner):
    """It stands for seven seconds of every ten; what plays counts."""
    for _ in range(20):
        learner.clock.advance(7)
        learner.play(3)
        learner.beat()

    assert learner.earned_ms() == 60_000
    assert learner.refused() == {}


def test_answers_that_take_three_seconds_cost_nothing(learner: Learner):
    """A beat leaves on time and arrives late; the next one arrives on time."""
    for number in range(1, 31):
        delay = 3 if number % 2 else 0
        learner.clock.advance(10 + delay - (0 if number % 2 else 3))
        learner.beat(number * 10)

    assert learner.earned_ms() == 300_000
    assert learner.refused() == {}


def test_slow_readers_keep_what_they_watched(learner: Learner):
    learner.expect_prompt_after(60)
    learner.watch(60)
    learner.clock.advance(59)

    learner.answer_right()

    assert learner.progress().covered_ms == 60_000


def test_two_hundred_people_do_not_share_a_clock(db: None, clock: TestClock):
    plan = make_study_plan()
    people = [Learner(UserFactory(), plan, clock) for _ in range(20)]
    for person in people:
        person.open()
        person.expect_prompt_after(10_000)
    clock.advance(10)
    for person in people:
        person.beat(10)

    assert {person.earned_ms() for person in people} == {10_000}


def test_a_whole_plan_with_every_question_answered(owner, clock: TestClock):
    learner = Learner(owner, make_study_plan(courses=2, chapters=(900_000,)), clock)
    for chapter in range(2):
        learner.open(chapter)
        learner.watch_answering(900)

    enrolment = Enrolment.objects.get()
    answered = Prompt.objects.filter(outcome=Prompt.Outcome.RIGHT).count()
    assert enrolment.state == Enrolment.State.COMPLETED
    # Half an hour, a question after 20 seconds and then every four to nine minutes.
    assert 4 <= answered <= 8
