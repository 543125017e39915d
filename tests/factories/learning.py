"""Rows of the learning app for tests; people and plans come from the lower apps' factories."""

from datetime import UTC, datetime

import factory

from accounts.models import User
from catalog.models import Chapter, Course, Plan, PlanCourse
from learning.models import (
    ChapterProgress,
    CourseCompletion,
    Enrolment,
    Prompt,
)
from tests.factories.accounts import UserFactory
from tests.factories.catalog import (
    ChapterFactory,
    CourseFactory,
    PlanCourseFactory,
    PlanFactory,
    QuestionFactory,
    VideoFactory,
)

OPENED_AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class EnrolmentFactory(factory.django.DjangoModelFactory):
    """An open enrolment; traits `completed` (finished today) and `revoked`."""

    class Meta:
        model = Enrolment

    class Params:
        completed = factory.Trait(
            state=Enrolment.State.COMPLETED,
            completed_at=OPENED_AT,
            elective_earned=factory.SelfAttribute("plan.required_credits"),
            percent=100,
        )
        revoked = factory.Trait(state=Enrolment.State.REVOKED)

    person = factory.SubFactory(UserFactory)
    plan = factory.SubFactory(PlanFactory)
    source = Enrolment.Source.ORDER
    source_number = factory.Sequence(lambda n: f"ORDER{n:08d}")
    opened_at = OPENED_AT


class ChapterProgressFactory(factory.django.DjangoModelFactory):
    """Untouched progress; trait `completed`: the whole chapter is covered."""

    class Meta:
        model = ChapterProgress

    class Params:
        completed = factory.Trait(
            covered=factory.LazyAttribute(
                lambda row: [[0, row.chapter.video.duration_ms]]
            ),
            covered_ms=factory.SelfAttribute("chapter.video.duration_ms"),
            position_ms=factory.SelfAttribute("chapter.video.duration_ms"),
            completed_at=OPENED_AT,
        )

    enrolment = factory.SubFactory(EnrolmentFactory)
    chapter = factory.SubFactory(ChapterFactory)
    updated_at = OPENED_AT


class CourseCompletionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CourseCompletion

    enrolment = factory.SubFactory(EnrolmentFactory)
    course = factory.SubFactory(CourseFactory)
    credits = factory.SelfAttribute("course.credits")
    is_compulsory = False
    completed_at = OPENED_AT


class PromptFactory(factory.django.DjangoModelFactory):
    """An open question whose right answer is the option `right`."""

    class Meta:
        model = Prompt

    enrolment = factory.SubFactory(EnrolmentFactory)
    person = factory.SelfAttribute("enrolment.person")
    chapter = factory.SubFactory(ChapterFactory)
    stem = "2 + 3 等于多少？"
    options = factory.LazyFunction(
        lambda: [["wrong-1", "4"], ["right", "5"], ["wrong-2", "6"]]
    )
    correct_option = "right"
    issued_at = OPENED_AT
    deadline_at = datetime(2026, 3, 2, 1, 1, tzinfo=UTC)


def make_study_plan(
    *,
    chapters: tuple[int, ...] = (600_000,),
    courses: int = 1,
    credits: int = 5,
    **fields: object,
) -> Plan:
    """A plan whose courses, all needed, have chapters of the given milliseconds.

    Every course has one question of its own and every chapter one; both are answered by
    "选项0".
    """
    fields = {"required_credits": courses * credits} | fields
    plan = PlanFactory(**fields)
    for position in range(1, courses + 1):
        course = CourseFactory(credits=credits)
        PlanCourseFactory(plan=plan, course=course, position=position)
        fill_course(course, chapters)
    return plan


def fill_course(course: Course, chapters: tuple[int, ...]) -> list[Chapter]:
    """Give a course chapters of these lengths in milliseconds, with a question for each."""
    QuestionFactory(course=course)
    made = []
    for position, duration_ms in enumerate(chapters, start=1):
        chapter = ChapterFactory(
            course=course,
            position=position,
            video=VideoFactory(duration_ms=duration_ms),
        )
        QuestionFactory(course=course, chapter=chapter)
        made.append(chapter)
    return made


def list_chapters(plan: Plan) -> list[Chapter]:
    """Every chapter of a plan in the order it is studied."""
    return list(
        Chapter.objects.filter(course__plan_courses__plan=plan)
        .select_related("course", "video")
        .order_by("course__plan_courses__position", "position")
    )


def enrol(person: User, plan: Plan, **fields: object) -> Enrolment:
    """An open enrolment of this person in this plan."""
    return EnrolmentFactory(person=person, plan=plan, **fields)


def finish_plan(enrolment: Enrolment) -> Enrolment:
    """Mark every chapter and course of the plan finished, and the enrolment with them."""
    rows = PlanCourse.objects.filter(plan=enrolment.plan).select_related("course")
    earned = {True: 0, False: 0}
    for row in rows:
        is_compulsory = row.kind == PlanCourse.Kind.COMPULSORY
        earned[is_compulsory] += row.course.credits
        CourseCompletionFactory(
            enrolment=enrolment, course=row.course, is_compulsory=is_compulsory
        )
        for chapter in row.course.chapters.select_related("video"):
            ChapterProgressFactory(enrolment=enrolment, chapter=chapter, completed=True)
    enrolment.state = Enrolment.State.COMPLETED
    enrolment.completed_at = OPENED_AT
    enrolment.compulsory_earned = earned[True]
    enrolment.elective_earned = earned[False]
    enrolment.percent = 100
    enrolment.save()
    return enrolment


def wrong_option(prompt: Prompt) -> str:
    """The id of some option that is not the right one."""
    return next(code for code, _ in prompt.options if code != prompt.correct_option)
