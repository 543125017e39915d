"""What publishing and its checks want to know."""

from datetime import date

from django.db.models import QuerySet

from catalog.models import (
    Course,
    Plan,
    PlanCourse,
    Video,
)
from catalog.queries.plans import read_price_fen
from catalog.rules import CourseFacts, PlanFacts


def read_plan_facts(plan: Plan, *, day: date) -> tuple[PlanFacts, list[CourseFacts]]:
    """What `rules.find_plan_problems` wants to know on `day`; four queries."""
    facts = PlanFacts(
        hours=plan.hours,
        price_fen=read_price_fen(plan, day=day),
        required_credits=plan.required_credits,
        compulsory_credits=plan.compulsory_credits,
        elective_credits=plan.elective_credits,
    )
    rows = plan.plan_courses.select_related("course").order_by("position", "pk")
    rows = rows.prefetch_related("course__chapters__video")
    return facts, [
        read_course_facts(
            row.course, is_compulsory=row.kind == PlanCourse.Kind.COMPULSORY
        )
        for row in rows
    ]


def read_course_facts(course: Course, *, is_compulsory: bool = False) -> CourseFacts:
    """What `rules.find_course_problems` wants to know."""
    chapters = sorted(course.chapters.all(), key=lambda chapter: chapter.position)
    return CourseFacts(
        title=course.title,
        credits=course.credits,
        chapter_count=len(chapters),
        unplayable=[
            chapter.title
            for chapter in chapters
            if chapter.video is None or chapter.video.state != Video.State.READY
        ],
        is_compulsory=is_compulsory,
        is_published=course.is_published,
    )


def list_published_plans_with(course: Course) -> QuerySet[Plan]:
    return course.plans.filter(is_published=True).order_by("-year", "pk")
