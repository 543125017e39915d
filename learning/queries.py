"""Reads of learning. A person's rows are reached through the `…_for` functions only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum

from accounts.models import User
from catalog.models import Chapter, Course, Plan, PlanCourse, Question, Subject
from learning.errors import ChapterNotFoundError, EnrolmentNotFoundError
from learning.models import (
    ChapterProgress,
    CourseCompletion,
    Enrolment,
    Prompt,
    RefusedTime,
)
from learning.rules.prompts import QuestionText

# Questions a person was asked lately are not asked again while there are others.
RECENT_PROMPTS = 20

# --- Enrolments --------------------------------------------------------------------------


def list_enrolments_for(user: User) -> QuerySet[Enrolment]:
    """The person's live enrolments with their plans, newest year first."""
    return (
        Enrolment.objects.live()
        .filter(person=user)
        .select_related("plan")
        .order_by("-plan__year", "-opened_at", "-pk")
    )


def list_completed_for(user: User) -> QuerySet[Enrolment]:
    """The person's completed enrolments with their plans, newest year first."""
    return list_enrolments_for(user).filter(state=Enrolment.State.COMPLETED)


def get_enrolment_for(user: User, plan_code: str) -> Enrolment:
    """The person's live enrolment in a plan. Raises EnrolmentNotFoundError."""
    try:
        return list_enrolments_for(user).get(plan__code=plan_code)
    except Enrolment.DoesNotExist as error:
        raise EnrolmentNotFoundError from error


def find_enrolment(user_id: int, plan_id: int) -> Enrolment | None:
    """The live enrolment of a person in a plan, None when they do not hold it."""
    return Enrolment.objects.live().filter(person_id=user_id, plan_id=plan_id).first()


def list_holders(plan_id: int, user_ids: Iterable[int]) -> set[int]:
    """Ids of those among `user_ids` who hold the plan; one query per 1,000 of them."""
    ids = sorted(set(user_ids))
    held: set[int] = set()
    for start in range(0, len(ids), 1000):
        held.update(
            Enrolment.objects.live()
            .filter(plan_id=plan_id, person_id__in=ids[start : start + 1000])
            .values_list("person_id", flat=True)
        )
    return held


@dataclass(frozen=True)
class YearlyHours:
    """Hours (学时) learnt for a year; one credit is one hour, a plan gives no more than it has."""

    year: int
    general: int
    professional: int

    @property
    def total(self) -> int:
        return self.general + self.professional


def yearly_hours(user: User, year: int) -> YearlyHours:
    """Hours of both subjects that the person has earned in plans of `year`; one query."""
    hours = dict.fromkeys(Subject.values, 0)
    for enrolment in list_enrolments_for(user).filter(plan__year=year):
        plan = enrolment.plan
        hours[plan.subject] += min(enrolment.credits_earned, plan.hours)
    return YearlyHours(year, hours[Subject.GENERAL], hours[Subject.PROFESSIONAL])


# --- Courses and chapters ------------------------------------------------------------------


@dataclass(frozen=True)
class CourseState:
    """A course of a plan as one learner stands in it."""

    plan_course: PlanCourse
    chapter_count: int
    chapters_done: int
    duration_ms: int
    covered_ms: int
    is_completed: bool

    @property
    def course(self) -> Course:
        return self.plan_course.course

    @property
    def is_begun(self) -> bool:
        return self.covered_ms > 0 or self.chapters_done > 0


@dataclass(frozen=True)
class CourseCounts:
    """How many courses of either kind a plan has."""

    compulsory: int
    elective: int

    @property
    def total(self) -> int:
        return self.compulsory + self.elective

    def of(self, kind: str) -> int:
        """Courses of one kind; of both for an empty `kind`."""
        kinds = PlanCourse.Kind
        counts = {kinds.COMPULSORY: self.compulsory, kinds.ELECTIVE: self.elective}
        return counts[kinds(kind)] if kind else self.total

    @property
    def has_both_kinds(self) -> bool:
        return self.compulsory > 0 and self.elective > 0


def count_courses(plan: Plan) -> CourseCounts:
    """Count the courses of a plan; one query."""
    rows = plan.plan_courses.values("kind").annotate(number=Count("pk")).order_by()
    counts = dict(rows.values_list("kind", "number"))
    kinds = PlanCourse.Kind
    return CourseCounts(counts.get(kinds.COMPULSORY, 0), counts.get(kinds.ELECTIVE, 0))


