"""The trace of the ledger: which stretch of time counted, which did not, and why.

Written in the ledger's transaction by whoever holds the person's clock.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from learning.models import ChapterProgress, CreditedTime, PersonClock, RefusedTime
from learning.rules.credit import Refusal
from learning.rules.intervals import Interval, merge_intervals, total_ms
from learning.rules.stretches import find_start, joins_stretch


def add_refused_time(
    session: str,
    reason: Refusal,
    milliseconds: int,
    *,
    enrolment_id: int,
    chapter_id: int,
    media: Iterable[Sequence[int]] = (),
    since: datetime,
    now: datetime,
) -> None:
    """Write down that the time from `since` to now does not count, `milliseconds` of it.

    It goes on with the session's last stretch of this reason where it follows closely, unless
    that one has been appealed: what staff decide on stays as it was.
    """
    last = (
        RefusedTime.objects.filter(
            session=session,
            reason=reason,
            enrolment=enrolment_id,
            chapter=chapter_id,
            appeal__isnull=True,
        )
        .order_by("-pk")
        .first()
    )
    if last is None or not joins_stretch(last.last_at, since, last.media):
        RefusedTime.objects.create(
            session=session,
            reason=reason,
            milliseconds=milliseconds,
            enrolment_id=enrolment_id,
            chapter_id=chapter_id,
            media=merge_intervals(media),
            first_at=since,
            last_at=now,
        )
        return
    last.media = merge_intervals([*last.media, *media])
    last.milliseconds += milliseconds
    last.first_at = min(last.first_at, since)
    last.last_at = now
    last.save(update_fields=["media", "milliseconds", "first_at", "last_at"])


def add_credited_time(
    clock: PersonClock, progress: ChapterProgress, now: datetime
) -> None:
    """Write down that a chapter's pending time becomes credit; call it before it does."""
    if not progress.pending_ms:
        return
    last = _find_last_credited(clock, progress)
    start, end = _date_pending(clock, progress, last, now)
    if last and joins_stretch(last.last_at, start, last.media):
        last.media = merge_intervals([*last.media, *progress.pending])
        last.milliseconds += progress.pending_ms
        last.last_at = max(last.last_at, end)
        last.save(update_fields=["media", "milliseconds", "last_at"])
        return
    CreditedTime.objects.create(
        enrolment_id=progress.enrolment_id,
        chapter_id=progress.chapter_id,
        session=clock.session,
        media=progress.pending,
        milliseconds=progress.pending_ms,
        first_at=start,
        last_at=end,
    )


def add_granted_time(stretch: RefusedTime, media: Sequence[Interval]) -> CreditedTime:
    """Write down what an appeal makes credit of a refused stretch, at the time of that."""
    return CreditedTime.objects.create(
        enrolment_id=stretch.enrolment_id,
        chapter_id=stretch.chapter_id,
        session="",
        media=media,
        milliseconds=total_ms(media),
        first_at=stretch.first_at,
        last_at=stretch.last_at,
    )


def add_dropped_time(
    clock: PersonClock, progress: ChapterProgress, now: datetime
) -> None:
    """Write down that a chapter's pending time is lost to a question; call it before it is."""
    last = _find_last_credited(clock, progress)
    start, end = _date_pending(clock, progress, last, now)
    add_refused_time(
        clock.session,
        Refusal.PROMPT,
        progress.pending_ms,
        enrolment_id=progress.enrolment_id,
        chapter_id=progress.chapter_id,
        media=progress.pending,
        # What had waited in another chapter is lost at this moment, not all the time since.
        since=start if end == now else now,
        now=now,
    )


def _date_pending(
    clock: PersonClock,
    progress: ChapterProgress,
    last: CreditedTime | None,
    now: datetime,
) -> tuple[datetime, datetime]:
    """When the pending time of a chapter began and ended.

    That of another chapter than the session's ended with the last contact there.
    """
    watched = (clock.enrolment_id, clock.chapter_id)
    if (progress.enrolment_id, progress.chapter_id) != watched:
        end = progress.updated_at
        return find_start(end, progress.pending_ms, not_before=None), end
    opened = last.last_at if last else clock.opened_at
    return find_start(now, progress.pending_ms, not_before=opened), now


def _find_last_credited(
    clock: PersonClock, progress: ChapterProgress
) -> CreditedTime | None:
    """The session's last stretch on the chapter; one that staff corrected grows no more."""
    return (
        CreditedTime.objects.filter(
            session=clock.session,
            enrolment=progress.enrolment_id,
            chapter=progress.chapter_id,
            correction__isnull=True,
        )
        .order_by("-pk")
        .first()
    )
