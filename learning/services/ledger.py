"""The ledger: the server credits time, the browser only reports."""

from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from learning.errors import InvalidInputError, LearningError
from learning.locks import find_locked_clock
from learning.models import PersonClock
from learning.queries import find_open_prompt
from learning.rules.credit import (
    BeatCredit,
    Movement,
    Refusal,
    credit_beat,
    is_chapter_covered,
)
from learning.rules.intervals import (
    covers,
    merge_intervals,
    subtract_intervals,
    total_ms,
)
from learning.rules.steady import find_run_limit_ms, measure_jitter_ms
from learning.services.completion import COURSE, PLAN, confirm_pending, save_progress
from learning.services.prompts import (
    is_credit_stopped,
    issue_due_prompt,
    settle_open_prompt,
)
from learning.services.stretches import add_credited_time
from learning.services.study import (
    Clock,
    Receipt,
    Study,
    StudyAnswer,
    build_answer,
    load_study,
    milliseconds_between,
    read_now,
    refuse_stale_session,
    refuse_time,
)
from learning.services.terms import read_terms

# Players count a video's length a little differently from the probe.
END_SLACK_MS = 5_000


@dataclass(frozen=True)
class Beat:
    """What the player reports: nothing else it says is read.

    `is_hidden` (the page is in the background) changes nothing: who answers the questions
    may listen.
    """

    session: str
    sequence: int
    position_ms: int
    is_playing: bool
    is_hidden: bool = False


def record_beat(*, person: User, login: str, beat: Beat, clock: Clock) -> StudyAnswer:
    """Credit what a beat is worth and answer how the learner stands.

    `login` names the login the session is bound to; `clock` is read once the person's row is
    locked. A sequence number seen before earns nothing and is answered as before.

    Raises TakenOverError, SessionEndedError, SessionNotFoundError or NotEntitledError for a
    session that is not the live one, InvalidInputError for a position outside the video.
    """
    with transaction.atomic():
        answer = accept_beat(person, login, beat, clock)
    # Raised out here, so that a refusal's own row is kept.
    if isinstance(answer, LearningError):
        raise answer
    return answer


def accept_beat(
    person: User, login: str, beat: Beat, clock: Clock
) -> StudyAnswer | LearningError:
    """`record_beat` inside the caller's transaction; the refusal is returned."""
    terms = read_terms()
    row = find_locked_clock(person.pk)
    now = read_now(clock, row) if row else clock()
    if row is None or row.session != beat.session or row.login != login:
        return refuse_stale_session(person, beat.session, terms, now)
    study = load_study(row, terms, now)
    if beat.sequence <= row.sequence:
        prompt = find_open_prompt(person.pk) if study.is_prompt_due else None
        return build_answer(study, _read_receipt(row), prompt)
    duration_ms = read_duration_ms(study)
    if beat.position_ms > duration_ms + END_SLACK_MS:
        return InvalidInputError()
    return _credit(study, beat, min(beat.position_ms, duration_ms))


def _read_receipt(row: PersonClock) -> Receipt:
    """What the last accepted beat was told."""
    if row.last_gained_ms is not None:
        return Receipt(credited_ms=row.last_gained_ms)
    return Receipt(**row.last_answer)


def read_duration_ms(study: Study) -> int:
    video = study.progress.chapter.video
    return video.duration_ms if video else 0


