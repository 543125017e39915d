"""Credit taken back by staff: the one way in which it goes down (I4)."""

from datetime import datetime

from django.db import transaction

from accounts.errors import DeciderRefusedError
from accounts.models import Message, User
from accounts.services.audit import record_audit
from accounts.services.messages import send_message
from learning.errors import CorrectionRefusedError, ReasonMissingError
from learning.locks import lock_enrolment
from learning.models import (
    ChapterProgress,
    CourseCompletion,
    CreditDecision,
    CreditedTime,
    Enrolment,
)
from learning.rules.completion import CreditState, plan_percent
from learning.rules.corrections import find_obstacle_to_correction
from learning.rules.credit import is_chapter_covered
from learning.rules.durations import show_time
from learning.rules.intervals import merge_intervals, total_ms
from learning.rules.stretches import remove_intervals
from learning.services.completion import (
    CHAPTER,
    COURSE,
    read_credit_rule,
    save_progress,
)
from learning.services.study import lock_progress

CORRECT = "learning.correct_credit"


@transaction.atomic
def correct_credit(
    *, credited_id: int, reason: str, actor: User, now: datetime
) -> CreditDecision:
    """Take a credited stretch back, once and for a reason that the learner reads.

    A chapter that is left with too little is complete no more, nor is its course, whose
    credits go with it; the decision says so. The learner may watch it again. A completed
    plan may have a certificate and is not touched.

    Raises ReasonMissingError, DeciderRefusedError and CorrectionRefusedError.
    """
    if not reason.strip():
        raise ReasonMissingError
    stretch = CreditedTime.objects.select_related("enrolment").get(pk=credited_id)
    person_id = stretch.enrolment.person_id
    if not actor.has_perm(CORRECT):
        raise DeciderRefusedError("您没有扣减学时的权限。")
    if actor.pk == person_id:
        raise DeciderRefusedError("不能办理与本人有关的事项。")
    progress = lock_progress(person_id, stretch.enrolment_id, stretch.chapter_id)
    enrolment = lock_enrolment(stretch.enrolment_id)
    obstacle = find_obstacle_to_correction(
        is_taken=progress is None
        or CreditDecision.objects.filter(corrected=stretch).exists(),
        is_completed=enrolment.completed_at is not None,
    )
    if obstacle or progress is None:
        raise CorrectionRefusedError(obstacle)
    # An answer that came in before the lock may have made the stretch longer.
    stretch.refresh_from_db(fields=["media"])
    removed = merge_intervals(stretch.media)
    left = remove_intervals(progress.covered, removed)
    removed_ms = progress.covered_ms - total_ms(left)
    withdrawn = _take_back(progress, enrolment, left)
    decision = CreditDecision.objects.create(
        kind=CreditDecision.Kind.REMOVED,
        enrolment=enrolment,
        chapter_id=stretch.chapter_id,
        corrected=stretch,
        media=removed,
        milliseconds=removed_ms,
        withdrawn=withdrawn,
        reason=reason.strip(),
        actor=actor,
        at=now,
    )
    _tell(enrolment, removed_ms, now=now)
    record_audit(
        action="credit.removed",
        target=f"user:{enrolment.person.code}",
        actor=actor,
        now=now,
        detail={
            "plan": enrolment.plan.code,
            "chapter": stretch.chapter_id,
            "removed_ms": removed_ms,
            "withdrawn": withdrawn,
            "reason": reason.strip(),
        },
    )
    return decision


def _take_back(
    progress: ChapterProgress,
    enrolment: Enrolment,
    left: list[tuple[int, int]],
) -> list[str]:
    """Leave the chapter this coverage; returns which of chapter and course are undone."""
    progress.covered = left
    progress.covered_ms = total_ms(left)
    video = progress.chapter.video
    duration_ms = video.duration_ms if video else 0
    withdrawn: list[str] = []
    if progress.completed_at and not is_chapter_covered(
        progress.covered_ms, duration_ms
    ):
        progress.completed_at = None
        withdrawn.append(CHAPTER)
        if _withdraw_course(progress, enrolment):
            withdrawn.append(COURSE)
    save_progress(progress)
    return withdrawn


def _withdraw_course(progress: ChapterProgress, enrolment: Enrolment) -> bool:
    completion = CourseCompletion.objects.filter(
        enrolment=enrolment, course=progress.chapter.course_id
    ).first()
    if completion is None:
        return False
    completion.delete()
    if completion.is_compulsory:
        enrolment.compulsory_earned -= completion.credits
    else:
        enrolment.elective_earned -= completion.credits
    earned = CreditState(enrolment.compulsory_earned, enrolment.elective_earned)
    enrolment.percent = plan_percent(read_credit_rule(enrolment.plan), earned)
    enrolment.save(update_fields=["compulsory_earned", "elective_earned", "percent"])
    return True


def _tell(enrolment: Enrolment, removed_ms: int, *, now: datetime) -> None:
    if enrolment.person.phone_index is None:
        return
    send_message(
        channel=Message.Channel.SMS,
        recipient=enrolment.person.phone,
        template="credit_removed",
        context={"plan": enrolment.plan.title, "time": show_time(removed_ms)},
        now=now,
    )
