"""What 单位工作台 shows of a unit's people: accounts and learning, composed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import (
    Avg,
    Count,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Least

from accounts.models import (
    CoordinatorInvitation,
    Unit,
    UnitAppointment,
    UnitMember,
    User,
)
from accounts.queries.units import find_members, list_members
from catalog.models import Plan, Subject
from learning.models import Enrolment, UnitHours
from learning.queries.hours import list_repeated_completions

MET, UNMET = "met", "unmet"


@dataclass(frozen=True)
class PlanProgress:
    """How far the unit's people are in one plan."""

    title: str
    year: int
    subject: str
    people: int
    completed: int
    percent: int


@dataclass(frozen=True)
class UnitOverview:
    """The figures of the workspace's first page."""

    year: int
    members: int
    active: int
    pending: int
    coordinators: int
    invitations: int
    plans: list[PlanProgress]


def get_overview(unit: Unit, *, year: int, now: datetime) -> UnitOverview:
    """Count a unit's people and their progress in the plans of `year`; four queries."""
    people = list_members(unit).aggregate(
        all=Count("pk"),
        active=Count("pk", filter=Q(person__state=User.State.ACTIVE)),
        pending=Count("pk", filter=Q(person__state=User.State.PENDING)),
    )
    return UnitOverview(
        year=year,
        members=people["all"],
        active=people["active"],
        pending=people["pending"],
        coordinators=UnitAppointment.objects.filter(unit=unit, ended_at=None).count(),
        invitations=CoordinatorInvitation.objects.filter(
            unit=unit,
            state=CoordinatorInvitation.State.WAITING,
            expires_at__gt=now,
        ).count(),
        plans=list_plan_progress(unit, year=year),
    )


def list_plan_progress(unit: Unit, *, year: int) -> list[PlanProgress]:
    """The plans of `year` that members hold, 公需科目 first; one query."""
    people = list_members(unit).values("person_id")
    # By what they hold, not by what is revoked: `exclude` would drop the whole plan as soon
    # as anybody's enrolment in it is.
    held = Enrolment.objects.live().filter(person__in=people)
    rows = (
        Plan.objects.filter(year=year, enrolments__in=held)
        .order_by("subject", "title", "pk")
        .annotate(
            people=Count("enrolments"),
            completed=Count(
                "enrolments", filter=Q(enrolments__state=Enrolment.State.COMPLETED)
            ),
            percent=Avg("enrolments__percent"),
        )
    )
    return [
        PlanProgress(
            row.title,
            row.year,
            Subject(row.subject).label,
            row.people,
            row.completed,
            int(row.percent),
        )
        for row in rows
    ]


def find_progress(
    unit: Unit, *, year: int, name: str = "", standing: str = ""
) -> QuerySet[UnitMember]:
    """Members with their hours of `year`, as `general` and `professional`.

    Those of plans and those that units recorded, the same that each of them reads in 我的学时.
    `standing` is MET for who has done the yearly duty, UNMET for the others. One query.
    """
    found = find_members(unit, name=name).annotate(
        general=_hours(Subject.GENERAL, year),
        professional=_hours(Subject.PROFESSIONAL, year) + _recorded(year),
    )
    duty = settings.YEARLY_DUTY_HOURS
    is_met = Q(
        general__gte=duty[Subject.GENERAL], professional__gte=duty[Subject.PROFESSIONAL]
    )
    if standing == MET:
        found = found.filter(is_met)
    elif standing == UNMET:
        found = found.exclude(is_met)
    return found


def _hours(subject: Subject, year: int) -> Least:
    """As `learning.rules.hours.count_hours` adds up the plans of one person."""
    plans = Enrolment.objects.live().filter(
        person=OuterRef("person"), plan__year=year, plan__subject=subject
    )
    earned = F("compulsory_earned") + F("elective_earned")
    repeated = list_repeated_completions().filter(
        enrolment__person=OuterRef("person"),
        enrolment__plan__year=year,
        enrolment__plan__subject=subject,
    )
    capped = _sum_of(plans, Least(earned, F("plan__hours")), by="person")
    once = _sum_of(plans, earned, by="person") - _sum_of(
        repeated, F("credits"), by="enrolment__person"
    )
    return Least(capped, once, output_field=IntegerField())


def _sum_of(rows: QuerySet[Any], amount: Combinable, *, by: str) -> Coalesce:
    total = Sum(amount, output_field=IntegerField())
    sums = rows.order_by().values(by).annotate(total=total).values("total")
    return Coalesce(Subquery(sums), 0, output_field=IntegerField())


def _recorded(year: int) -> Coalesce:
    rows = UnitHours.objects.counted().filter(person=OuterRef("person"), year=year)
    return _sum_of(rows, F("hours"), by="person")
