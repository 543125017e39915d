"""Courses of a plan and their chapters."""

from django.db.models import QuerySet

from catalog.errors import (
    CourseNotFoundError,
)
from catalog.models import (
    Chapter,
    Course,
    Plan,
    PlanCourse,
)


def get_plan_course(plan: Plan, course_code: str) -> PlanCourse:
    """The course as the plan holds it, with lecturer. Raises CourseNotFoundError."""
    try:
        return plan.plan_courses.select_related("course__lecturer").get(
            course__code=course_code
        )
    except PlanCourse.DoesNotExist as error:
        raise CourseNotFoundError from error


def list_chapters(course: Course) -> QuerySet[Chapter]:
    """Chapters of a course in order, with their videos."""
    return course.chapters.select_related("video").order_by("position")
