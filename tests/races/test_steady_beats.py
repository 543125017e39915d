"""The hot path on raw connections: in parallel, and through a restart of the database."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone

from learning.errors import LearningError
from learning.models import ChapterProgress, PersonClock, PlaySession
from learning.rules.beat_tokens import BeatClaim
from learning.rules.intervals import merge_intervals, total_ms
from learning.services import Beat, close_session, open_session, record_beat
from learning.services.steady_beats import SteadyAnswer, record_steady_beat
from learning.services.terms import read_terms
from portal.lib.raw_connections import (
    PostgresRaw,
    RawConnections,
    open_raw_connections,
)
from tests.factories.accounts import UserFactory
from tests.factories.learning import make_study_plan
from tests.learning.learner import TestClock
from tests.learning.steady import SteadyLearner
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 12
SECONDS = 2.0
only_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has no server"
)


@pytest.fixture
def raw() -> Iterator[RawConnections]:
    connections = open_raw_connections()
    yield connections
    connections.close()


@pytest.fixture
def learner() -> SteadyLearner:
    """A second into a chapter of an hour, in real time; no question is near."""
    learner = SteadyLearner(
        UserFactory(), make_study_plan(chapters=(3_600_000,)), TestClock(timezone.now())
    )
    learner.open()
    learner.expect_prompt_after(100_000)
    PersonClock.objects.update(last_beat_at=timezone.now() - timedelta(seconds=1))
    learner.clock.now = timezone.now()
    learner.beat(1)
    return learner


def steady(
    raw: RawConnections,
    learner: SteadyLearner,
    sequence: int,
    position_ms: int,
    *,
    now: datetime | None = None,
) -> SteadyAnswer | None:
    return record_steady_beat(
        raw.fetch,
        learner.claim(),
        Beat(learner.session, sequence, position_ms, is_playing=True),
        terms=read_terms(),
        now=now or timezone.now(),
    )


@pytest.mark.parametrize("share", [0, 4], ids=["hot path", "every fourth in full"])
def test_twelve_threads_earn_no_more_than_the_clock(
    raw: RawConnections, learner: SteadyLearner, share: int
):
    """Every beat claims a few milliseconds more than the last, oftener than time allows.

    Two web processes take them, each with connections of its own.
    """
    processes = (raw, open_raw_connections())
    begun = PersonClock.objects.get()
    barrier = threading.Barrier(THREADS)
    numbers = count(2)
    taken: list[int] = []
    reached = begun.last_position_ms

    def hammer(more_ms: int) -> None:
        nonlocal reached
        barrier.wait()
        end = monotonic() + SECONDS
        while monotonic() < end:
            number = next(numbers)
            position_ms = reached + 1 + more_ms
            answer = None
            if not share or number % share:
                answer = steady(processes[number % 2], learner, number, position_ms)
            if answer:
                taken.append(number)
                reached = max(reached, position_ms)
            elif share and not number % share:
                record_beat(
                    person=learner.person,
                    login=learner.login,
                    beat=Beat(learner.session, number, position_ms, is_playing=True),
                    clock=timezone.now,
                )
        connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(hammer, range(THREADS)))
    processes[1].close()

    clock = PersonClock.objects.get()
    elapsed_ms = (clock.last_beat_at - begun.last_beat_at).total_seconds() * 1000
    assert taken
    assert 0 < clock.credited_ms - begun.credited_ms <= elapsed_ms
    learner.sequence = clock.sequence
    learner.clock.now = timezone.now()
    learner.beat(clock.last_position_ms / 1000)
    assert ChapterProgress.objects.get().pending_ms == clock.credited_ms


class Windows:
    """Windows of one person that report, open and close as fast as they can."""

    def __init__(self, raw: RawConnections, learner: SteadyLearner) -> None:
        self.raw, self.learner = raw, learner
        self.numbers = count(2)

    def report(self) -> Beat:
        """A little further than the last one; of no session while none is open."""
        row = PersonClock.objects.get()
        session, position_ms = row.session or "none", row.last_position_ms + 3
        return Beat(session, next(self.numbers), position_ms, is_playing=True)

    def tell(self, service: Callable[..., object], beat: Beat) -> None:
        person, login = self.learner.person, self.learner.login
        service(person=person, login=login, beat=beat, clock=timezone.now)

    def play(self) -> None:
        beat = self.report()
        claim = BeatClaim(self.learner.person.pk, beat.session, self.learner.login)
        if not record_steady_beat(
            self.raw.fetch, claim, beat, terms=read_terms(), now=timezone.now()
        ):
            self.tell(record_beat, beat)

    def open(self) -> None:
        open_session(
            person=self.learner.person,
            enrolment=self.learner.enrolment,
            chapter=self.learner.chapters[0],
            login=self.learner.login,
            position_ms=None,
            clock=timezone.now,
        )
        sleep(0.1)

    def close(self) -> None:
        self.tell(close_session, self.report())
        sleep(0.1)

    @staticmethod
    def keep(deed: Callable[[], None]) -> None:
        end = monotonic() + SECONDS
        while monotonic() < end:
            with suppress(LearningError):
                deed()


def test_what_ends_a_run_neither_loses_nor_doubles_it(
    raw: RawConnections, learner: SteadyLearner
):
    """Beats take both ways while other windows open and close around them."""
    begun = PersonClock.objects.get()
    windows = Windows(raw, learner)
    deeds = [windows.open, windows.close, *[windows.play] * 4]

    run_together(*(partial(windows.keep, deed) for deed in deeds))
    windows.open()

    progress, row = ChapterProgress.objects.get(), PersonClock.objects.get()
    ended = PlaySession.objects.filter(ended_at__isnull=False)
    credited_ms = sum(ended.values_list("credited_ms", flat=True))
    elapsed_ms = (row.last_beat_at - begun.opened_at).total_seconds() * 1000
    assert not row.has_run
    assert 1_000 < progress.pending_ms == credited_ms <= elapsed_ms + 1_000
    assert progress.pending_ms == total_ms(merge_intervals(progress.pending))


def test_a_beat_at_two_workers_counts_once(raw: RawConnections, learner: SteadyLearner):
    PersonClock.objects.update(last_beat_at=timezone.now() - timedelta(seconds=9))

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(
            pool.map(lambda _: steady(raw, learner, 2, 9_000), range(THREADS))
        )

    (taken,) = [answer for answer in answers if answer]
    assert taken.credited_ms == 8_000
    assert PersonClock.objects.get().credited_ms == 9_000


def test_a_late_beat_does_not_turn_the_clock_back(
    raw: RawConnections, learner: SteadyLearner
):
    """The statement waited for the row with a time read before another's."""
    late = timezone.now() + timedelta(seconds=1)
    steady(raw, learner, 2, 3_000, now=late + timedelta(seconds=1))
    row = PersonClock.objects.get()

    assert steady(raw, learner, 3, 13_000, now=late) is None
    answer = steady(raw, learner, 4, 3_000, now=late)

    assert answer is not None
    assert answer.credited_ms == 0
    assert PersonClock.objects.get().last_beat_at == row.last_beat_at


