"""Parallel beats of one person: the sum never exceeds the clock, on either database (I2).

The obvious single UPDATE pays five times the clock on PostgreSQL and ten times on SQLite: a
statement that waited for the row lock goes on with its old time.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from time import monotonic
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from learning.errors import TakenOverError
from learning.models import ChapterProgress, Enrolment, PersonClock, PlaySession, Prompt
from learning.services import (
    Beat,
    StudyAnswer,
    open_enrolments,
    open_session,
    record_beat,
)
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PlanFactory
from tests.factories.learning import enrol, list_chapters, make_study_plan
from tests.learning.learner import Learner, TestClock

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 12
SECONDS = 2.0


class Study:
    """One person with two chapters of an hour, in real time; no question is near."""

    def __init__(self) -> None:
        self.person = UserFactory()
        plan = make_study_plan(chapters=(3_600_000, 3_600_000))
        self.enrolment = enrol(self.person, plan)
        self.chapters = list_chapters(plan)

    def open(self, chapter: int = 0) -> str:
        return open_session(
            person=self.person,
            enrolment=self.enrolment,
            chapter=self.chapters[chapter],
            login="login",
            position_ms=0,
            clock=timezone.now,
        ).session

    def beat(self, session: str, sequence: int, position_ms: int) -> StudyAnswer:
        return record_beat(
            person=self.person,
            login="login",
            beat=Beat(session, sequence, position_ms, is_playing=True),
            clock=timezone.now,
        )


@pytest.fixture
def study(settings: Any) -> Study:
    settings.LEARNING = settings.LEARNING | {"first_prompt_seconds": 100_000}
    return Study()


def run_in_threads(work: Callable[[int], None]) -> None:
    """Run `work(number)` in twelve threads at once; the first exception is raised."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))


def test_twelve_threads_earn_no_more_than_the_clock(study: Study):
    """Every beat claims a little more than the clock: only elapsed time holds it back."""
    session = study.open()
    started = PersonClock.objects.get().opened_at
    counter = count(1)

    def hammer(number: int) -> None:
        end = monotonic() + SECONDS
        while monotonic() < end:
            played_ms = (timezone.now() - started) // timedelta(milliseconds=1)
            study.beat(session, next(counter), played_ms + 4_000)

    run_in_threads(hammer)

    clock = PersonClock.objects.get()
    elapsed_ms = (clock.last_beat_at - started).total_seconds() * 1000
    progress = ChapterProgress.objects.get()
    assert progress.pending_ms == clock.credited_ms
    assert 0 < progress.pending_ms <= elapsed_ms


def test_the_same_beat_at_two_workers_counts_once(study: Study):
    """I8."""
    session = study.open()
    PersonClock.objects.update(last_beat_at=timezone.now() - timedelta(seconds=9))
    told = []

    def send(number: int) -> None:
        answer = study.beat(session, 1, 8_000)
        told.append(answer.receipt.credited_ms)

    run_in_threads(send)

    assert told == [8_000] * THREADS
    assert ChapterProgress.objects.get().pending == [[0, 8_000]]


def test_twelve_openings_leave_one_live_session(study: Study):
    """I9."""
    opened: list[str] = []

    run_in_threads(lambda number: opened.append(study.open(number % 2)))

    live = PlaySession.objects.get(ended_at__isnull=True)
    ended = PlaySession.objects.exclude(pk=live.pk)
    assert PersonClock.objects.get().session == live.code
    assert len(set(opened)) == THREADS
    assert set(ended.values_list("end", flat=True)) == {PlaySession.End.TAKEN_OVER}


def test_windows_that_fight_share_one_clock(study: Study):
    """I2: every window opens its own session and beats until another takes over."""
    study.open()
    started = PersonClock.objects.get().opened_at

    def fight(number: int) -> None:
        end = monotonic() + SECONDS
        while monotonic() < end:
            session = study.open(number % 2)
            try:
                for sequence in range(1, 4):
                    study.beat(session, sequence, sequence * 1_500)
            except TakenOverError:
                continue

    run_in_threads(fight)

    elapsed_ms = (timezone.now() - started).total_seconds() * 1000
    earned = sum(
        row.pending_ms + row.covered_ms for row in ChapterProgress.objects.all()
    )
    assert earned <= elapsed_ms


def test_one_question_is_issued_however_many_beats_ask(study: Study):
    session = study.open()
    PersonClock.objects.update(until_prompt_ms=0)
    counter = count(1)

    def beat(number: int) -> None:
        study.beat(session, next(counter), 0)

    run_in_threads(beat)

    assert Prompt.objects.count() == 1


def test_one_right_answer_counts_once():
    learner = Learner(
        UserFactory(), make_study_plan(chapters=(20_000,)), TestClock(timezone.now())
    )
    learner.open()
    learner.expect_prompt_after(20)
    learner.watch(20)
    prompt = learner.prompt
    outcomes: list[str] = []

    def answer(number: int) -> None:
        outcomes.append(learner.answer(prompt.correct_option, prompt).outcome)

    run_in_threads(answer)

    enrolment = Enrolment.objects.get()
    assert outcomes == [Prompt.Outcome.RIGHT] * THREADS
    assert enrolment.elective_earned == 5
    assert enrolment.course_completions.count() == 1


def test_two_orders_for_the_same_people_open_each_once():
    """Group orders in opposite order must not deadlock."""
    plan = PlanFactory()
    people = [UserFactory() for _ in range(30)]

    def buy(number: int) -> None:
        open_enrolments(
            plan=plan,
            users=people if number % 2 else people[::-1],
            source=Enrolment.Source.ORDER,
            source_number=f"N{number}",
            now=timezone.now(),
        )

    run_in_threads(buy)

    assert Enrolment.objects.count() == len(people)
