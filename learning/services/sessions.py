"""Play sessions: opened by the server, one per person, ended politely."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from catalog.models import Chapter, Video
from learning.errors import (
    LearningError,
    NotEntitledError,
    OutsideTrainingPeriodError,
    VideoUnavailableError,
)
from learning.locks import find_locked_clock, get_locked_clock, lock_clock
from learning.models import ChapterProgress, Enrolment, PersonClock, PlaySession
from learning.rules.credit import Terms
from learning.rules.prompts import draw_prompt_delay_ms
from learning.services.ledger import Beat, accept_beat
from learning.services.prompts import RANDOM, settle_open_prompt
from learning.services.study import (
    Clock,
    Receipt,
    StudyAnswer,
    build_answer,
    end_live_session,
    load_study,
    read_now,
)
from learning.services.terms import read_terms
from portal.lib.codes import random_code

SESSION_CODE_LENGTH = 26
IDLE_BATCH = 500


def open_session(
    *,
    person: User,
    enrolment: Enrolment,
    chapter: Chapter,
    login: str,
    position_ms: int | None,
    clock: Clock,
) -> StudyAnswer:
    """Open the player on a chapter and make it the person's only live session.

    The chapter belongs to the enrolment's plan (`queries.get_plan_chapter`). `position_ms` is
    where the player stands, None to go on where the learner left. Time counts from here; the
    session before this one is ended.

    Raises NotEntitledError, OutsideTrainingPeriodError or VideoUnavailableError.
    """
    terms = read_terms()
    with transaction.atomic():
        row = lock_clock(person, first_prompt_ms=_draw_first_prompt_ms(terms))
        now = read_now(clock, row)
        _check_may_study(Enrolment.objects.get(pk=enrolment.pk), now)
        duration_ms = _read_playable_ms(chapter)
        # Before the position is read: what the old session played belongs to it.
        end_live_session(row, PlaySession.End.TAKEN_OVER, now)
        progress, _ = ChapterProgress.objects.get_or_create(
            enrolment=enrolment, chapter=chapter, defaults={"updated_at": now}
        )
        start = progress.position_ms if position_ms is None else position_ms
        _start_session(row, enrolment, chapter, login, min(start, duration_ms), now)
        study = load_study(row, terms, now)
        prompt = settle_open_prompt(study)
        row.save()
        return build_answer(study, Receipt(), prompt)


def _draw_first_prompt_ms(terms: Terms) -> int:
    return terms.first_prompt_ms or draw_prompt_delay_ms(terms.prompt_after_ms, RANDOM)


def _check_may_study(enrolment: Enrolment, now: datetime) -> None:
    if not enrolment.is_live:
        raise NotEntitledError
    if not enrolment.plan.is_open_for_study(timezone.localdate(now)):
        raise OutsideTrainingPeriodError


def _read_playable_ms(chapter: Chapter) -> int:
    video = chapter.video
    if video is None or video.state != Video.State.READY:
        raise VideoUnavailableError
    return video.duration_ms


def _start_session(
    row: PersonClock,
    enrolment: Enrolment,
    chapter: Chapter,
    login: str,
    position_ms: int,
    now: datetime,
) -> None:
    row.session = random_code(SESSION_CODE_LENGTH)
    row.login = login
    row.enrolment = enrolment
    row.chapter = chapter
    row.sequence = 0
    row.last_answer = Receipt().as_json()
    row.opened_at = row.last_beat_at = now
    row.last_position_ms = row.run_from_ms = row.run_limit_ms = position_ms
    row.balance_ms = row.credited_ms = row.beats = row.jitter_ms = 0
    row.last_gained_ms = None
    PlaySession.objects.create(
        code=row.session,
        person_id=row.person_id,
        enrolment=enrolment,
        chapter=chapter,
        opened_at=now,
    )


def close_session(*, person: User, login: str, beat: Beat, clock: Clock) -> None:
    """Take the last beat of a page that closes, and end its session.

    Raises what `record_beat` raises.
    """
    with transaction.atomic():
        answer = accept_beat(person, login, beat, clock)
        if not isinstance(answer, LearningError):
            row = get_locked_clock(person.pk)
            end_live_session(row, PlaySession.End.CLOSED, answer.now)
            row.save(update_fields=["session"])
    if isinstance(answer, LearningError):
        raise answer


def close_idle_sessions(*, now: datetime) -> int:
    """End sessions that have not been heard of for long; returns how many."""
    limit = now - timedelta(milliseconds=read_terms().idle_ms)
    idle = (
        PersonClock.objects.exclude(session="")
        .filter(last_beat_at__lt=limit)
        .order_by("pk")
    )
    closed = 0
    for person_id in list(idle.values_list("pk", flat=True)[:IDLE_BATCH]):
        closed += _close_if_idle(person_id, limit, now)
    return closed


@transaction.atomic
def _close_if_idle(person_id: int, limit: datetime, now: datetime) -> bool:
    row = find_locked_clock(person_id)
    # A beat may have come in since the list was read.
    if row is None or not row.session or row.last_beat_at is None:
        return False
    if row.last_beat_at >= limit:
        return False
    end_live_session(row, PlaySession.End.IDLE, now)
    row.save(update_fields=["session"])
    return True
