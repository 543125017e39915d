"""The working set of one contact with a learner: the locked clock and the chapter under it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from learning.errors import (
    LearningError,
    NotEntitledError,
    SessionEndedError,
    SessionNotFoundError,
    TakenOverError,
)
from learning.locks import find_locked_clock
from learning.models import (
    ChapterProgress,
    Enrolment,
    PersonClock,
    PlaySession,
    Prompt,
    RefusedTime,
)
from learning.queries import read_refused_ms
from learning.queries.appeals import find_progress
from learning.rules.credit import Refusal, Terms
from learning.rules.intervals import merge_intervals, total_ms
from learning.services.stretches import add_refused_time

Clock = Callable[[], datetime]


def milliseconds_between(start: datetime, end: datetime) -> int:
    return max(0, (end - start) // timedelta(milliseconds=1))


@dataclass
class Study:
    """One contact: everything is read and changed while the person's clock is locked.

    `refused` and `completed` collect what the contact led to.
    """

    clock: PersonClock
    progress: ChapterProgress
    terms: Terms
    now: datetime
    refused: Counter[Refusal] = field(default_factory=Counter)
    completed: set[str] = field(default_factory=set)

    @property
    def person_id(self) -> int:
        return self.clock.person_id

    @property
    def enrolment(self) -> Enrolment:
        return self.progress.enrolment

    @property
    def is_prompt_due(self) -> bool:
        """Nothing is credited for good until a question has been answered."""
        return self.clock.until_prompt_ms == 0


@dataclass(frozen=True)
class Receipt:
    """What one beat led to; kept with the clock, so that a repeat is told the same."""

    credited_ms: int = 0
    refused_ms: int = 0
    refusal: str = ""
    course_completed: bool = False
    plan_completed: bool = False

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class StudyAnswer:
    """What the player is told after a contact."""

    session: str
    sequence: int
    receipt: Receipt
    progress: ChapterProgress
    prompt: Prompt | None
    is_prompt_due: bool
    hold_until: datetime | None
    refused_ms: dict[str, int]
    terms: Terms
    now: datetime


def read_now(clock: Clock, row: PersonClock) -> datetime:
    """The time, read while the row is locked, never before the row's last beat.

    A beat that waited for the lock with an older time would be paid the same seconds again.
    """
    now = clock()
    return max(now, row.last_beat_at) if row.last_beat_at else now


def load_study(row: PersonClock, terms: Terms, now: datetime) -> Study:
    """The working set of the clock's live session, with its run folded in."""
    progress = _read_progress(row)
    if row.has_run:
        fold_run(row, progress)
    progress.updated_at = now
    return Study(row, progress, terms, now)


def _read_progress(row: PersonClock) -> ChapterProgress:
    if row.enrolment_id is None or row.chapter_id is None:
        raise SessionEndedError
    return ChapterProgress.objects.select_related(
        "enrolment__plan", "chapter__video", "chapter__course"
    ).get(enrolment_id=row.enrolment_id, chapter_id=row.chapter_id)


def fold_run(row: PersonClock, progress: ChapterProgress) -> None:
    """Put what steady beats have earned into the chapter's pending time.

    The caller holds the clock; everything that reads or judges pending time comes after this.
    """
    run = (row.run_from_ms, row.last_position_ms)
    progress.pending = merge_intervals([*progress.pending, run])
    progress.pending_ms = total_ms(progress.pending)
    progress.position_ms = row.last_position_ms
    progress.updated_at = row.last_beat_at or progress.updated_at
    progress.save(update_fields=["pending", "pending_ms", "position_ms", "updated_at"])
    row.run_from_ms = row.last_position_ms
    row.save(update_fields=["run_from_ms"])


def lock_progress(
    person_id: int, enrolment_id: int, chapter_id: int
) -> ChapterProgress | None:
    """How far a chapter is, with the person's clock locked, for a decision of staff.

    What is being played is folded in, and the next beat looks anew at what is covered.
    """
    row = find_locked_clock(person_id)
    if row is not None and row.session:
        if row.has_run:
            fold_run(row, _read_progress(row))
        row.run_limit_ms = row.last_position_ms
        row.save(update_fields=["run_limit_ms"])
    return find_progress(enrolment_id, chapter_id)


def refuse_time(
    study: Study,
    reason: Refusal,
    milliseconds: int,
    media: Iterable[Sequence[int]] = (),
) -> None:
    """Write down that time watched since the last beat does not count, and why."""
    if milliseconds <= 0:
        return
    study.refused[reason] += milliseconds
    add_refused_time(
        study.clock.session,
        reason,
        milliseconds,
        enrolment_id=study.progress.enrolment_id,
        chapter_id=study.progress.chapter_id,
        media=media,
        since=study.clock.last_beat_at or study.now,
        now=study.now,
    )


def end_live_session(row: PersonClock, end: PlaySession.End, now: datetime) -> None:
    """End the session the clock names, if any; the caller saves the clock."""
    if row.session:
        if row.has_run:
            fold_run(row, _read_progress(row))
        PlaySession.objects.filter(code=row.session, ended_at__isnull=True).update(
            ended_at=now,
            end=end,
            credited_ms=row.credited_ms,
            beats=row.beats,
            jitter_ms=row.jitter_ms,
        )
    row.session = ""


def refuse_stale_session(
    person: User, session: str, terms: Terms, now: datetime
) -> LearningError:
    """The error for a beat whose session is not the live one of this login.

    The first beat after a takeover or a revocation leaves its time behind as refused.
    """
    ended = PlaySession.objects.filter(code=session, person=person).first()
    if ended is None:
        return SessionNotFoundError()
    errors = {
        PlaySession.End.TAKEN_OVER: (TakenOverError(), Refusal.TAKEN_OVER),
        PlaySession.End.REVOKED: (NotEntitledError(), Refusal.NOT_ENTITLED),
    }
    if ended.ended_at is None or ended.end not in errors:
        return SessionEndedError()
    error, reason = errors[PlaySession.End(ended.end)]
    if not RefusedTime.objects.filter(session=session, reason=reason).exists():
        add_refused_time(
            session,
            reason,
            min(milliseconds_between(ended.ended_at, now), terms.gap_ms),
            enrolment_id=ended.enrolment_id,
            chapter_id=ended.chapter_id,
            since=ended.ended_at,
            now=now,
        )
    return error


def build_answer(study: Study, receipt: Receipt, prompt: Prompt | None) -> StudyAnswer:
    """The answer as the rows stand now."""
    return StudyAnswer(
        session=study.clock.session,
        sequence=study.clock.sequence,
        receipt=receipt,
        progress=study.progress,
        prompt=prompt,
        is_prompt_due=study.is_prompt_due,
        hold_until=study.clock.hold_until,
        refused_ms=read_refused_ms(study.clock.session),
        terms=study.terms,
        now=study.now,
    )
