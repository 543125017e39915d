"""A plan once more, for the year after."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services.audit import record_audit
from catalog import locks
from catalog.errors import PlanExistsError
from catalog.models import Plan, PlanCourse, PlanPrice
from catalog.rules.years import move_code, move_date, move_text
from catalog.services.prices import set_plan_price

# Taken over as they are. A plan of the year to come is nothing that anybody paid for before,
# so it takes no claims.
_KEPT = (
    *("subject", "field", "entry", "hours", "required_credits"),
    *("compulsory_credits", "elective_credits", "sells_codes", "fastest_speed"),
)
_DATES = ("training_start", "training_end", "sale_start", "sale_end")


def draft_next_year(plan: Plan) -> Plan:
    """The plan of the year after `plan`, unsaved: dates a year on, years in words moved."""
    return Plan(
        code=move_code(plan.code, plan.year),
        year=plan.year + 1,
        title=move_text(plan.title, plan.year),
        summary=move_text(plan.summary, plan.year),
        **{name: getattr(plan, name) for name in _KEPT},
        **{name: move_date(getattr(plan, name)) for name in _DATES},
    )


@transaction.atomic
def copy_plan(*, plan_id: int, actor: User, now: datetime) -> Plan:
    """Make the draft for the next year: the same courses in order, today's price.

    Raises `PlanExistsError` when a plan of the new code is there already.
    """
    plan = locks.lock_plan(plan_id)
    copy = draft_next_year(plan)
    if Plan.objects.filter(code=copy.code).exists():
        raise PlanExistsError(copy.code)
    copy.save(force_insert=True)
    PlanCourse.objects.bulk_create(
        PlanCourse(plan=copy, course_id=row.course_id, kind=row.kind, position=number)
        for number, row in enumerate(
            plan.plan_courses.order_by("position", "pk"), start=1
        )
    )
    today = timezone.localdate(now)
    price = PlanPrice.objects.filter(plan=plan).of_day(today).first()
    if price is not None:
        set_plan_price(
            plan_id=copy.pk,
            valid_from=today,
            pricing=price.pricing,
            unit_price_fen=price.unit_price_fen,
            reason=f"沿用 {plan.year} 年度计划的价格",
            actor=actor,
            now=now,
        )
    record_audit(
        action="catalog.plan_copied",
        target=f"plan:{copy.code}",
        actor=actor,
        now=now,
        detail={"from": plan.code},
    )
    return copy
