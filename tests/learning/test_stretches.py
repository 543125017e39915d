"""The trace: every refused stretch and every credited one, few rows, true totals (I13)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from learning.errors import TakenOverError
from learning.models import CreditedTime, RefusedTime
from learning.services.appeals import file_appeal
from tests.learning.learner import Learner


def lose(learner: Learner, seconds: float) -> None:
    """Play on without a line."""
    learner.play(seconds)
    learner.beat()


def test_a_gap_says_which_media_and_when(learner: Learner):
    learner.watch(60)
    since = learner.clock.now
    lose(learner, 300)

    row = RefusedTime.objects.get()
    assert (row.reason, row.milliseconds) == ("network", 280_000)
    assert row.media == [[80_000, 360_000]]
    assert (row.first_at, row.last_at) == (since, learner.clock.now)
    assert (row.chapter, row.session) == (learner.chapters[0], learner.session)


def test_gaps_that_follow_closely_are_one_stretch(learner: Learner):
    learner.watch(10)
    for _ in range(5):
        lose(learner, 60)
        learner.watch(10)

    row = RefusedTime.objects.get()
    assert row.milliseconds == 5 * 40_000
    assert len(row.media) == 5
    assert learner.refused() == {"network": 200_000}


def test_gaps_far_apart_are_two_stretches(learner: Learner):
    learner.watch(10)
    lose(learner, 60)
    learner.watch(130)
    lose(learner, 60)

    assert list(RefusedTime.objects.values_list("milliseconds", flat=True)) == [
        40_000,
        40_000,
    ]
    assert learner.refused() == {"network": 80_000}


def test_an_appealed_stretch_grows_no_more(learner: Learner, owner):
    learner.watch(10)
    lose(learner, 60)
    first = RefusedTime.objects.get()
    file_appeal(
        person=owner, stretch_id=first.pk, text="断网", proofs=[], now=learner.clock.now
    )

    lose(learner, 60)

    first.refresh_from_db()
    assert first.milliseconds == 40_000
    assert RefusedTime.objects.count() == 2


def test_jumping_about_is_too_fast_and_names_the_jump(learner: Learner):
    learner.watch(10)
    learner.clock.advance(10)
    learner.beat(400)

    row = RefusedTime.objects.get()
    assert (row.reason, row.milliseconds) == ("too_fast", 10_000)
    assert row.media == [[10_000, 400_000]]


def test_watching_again_is_one_stretch(learner: Learner):
    learner.watch(60)
    learner.beat(0)
    learner.watch(60)

    row = RefusedTime.objects.get()
    assert (row.reason, row.milliseconds) == ("repeated", 60_000)
    assert row.media == [[0, 60_000]]


def test_a_missed_question_names_what_it_cost_in_every_chapter(learner: Learner):
    learner.watch(60)
    learner.open(1)
    learner.expect_prompt_after(30)
    learner.watch(30)
    # The question has arrived, and nobody answers.
    learner.beat()
    learner.clock.advance(70)
    learner.beat()

    rows = RefusedTime.objects.order_by("chapter__position")
    assert [(row.reason, row.media) for row in rows] == [
        ("prompt", [[0, 60_000]]),
        ("prompt", [[0, 30_000]]),
    ]
    assert learner.refused() == {"prompt": 90_000}


def test_a_takeover_leaves_its_time_without_media(learner: Learner, owner, clock):
    learner.watch(10)
    plan = learner.enrolment.plan
    Learner(owner, plan, clock, login="phone").open()
    learner.play(10)
    with pytest.raises(TakenOverError):
        learner.beat()

    row = RefusedTime.objects.get()
    assert (row.reason, row.milliseconds, row.media) == ("taken_over", 10_000, [])
    assert row.last_at - row.first_at == timedelta(seconds=10)


def test_a_right_answer_writes_the_stretch_it_confirms(learner: Learner):
    since = learner.clock.now
    learner.expect_prompt_after(60)
    learner.watch(60)
    assert CreditedTime.objects.count() == 0

    learner.answer_right()

    row = CreditedTime.objects.get()
    assert (row.media, row.milliseconds) == ([[0, 60_000]], 60_000)
    assert (row.first_at, row.last_at) == (since, learner.clock.now)


def test_an_hour_without_a_pause_is_one_row(learner: Learner):
    for _ in range(3):
        learner.expect_prompt_after(120)
        learner.watch(120)
        learner.answer_right()

    row = CreditedTime.objects.get()
    assert (row.media, row.milliseconds) == ([[0, 360_000]], 360_000)


def test_a_pause_begins_another_row(learner: Learner):
    learner.expect_prompt_after(60)
    learner.watch(60)
    learner.answer_right()
    learner.clock.advance(600)
    learner.beat(is_playing=False)
    learner.expect_prompt_after(60)
    learner.watch(60)
    learner.answer_right()

    first, second = CreditedTime.objects.order_by("pk")
    assert (first.media, second.media) == ([[0, 60_000]], [[60_000, 120_000]])
    assert second.first_at == learner.clock.now - timedelta(seconds=60)


def test_what_waited_in_another_chapter_keeps_its_time(learner: Learner):
    learner.watch(60)
    left_at = learner.clock.now
    learner.clock.advance(3600)
    learner.open(1)
    learner.expect_prompt_after(30)
    learner.watch(30)
    learner.answer_right()

    rows = {row.chapter: row for row in CreditedTime.objects.all()}
    old = rows[learner.chapters[0]]
    assert (old.first_at, old.last_at) == (left_at - timedelta(seconds=60), left_at)
    assert rows[learner.chapters[1]].milliseconds == 30_000


def test_what_waited_in_another_chapter_is_lost_at_one_moment(learner: Learner):
    learner.watch(60)
    learner.clock.advance(86_400)
    learner.open(1)
    opened_at = learner.clock.now
    learner.expect_prompt_after(30)
    learner.watch(30)
    learner.beat(is_playing=False)
    learner.clock.advance(70)
    learner.beat(is_playing=False)

    lost = {row.chapter: row for row in RefusedTime.objects.filter(reason="prompt")}
    old, new = (lost[learner.chapters[place]] for place in (0, 1))
    now = learner.clock.now
    assert (old.milliseconds, old.first_at, old.last_at) == (60_000, now, now)
    assert (new.milliseconds, new.first_at) == (30_000, opened_at)


def test_the_end_of_a_chapter_writes_its_stretch(learner: Learner):
    learner.open(1)
    learner.watch(300)

    assert learner.progress(1).completed_at is not None
    assert CreditedTime.objects.get().media == learner.progress(1).covered


def test_credited_stretches_add_up_to_the_coverage(learner: Learner):
    for seconds in (70, 90, 110):
        learner.expect_prompt_after(seconds)
        learner.watch(seconds)
        learner.answer_right()
        lose(learner, 50)
        learner.beat(learner.position - 30)

    total = sum(CreditedTime.objects.values_list("milliseconds", flat=True))
    assert total == learner.progress().covered_ms


def test_a_beat_that_earns_writes_no_stretch(learner: Learner):
    learner.watch(20)
    learner.play(10)

    with CaptureQueriesContext(connection) as queries:
        learner.beat()

    writes = [
        each["sql"]
        for each in queries
        if "edtime" in each["sql"] and not each["sql"].startswith("SELECT")
    ]
    assert writes == []


def test_a_question_elsewhere_is_no_contact_with_a_chapter(learner: Learner):
    learner.watch(60)
    left_at = learner.clock.now
    learner.clock.advance(3600)
    learner.open(1)
    learner.expect_prompt_after(30)
    learner.watch(30)
    learner.answer_right()

    assert learner.progress(0).covered_ms == 60_000
    assert learner.progress(0).updated_at == left_at
    assert learner.progress(1).updated_at == learner.clock.now
