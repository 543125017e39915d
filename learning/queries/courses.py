"""Courses and chapters as one learner stands in them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import BigAutoField, Sum

from catalog.models import Chapter, Course, Plan
from catalog.queries import OfferedCourse
from learning.errors import ChapterNotFoundError
from learning.models import (
    ChapterProgress,
    CourseCompletion,
    Enrolment,
    PersonClock,
    RefusedTime,
)
from learning.rules.intervals import merge_intervals, total_ms
from portal.lib.kept_reads import KeptRead, Parameter


@dataclass(frozen=True)
class CourseState:
    """A course of a plan as one learner stands in it."""

    course: OfferedCourse
    chapters_done: int
    covered_ms: int
    is_completed: bool

    @property
    def is_begun(self) -> bool:
        return self.covered_ms > 0 or self.chapters_done > 0

    @property
    def percent(self) -> int:
        """How much of the course is learnt, rounded down: 100 is for what is finished."""
        if self.is_completed:
            return 100
        length = self.course.duration_ms
        return min(99, self.covered_ms * 100 // length) if length else 0


_PROGRESS = KeptRead(
    lambda: ChapterProgress.objects.filter(
        enrolment=Parameter("enrolment", BigAutoField())
    ).values_list("chapter__course_id", "covered_ms", "completed_at")
)


_COMPLETED = KeptRead(
    lambda: CourseCompletion.objects.filter(
        enrolment=Parameter("enrolment", BigAutoField())
    ).values_list("course_id")
)


def list_course_states(
    enrolment: Enrolment, courses: Sequence[OfferedCourse]
) -> list[CourseState]:
    """How far the learner is in each of these courses; two queries."""
    done: Counter[int] = Counter()
    covered: Counter[int] = Counter()
    for course_id, covered_ms, completed_at in _PROGRESS.rows(enrolment=enrolment.pk):
        covered[course_id] += covered_ms
        done[course_id] += completed_at is not None
    completed = {row[0] for row in _COMPLETED.rows(enrolment=enrolment.pk)}
    return [
        CourseState(course, done[course.pk], covered[course.pk], course.pk in completed)
        for course in courses
    ]


@dataclass(frozen=True)
class ChapterState:
    """A chapter as one learner stands in it; `progress` is None before the first visit."""

    chapter: Chapter
    progress: ChapterProgress | None

    @property
    def is_completed(self) -> bool:
        return self.progress is not None and self.progress.completed_at is not None

    @property
    def covered_ms(self) -> int:
        return self.progress.covered_ms if self.progress else 0


def list_chapter_states(enrolment: Enrolment, course: Course) -> list[ChapterState]:
    """The course's chapters in order, with the learner's progress; three queries."""
    progress = {
        row.chapter_id: row
        for row in ChapterProgress.objects.filter(
            # A preview of staff has no key, hence no progress.
            enrolment_id=enrolment.pk,
            chapter__course=course,
        )
    }
    add_run(enrolment, progress)
    chapters = course.chapters.select_related("video").order_by("position")
    return [ChapterState(chapter, progress.get(chapter.pk)) for chapter in chapters]


def add_run(enrolment: Enrolment, progress: dict[int, ChapterProgress]) -> None:
    """Add what the open player has played but not folded in yet (`PersonClock`) to these rows.

    They are for showing: none of them may be saved.
    """
    clock = PersonClock.objects.filter(
        person=enrolment.person_id, enrolment_id=enrolment.pk
    ).first()
    row = progress.get(clock.chapter_id or 0) if clock else None
    if clock is None or row is None or not clock.has_run:
        return
    run = (clock.run_from_ms, clock.last_position_ms)
    row.pending = merge_intervals([*row.pending, run])
    row.pending_ms = total_ms(row.pending)
    row.position_ms = clock.last_position_ms


def get_plan_chapter(plan: Plan, course_code: str, position: int) -> Chapter:
    """A chapter of a course that the plan holds, with its video.

    Raises ChapterNotFoundError.
    """
    try:
        return Chapter.objects.select_related("video", "course").get(
            course__plan_courses__plan=plan,
            course__code=course_code,
            position=position,
        )
    except Chapter.DoesNotExist as error:
        raise ChapterNotFoundError from error


def read_refused_ms(session: str) -> dict[str, int]:
    """Milliseconds that did not count in a play session, by reason."""
    rows = RefusedTime.objects.filter(session=session).values("reason")
    totals = rows.annotate(total=Sum("milliseconds")).order_by("reason")
    return dict(totals.values_list("reason", "total"))
