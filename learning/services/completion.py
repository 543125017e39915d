"""Completion: chapter, course, plan, in the transaction of what completed them, once each."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef

from catalog.models import Chapter, Plan, PlanCourse
from learning.locks import lock_enrolment
from learning.models import ChapterProgress, CourseCompletion, Enrolment
from learning.rules.completion import (
    CreditRule,
    CreditState,
    is_plan_fulfilled,
    plan_percent,
)
from learning.rules.credit import is_chapter_covered
from learning.rules.intervals import merge_intervals, total_ms

CHAPTER, COURSE, PLAN = "chapter", "course", "plan"


def confirm_pending(progress: ChapterProgress, now: datetime) -> set[str]:
    """Make the pending time of a chapter credit, and complete what that completes.

    Returns which of chapter, course and plan were completed by it. The caller holds the
    person's clock; a revoked enrolment earns nothing.
    """
    confirmed = progress.pending
    progress.pending = []
    progress.pending_ms = 0
    return add_covered(progress, confirmed, now)


def add_covered(
    progress: ChapterProgress, intervals: Iterable[Sequence[int]], now: datetime
) -> set[str]:
    """Add media to a chapter's credit, and complete what that completes, as above.

    The intervals must not overlap what is pending.
    """
    progress.covered = merge_intervals([*progress.covered, *intervals])
    progress.covered_ms = total_ms(progress.covered)
    completed: set[str] = set()
    if progress.completed_at is None and is_chapter_covered(
        progress.covered_ms, _duration_ms(progress)
    ):
        completed = _complete_chapter(progress, now)
    save_progress(progress)
    return completed


def save_progress(progress: ChapterProgress) -> None:
    """Save what contacts and decisions change. `updated_at` is the last contact with the
    learner there: neither a decision of staff nor one in another chapter moves it."""
    progress.save(
        update_fields=[
            "covered",
            "covered_ms",
            "pending",
            "pending_ms",
            "position_ms",
            "completed_at",
            "updated_at",
        ]
    )


def _duration_ms(progress: ChapterProgress) -> int:
    video = progress.chapter.video
    return video.duration_ms if video else 0


def _complete_chapter(progress: ChapterProgress, now: datetime) -> set[str]:
    enrolment = lock_enrolment(progress.enrolment_id)
    progress.enrolment = enrolment
    if not enrolment.is_live:
        return set()
    progress.completed_at = now
    completed = {CHAPTER}
    if _has_unfinished_chapters(progress):
        return completed
    plan_course = PlanCourse.objects.filter(
        plan_id=enrolment.plan_id, course_id=progress.chapter.course_id
    ).first()
    if plan_course and _complete_course(enrolment, plan_course, progress, now):
        completed.add(COURSE)
        if _add_up(enrolment, now):
            completed.add(PLAN)
    return completed


def _has_unfinished_chapters(progress: ChapterProgress) -> bool:
    """Does the course have another chapter that is not finished?"""
    finished = ChapterProgress.objects.filter(
        enrolment_id=progress.enrolment_id,
        chapter=OuterRef("pk"),
        completed_at__isnull=False,
    )
    others = Chapter.objects.filter(course_id=progress.chapter.course_id).exclude(
        pk=progress.chapter_id
    )
    return others.filter(~Exists(finished)).exists()


def _complete_course(
    enrolment: Enrolment,
    plan_course: PlanCourse,
    progress: ChapterProgress,
    now: datetime,
) -> bool:
    """Record the course's completion; False when it was recorded before."""
    course = progress.chapter.course
    is_compulsory = plan_course.kind == PlanCourse.Kind.COMPULSORY
    _, is_new = CourseCompletion.objects.get_or_create(
        enrolment=enrolment,
        course=course,
        defaults={
            "credits": course.credits,
            "is_compulsory": is_compulsory,
            "completed_at": now,
        },
    )
    if is_new and is_compulsory:
        enrolment.compulsory_earned += course.credits
    elif is_new:
        enrolment.elective_earned += course.credits
    return is_new


def _add_up(enrolment: Enrolment, now: datetime) -> bool:
    """Store the totals; True when they complete the plan now."""
    rule = read_credit_rule(enrolment.plan)
    earned = CreditState(enrolment.compulsory_earned, enrolment.elective_earned)
    enrolment.percent = max(enrolment.percent, plan_percent(rule, earned))
    is_completion = enrolment.state == Enrolment.State.OPEN and is_plan_fulfilled(
        rule, earned
    )
    if is_completion:
        enrolment.state = Enrolment.State.COMPLETED
        enrolment.completed_at = now
    enrolment.save(
        update_fields=[
            "compulsory_earned",
            "elective_earned",
            "percent",
            "state",
            "completed_at",
        ]
    )
    return is_completion


def read_credit_rule(plan: Plan) -> CreditRule:
    return CreditRule(
        required=plan.required_credits,
        compulsory=plan.compulsory_credits,
        elective=plan.elective_credits,
    )