def kill_raw_connections() -> int:
    """End them at the server as a restart does; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE '%UPDATE learning_personclock%'"
        )
        return int(cursor.fetchone()[0])


@only_postgresql
def test_a_restart_of_the_database_loses_no_beat(
    raw: RawConnections, learner: SteadyLearner
):
    now = timezone.now()
    first = steady(raw, learner, 2, 2_000, now=now + timedelta(seconds=1))
    assert kill_raw_connections() == 1

    second = steady(raw, learner, 3, 3_000, now=now + timedelta(seconds=2))

    assert first is not None
    assert second is not None
    assert (second.credited_ms, PersonClock.objects.get().credited_ms) == (1_000, 3_000)


@only_postgresql
def test_a_database_that_is_gone_is_said_so_and_found_again(
    raw: RawConnections, learner: SteadyLearner, monkeypatch: Any
):
    now = timezone.now() + timedelta(seconds=1)
    small = PostgresRaw(size=1)
    assert steady(small, learner, 2, 1_000, now=now) is not None
    with monkeypatch.context() as broken:
        broken.setitem(connection.settings_dict, "PORT", "1")
        kill_raw_connections()
        with pytest.raises(DatabaseError, match="no raw connection"):
            steady(small, learner, 3, 1_000, now=now)

    assert steady(small, learner, 4, 1_000, now=now) is not None
    small.close()


@only_postgresql
def test_a_row_that_stays_locked_is_left_to_django(
    raw: RawConnections, learner: SteadyLearner
):
    """A group's refund holds its people's clocks; the connection is free again soon."""
    now = timezone.now() + timedelta(seconds=1)
    assert steady(raw, learner, 2, 1_000, now=now) is not None
    with transaction.atomic():
        PersonClock.objects.select_for_update().get()

        with pytest.raises(DatabaseError):
            steady(raw, learner, 3, 1_000, now=now)

    assert steady(raw, learner, 4, 1_000, now=now) is not None


@only_postgresql
def test_beats_wait_for_no_disk_whatever_pages_do(
    raw: RawConnections, monkeypatch: pytest.MonkeyPatch
):
    options = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "options", "-c synchronous_commit=on")

    assert raw.fetch("SHOW synchronous_commit", {}) == ("off",)


@only_postgresql
def test_the_statement_is_planned_once(raw: RawConnections, learner: SteadyLearner):
    """Parsing and planning it at every beat would cost three times as much."""
    now = timezone.now()
    for sequence in (2, 3, 4):
        assert steady(raw, learner, sequence, 1_000, now=now) is not None

    found = raw.fetch(
        "SELECT count(*), sum(generic_plans + custom_plans) FROM pg_prepared_statements"
        " WHERE statement LIKE %(hot)s",
        {"hot": "%UPDATE learning_personclock%"},
    )
    assert found == (1, 3)


def test_raw_connections_keep_the_pragmas(raw: RawConnections):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has none")
    assert raw.fetch("PRAGMA synchronous", {}) == (1,)
    assert raw.fetch("PRAGMA journal_mode", {}) == ("wal",)
    assert raw.fetch("PRAGMA busy_timeout", {}) == (20_000,)


def test_a_busy_database_is_left_to_django(
    raw: RawConnections, learner: SteadyLearner, monkeypatch: pytest.MonkeyPatch
):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has many writers")
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
    now = timezone.now() + timedelta(seconds=1)
    with transaction.atomic(), pytest.raises(DatabaseError, match="no raw statement"):
        steady(raw, learner, 2, 1_500, now=now)

    answer = steady(raw, learner, 2, 1_500, now=now)

    assert answer is not None
    assert answer.credited_ms == 500


@only_postgresql
def test_a_restart_in_the_midst_of_a_full_beat_changes_nothing(
    learner: SteadyLearner, monkeypatch: pytest.MonkeyPatch
):
    """The same beat, sent again, is paid once."""
    learner.clock.advance(10)
    learner.position = 11
    before = ChapterProgress.objects.values().get()

    def restart(*given: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as broken:
        broken.setattr("learning.services.ledger.build_answer", restart)
        with pytest.raises(OperationalError):
            learner.beat()
    connection.close()

    assert ChapterProgress.objects.values().get() == before
    assert learner.person_clock.sequence == 1
    assert learner.beat(sequence=2).receipt.credited_ms == 10_000
    assert ChapterProgress.objects.get().pending_ms == 11_000


def test_raw_connections_are_kept_and_few(raw: RawConnections, learner: SteadyLearner):
    """However many threads come and go."""
    for _ in range(3):
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda _: steady(raw, learner, 1, 0), range(THREADS)))
    if connection.vendor == "postgresql":
        assert 1 <= kill_raw_connections() <= 6
