"""Reads of learning. A person's rows are reached through the `…_for` functions only."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import BigAutoField, Q, QuerySet, SlugField

from accounts.models import User
from catalog.models import Chapter, Course, FieldOfStudy, Plan, Question, Subject
from catalog.queries import OfferedCourse
from learning.errors import ChapterNotFoundError, EnrolmentNotFoundError
from learning.models import (
    ChapterProgress,
    CourseCompletion,
    Enrolment,
    Prompt,
    RefusedTime,
)
from learning.rules.prompts import QuestionText
from portal.lib.kept_reads import KeptRead, Parameter, column_names

# Questions a person was asked lately are not asked again while there are others.
RECENT_PROMPTS = 20

# --- Enrolments --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """A plan that a person holds, as the lists of plans show it.

    Plain values: someone who makes up sixteen years holds dozens of plans, and two model
    instances for each took most of a page's time.
    """

    state: str
    percent: int
    compulsory_earned: int
    elective_earned: int
    completed_at: datetime | None
    code: str
    title: str
    year: int
    subject: str
    field: str
    entry: int
    hours: int
    required_credits: int
    training_start: date
    training_end: date

    @property
    def credits_earned(self) -> int:
        return self.compulsory_earned + self.elective_earned

    @property
    def is_completed(self) -> bool:
        return self.state == Enrolment.State.COMPLETED

    @property
    def subject_label(self) -> str:
        return str(Subject(self.subject).label)

    @property
    def field_label(self) -> str:
        return str(FieldOfStudy(self.field).label) if self.field else ""


# In the order of the fields of `HeldPlan`.
HELD_PLAN_COLUMNS = (
    *("state", "percent", "compulsory_earned", "elective_earned", "completed_at"),
    *("plan__code", "plan__title", "plan__year", "plan__subject", "plan__field"),
    *("plan__entry", "plan__hours", "plan__required_credits"),
    *("plan__training_start", "plan__training_end"),
)


def list_enrolments_for(user: User) -> QuerySet[Enrolment]:
    """The person's live enrolments with their plans, newest year first."""
    return list_enrolments_of(user).select_related("plan")


def list_enrolments_of(person: User | Parameter) -> QuerySet[Enrolment]:
    """Live enrolments of a person who may be named later, newest year first."""
    enrolments = Enrolment.objects.live().filter(person=person)
    return enrolments.order_by("-plan__year", "-opened_at", "-pk")


def list_completed_for(user: User) -> QuerySet[Enrolment]:
    """The person's completed enrolments with their plans, newest year first."""
    return list_enrolments_for(user).filter(state=Enrolment.State.COMPLETED)


_ENROLMENT_WITH_PLAN = KeptRead(
    lambda: (
        Enrolment.objects.live()
        .filter(
            person=Parameter("person", BigAutoField()),
            plan__code=Parameter("plan", SlugField()),
        )
        .values_list(
            *column_names(Enrolment), *(f"plan__{name}" for name in column_names(Plan))
        )
    )
)


def get_enrolment_for(user: User, plan_code: str) -> Enrolment:
    """The person's live enrolment in a plan, with the plan. Raises EnrolmentNotFoundError."""
    rows = _ENROLMENT_WITH_PLAN.rows(person=user.pk, plan=plan_code)
    if not rows:
        raise EnrolmentNotFoundError
    names = column_names(Enrolment)
    enrolment = Enrolment.from_db("default", names, rows[0][: len(names)])
    enrolment.plan = Plan.from_db("default", column_names(Plan), rows[0][len(names) :])
    return enrolment


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
