"""Publishing plans and courses, and taking them back."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services.audit import record_audit
from catalog import locks, queries
from catalog.errors import InUseError, NotReadyError
from catalog.models import Course, Plan
from catalog.rules import find_course_problems, find_plan_problems


def publish_plan(*, plan_id: int, actor: User | None, now: datetime) -> Plan:
    """Put a plan on the pages; nothing happens to one that is there.

    Raises NotReadyError with everything that is missing: courses, credits, videos.
    """
    with transaction.atomic():
        plan = locks.lock_plan(plan_id)
        if not plan.is_published:
            # None of its courses may become a draft, or lose a chapter, this moment.
            locks.lock_courses_of(plan)
            today = timezone.localdate(now)
            problems = find_plan_problems(*queries.read_plan_facts(plan, day=today))
            if problems:
                raise NotReadyError(problems)
            _set_published(plan, value=True, actor=actor, now=now)
    return plan


def withdraw_plan(*, plan_id: int, actor: User | None, now: datetime) -> Plan:
    """Take a plan off the pages; who holds it keeps studying."""
    with transaction.atomic():
        plan = locks.lock_plan(plan_id)
        if plan.is_published:
            _set_published(plan, value=False, actor=actor, now=now)
    return plan


def publish_course(*, course_id: int, actor: User | None, now: datetime) -> Course:
    """Let plans with this course be published. Raises NotReadyError."""
    with transaction.atomic():
        course = locks.lock_course(course_id)
        if not course.is_published:
            problems = find_course_problems(queries.read_course_facts(course))
            if problems:
                raise NotReadyError(problems)
            _set_published(course, value=True, actor=actor, now=now)
    return course


def withdraw_course(*, course_id: int, actor: User | None, now: datetime) -> Course:
    """Make a course a draft again. Raises InUseError while a published plan holds it."""
    with transaction.atomic():
        course = locks.lock_course(course_id)
        plans = [plan.title for plan in queries.list_published_plans_with(course)]
        if plans:
            raise InUseError(plans)
        if course.is_published:
            _set_published(course, value=False, actor=actor, now=now)
    return course


def _set_published(
    row: Plan | Course, *, value: bool, actor: User | None, now: datetime
) -> None:
    row.is_published = value
    row.save(update_fields=["is_published"])
    kind = "plan" if isinstance(row, Plan) else "course"
    record_audit(
        action=f"catalog.{kind}_{'published' if value else 'withdrawn'}",
        target=f"{kind}:{row.code}",
        actor=actor,
        now=now,
    )