def list_study_courses(plan: Plan, kind: str = "") -> QuerySet[PlanCourse]:
    """Courses of a plan in order, with their lecturers; `kind` keeps one kind only."""
    courses = plan.plan_courses.filter(kind=kind) if kind else plan.plan_courses.all()
    return courses.select_related("course__lecturer").order_by("position", "pk")


def list_course_states(
    enrolment: Enrolment, plan_courses: Sequence[PlanCourse]
) -> list[CourseState]:
    """How far the learner is in each of these courses; three queries over them alone."""
    course_ids = [row.course_id for row in plan_courses]
    offered = _add_up_chapters(course_ids)
    learnt = _add_up_progress(enrolment, course_ids)
    completed = set(
        CourseCompletion.objects.filter(
            enrolment=enrolment, course_id__in=course_ids
        ).values_list("course_id", flat=True)
    )
    states = []
    for row in plan_courses:
        chapter_count, duration_ms = offered.get(row.course_id, (0, 0))
        chapters_done, covered_ms = learnt.get(row.course_id, (0, 0))
        is_completed = row.course_id in completed
        states.append(
            CourseState(
                row, chapter_count, chapters_done, duration_ms, covered_ms, is_completed
            )
        )
    return states


def _add_up_chapters(course_ids: list[int]) -> dict[int, tuple[int, int]]:
    """Number of chapters and their length in milliseconds, by course."""
    rows = (
        Chapter.objects.filter(course_id__in=course_ids)
        .values("course_id")
        .annotate(count=Count("pk"), length=Sum("video__duration_ms", default=0))
        .values_list("course_id", "count", "length")
    )
    return {course_id: (count, length) for course_id, count, length in rows}


def _add_up_progress(
    enrolment: Enrolment, course_ids: list[int]
) -> dict[int, tuple[int, int]]:
    """Number of finished chapters and credited milliseconds, by course."""
    rows = (
        ChapterProgress.objects.filter(
            enrolment=enrolment, chapter__course_id__in=course_ids
        )
        .values("chapter__course_id")
        .annotate(
            count=Count("pk", filter=Q(completed_at__isnull=False)),
            covered=Sum("covered_ms", default=0),
        )
        .values_list("chapter__course_id", "count", "covered")
    )
    return {course_id: (count, covered) for course_id, count, covered in rows}


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
    """The course's chapters in order, with the learner's progress; two queries."""
    progress = {
        row.chapter_id: row
        for row in ChapterProgress.objects.filter(
            enrolment=enrolment, chapter__course=course
        )
    }
    chapters = course.chapters.select_related("video").order_by("position")
    return [ChapterState(chapter, progress.get(chapter.pk)) for chapter in chapters]


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
    rows = RefusedTime.objects.filter(session=session).order_by("reason")
    return dict(rows.values_list("reason", "milliseconds"))


# --- Questions -----------------------------------------------------------------------------


def find_open_prompt(person_id: int) -> Prompt | None:
    """The question that waits for this person's answer."""
    return Prompt.objects.filter(person_id=person_id, closed_at__isnull=True).first()


def list_recent_stems(person_id: int) -> set[str]:
    """What the person was asked lately."""
    recent = Prompt.objects.filter(person_id=person_id).order_by("-issued_at", "-pk")
    return set(recent.values_list("stem", flat=True)[:RECENT_PROMPTS])


def read_question_pools(
    chapter: Chapter,
) -> tuple[list[QuestionText], list[QuestionText]]:
    """Questions about the chapter, and those about its course; two queries.

    Only such as can be asked: with a right option and a wrong one.
    """
    questions = (
        Question.objects.filter(
            Q(chapter=chapter) | Q(chapter__isnull=True),
            course=chapter.course_id,
            is_active=True,
        )
        .prefetch_related("options")
        .order_by("pk")
    )
    about_chapter: list[QuestionText] = []
    about_course: list[QuestionText] = []
    for question in questions:
        options = sorted(question.options.all(), key=lambda option: option.pk)
        right = [option.text for option in options if option.is_correct]
        wrong = [option.text for option in options if not option.is_correct]
        if right and wrong:
            pool = about_chapter if question.chapter_id else about_course
            pool.append(QuestionText(question.stem, right[0], wrong, question.pk))
    return about_chapter, about_course


def list_chapter_titles(course_id: int) -> list[str]:
    """Titles of a course's chapters in order."""
    chapters = Chapter.objects.filter(course_id=course_id).order_by("position")
    return list(chapters.values_list("title", flat=True))
