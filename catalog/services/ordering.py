"""The order of chapters in a course and of courses in a plan."""

from collections.abc import Iterable, Sequence

from django.db import models, transaction
from django.db.models import Case, F, Max, QuerySet, When

from catalog import locks
from catalog.models import Chapter, PlanCourse


@transaction.atomic
def order_chapters(*, course_id: int, chapter_ids: Sequence[int]) -> None:
    """Number the chapters of a course from 1 in this order; those not named come after."""
    locks.lock_course(course_id)
    _number(Chapter.objects.filter(course=course_id), chapter_ids)


@transaction.atomic
def order_plan_courses(*, plan_id: int, row_ids: Sequence[int]) -> None:
    """Number the courses of a plan from 1 in this order; those not named come after."""
    locks.lock_plan(plan_id)
    _number(PlanCourse.objects.filter(plan=plan_id), row_ids)


def _number(
    rows: "QuerySet[Chapter] | QuerySet[PlanCourse]", ids: Iterable[int]
) -> None:
    before = dict(rows.order_by("position", "pk").values_list("pk", "position"))
    wanted = [pk for pk in dict.fromkeys(ids) if pk in before]
    wanted += [pk for pk in before if pk not in set(wanted)]
    numbers = {pk: number for number, pk in enumerate(wanted, start=1)}
    if numbers == before:
        return
    # All at once beyond every number in use, and back: no two rows ever share one, which a
    # unique constraint would refuse in the midst of a statement.
    largest = rows.aggregate(largest=Max("position"))["largest"]
    rows.update(position=F("position") + max(largest, len(numbers)) + 1)
    rows.update(
        position=Case(
            *(When(pk=pk, then=number) for pk, number in numbers.items()),
            output_field=models.PositiveSmallIntegerField(),
        )
    )
