"""Every row lock of the catalogue. Order: plan, then course."""

from catalog.models import Course, Plan


def lock_plan(plan_id: int) -> Plan:
    return Plan.objects.select_for_update().get(pk=plan_id)


def lock_course(course_id: int) -> Course:
    return Course.objects.select_for_update().get(pk=course_id)
