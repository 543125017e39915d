"""Reads of appeals. A person's own are reached through the `…_for` functions only."""

from datetime import datetime, timedelta

from django.db.models import Prefetch, QuerySet

from accounts.models import PrivateFile, User
from learning.errors import StretchNotFoundError
from learning.models import (
    Appeal,
    AppealEvent,
    ChapterProgress,
    CreditDecision,
    RefusedTime,
)
from learning.rules.credit import Refusal
from learning.rules.intervals import Interval
from learning.rules.stretches import choose_creditable


def get_refused_for(user: User, stretch_id: int) -> RefusedTime:
    """One of the person's own refused stretches. Raises StretchNotFoundError."""
    rows = RefusedTime.objects.select_related(
        "enrolment__plan", "chapter__course", "appeal"
    )
    row = rows.filter(enrolment__person=user, pk=stretch_id).first()
    if row is None:
        raise StretchNotFoundError
    return row


def _with_history(rows: QuerySet[Appeal]) -> QuerySet[Appeal]:
    return rows.select_related(
        "person",
        "first_decider",
        "stretch__enrolment__plan",
        "stretch__chapter__course",
        "credit_decision",
    ).prefetch_related(
        Prefetch("events", AppealEvent.objects.order_by("at", "pk")),
        Prefetch("files", PrivateFile.objects.order_by("pk")),
    )


def get_appeal_for(user: User, code: str) -> Appeal:
    """One of the person's own, with its steps and files. Raises StretchNotFoundError."""
    row = _with_history(Appeal.objects.filter(person=user, code=code)).first()
    if row is None:
        raise StretchNotFoundError
    return row


def list_appeals_for(user: User) -> QuerySet[Appeal]:
    """All of the person's own, oldest first, with their steps and files."""
    return _with_history(Appeal.objects.filter(person=user)).order_by("filed_at", "pk")


def list_credit_decisions_for(user: User) -> QuerySet[CreditDecision]:
    """What staff added to the person's credit or took from it, oldest first."""
    rows = CreditDecision.objects.filter(enrolment__person=user)
    return rows.select_related("enrolment__plan", "chapter__course").order_by(
        "at", "pk"
    )


def get_appeal_file_for(user: User, code: str, file_code: str) -> PrivateFile:
    """A proof of one of the person's own appeals. Raises StretchNotFoundError."""
    file = PrivateFile.objects.filter(
        appeals__person=user, appeals__code=code, code=file_code
    ).first()
    if file is None:
        raise StretchNotFoundError
    return file


def find_appeal(appeal_id: int) -> Appeal | None:
    """An appeal for staff, with everything its page shows."""
    return _with_history(Appeal.objects.filter(pk=appeal_id)).first()


def find_progress(enrolment_id: int, chapter_id: int) -> ChapterProgress | None:
    """How far a chapter is, with all that completing it needs."""
    return (
        ChapterProgress.objects.select_related(
            "enrolment__plan", "chapter__video", "chapter__course"
        )
        .filter(enrolment=enrolment_id, chapter=chapter_id)
        .first()
    )


def list_creditable(
    stretch: RefusedTime, progress: ChapterProgress | None
) -> list[Interval]:
    """The media that an appeal of the stretch can credit as things stand.

    Never more than the time that passed and was refused, and nothing twice.
    """
    if progress is None:
        return []
    limit_ms = stretch.milliseconds
    # What a question cost was earned by the clock before, be it in another chapter long ago.
    if stretch.reason != Refusal.PROMPT:
        passed_ms = (stretch.last_at - stretch.first_at) // timedelta(milliseconds=1)
        limit_ms = min(limit_ms, passed_ms)
    known = [*progress.covered, *progress.pending]
    return choose_creditable(stretch.media, known, limit_ms)


def list_appeals_to_forget(*, before: datetime) -> QuerySet[Appeal]:
    """Appeals decided before that moment, whose words are still there."""
    return Appeal.objects.filter(decided_at__lte=before).exclude(wanted_cipher=b"")
