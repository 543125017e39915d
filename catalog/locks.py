"""Every row lock of the catalogue. Order: question sheet, plan, then courses by id.

Videos are locked alone.
"""

from collections.abc import Iterable

from catalog.models import Course, Plan, QuestionSheet, Video


def lock_plan(plan_id: int) -> Plan:
    return Plan.objects.select_for_update().get(pk=plan_id)


def lock_course(course_id: int) -> Course:
    return Course.objects.select_for_update().get(pk=course_id)


def lock_courses(codes: Iterable[str]) -> list[Course]:
    """Courses by their codes; codes of none are passed over."""
    return list(
        Course.objects.select_for_update().filter(code__in=codes).order_by("pk")
    )


def lock_courses_of(plan: Plan) -> list[Course]:
    return list(
        Course.objects.select_for_update(of=("self",))
        .filter(plan_courses__plan=plan)
        .order_by("pk")
    )


def find_locked_sheet(person_id: int, code: str) -> QuestionSheet | None:
    """The person's sheet if it still is the one of this code."""
    return (
        QuestionSheet.objects.select_for_update()
        .filter(uploaded_by=person_id, code=code)
        .first()
    )


def lock_waiting_videos() -> list[Video]:
    """All that wait or are at work: who takes one of them up waits here for the others."""
    waiting = Video.objects.select_for_update().filter(state=Video.State.WAITING)
    return list(waiting.only("lease_until").order_by("pk"))


def find_locked_video(video_id: int) -> Video | None:
    return Video.objects.select_for_update().filter(pk=video_id).first()