def _credit(study: Study, beat: Beat, position_ms: int) -> StudyAnswer:
    clock = study.clock
    prompt = settle_open_prompt(study)
    is_blocked = is_credit_stopped(study, prompt)
    elapsed_ms = milliseconds_between(clock.last_beat_at or study.now, study.now)
    earned = credit_beat(
        Movement(
            elapsed_ms=elapsed_ms,
            from_ms=clock.last_position_ms,
            to_ms=position_ms,
            balance_ms=clock.balance_ms,
            is_first=clock.sequence == 0,
            is_review=_is_review(study, position_ms),
        ),
        study.terms,
    )
    _refuse_unearned(study, earned, position_ms)
    gained = _take_up(study, earned, is_blocked=is_blocked)
    clock.until_prompt_ms = max(0, clock.until_prompt_ms - gained)
    clock.credited_ms += gained
    clock.balance_ms = earned.balance_ms
    clock.last_beat_at = study.now
    clock.last_position_ms = clock.run_from_ms = position_ms
    clock.sequence = beat.sequence
    clock.beats += 1
    clock.jitter_ms += measure_jitter_ms(elapsed_ms, study.terms)
    study.progress.position_ms = position_ms
    # Who has left the player paused is asked on coming back, not again and again before.
    if prompt is None and (beat.is_playing or gained):
        prompt = issue_due_prompt(study)
    _confirm_at_end(study)
    clock.run_limit_ms = find_run_limit_ms(
        position_ms,
        [*study.progress.covered, *study.progress.pending],
        read_duration_ms(study),
    )
    receipt = _write_receipt(study, gained)
    return build_answer(study, receipt, prompt)


def _is_review(study: Study, position_ms: int) -> bool:
    """Was all of the way since the last beat learnt before?"""
    way = (study.clock.last_position_ms, position_ms)
    known = [*study.progress.covered, *study.progress.pending]
    return way[0] < way[1] and not subtract_intervals(way, known)


def _refuse_unearned(study: Study, earned: BeatCredit, position_ms: int) -> None:
    """Write down what the beat did not earn; going to where one has been is no offence."""
    known = [*study.progress.covered, *study.progress.pending]
    is_return = earned.refusal == Refusal.TOO_FAST and covers(known, position_ms)
    if earned.refusal and not is_return:
        start = study.clock.last_position_ms + earned.credit_ms
        refuse_time(study, earned.refusal, earned.refused_ms, [(start, position_ms)])


def _take_up(study: Study, earned: BeatCredit, *, is_blocked: bool) -> int:
    """Add what is new of the played time to the pending time; returns its milliseconds."""
    if earned.played is None:
        return 0
    progress = study.progress
    new = subtract_intervals(earned.played, [*progress.covered, *progress.pending])
    new_ms = total_ms(new)
    again = subtract_intervals(earned.played, new)
    refuse_time(study, Refusal.REPEATED, earned.credit_ms - new_ms, again)
    if is_blocked:
        refuse_time(study, Refusal.PROMPT, new_ms, new)
        return 0
    if new:
        progress.pending = merge_intervals([*progress.pending, *new])
        progress.pending_ms = total_ms(progress.pending)
    return new_ms


def _confirm_at_end(study: Study) -> None:
    """At a chapter's end with no question due, the pending time becomes credit."""
    progress = study.progress
    reached = progress.covered_ms + progress.pending_ms
    # With nothing pending as well: a shorter video may have come in the place of another.
    is_open = progress.pending_ms > 0 or progress.completed_at is None
    if (
        is_open
        and not study.is_prompt_due
        and is_chapter_covered(reached, read_duration_ms(study))
    ):
        add_credited_time(study.clock, progress, study.now)
        study.completed |= confirm_pending(progress, study.now)
    else:
        save_progress(progress)


def _write_receipt(study: Study, gained: int) -> Receipt:
    reasons = study.refused.most_common(1)
    receipt = Receipt(
        credited_ms=gained,
        refused_ms=study.refused.total(),
        refusal=reasons[0][0] if reasons else "",
        course_completed=COURSE in study.completed,
        plan_completed=PLAN in study.completed,
    )
    study.clock.last_answer = receipt.as_json()
    study.clock.last_gained_ms = None
    study.clock.save(
        update_fields=[
            "until_prompt_ms",
            "credited_ms",
            "balance_ms",
            "last_beat_at",
            "last_position_ms",
            "sequence",
            "hold_until",
            "beats",
            "jitter_ms",
            "last_gained_ms",
            "run_from_ms",
            "run_limit_ms",
            "last_answer",
        ]
    )
    return receipt
