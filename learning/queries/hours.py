"""What counts towards the yearly duty besides a plan's credits, and what must not twice."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import (
    BigAutoField,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)

from accounts.models import Unit, User
from catalog.models import Subject
from learning.errors import UnitHoursNotFoundError
from learning.models import CourseCompletion, Enrolment, UnitHours
from learning.models.unit_hours import UnitHoursQuerySet
from learning.queries.enrolments import list_enrolments_of
from learning.rules.hours import count_hours
from portal.lib.kept_reads import KeptRead, Parameter


def list_repeated_completions() -> QuerySet[CourseCompletion]:
    """Completions of a course that the person also finished in another live plan of the same
    year and subject: all but the one that counts, which is that with the most credits."""
    same_course = CourseCompletion.objects.filter(
        enrolment__person=OuterRef("enrolment__person"),
        enrolment__plan__year=OuterRef("enrolment__plan__year"),
        enrolment__plan__subject=OuterRef("enrolment__plan__subject"),
        course=OuterRef("course"),
    ).exclude(enrolment__state=Enrolment.State.REVOKED)
    counts = Q(credits__gt=OuterRef("credits")) | Q(
        credits=OuterRef("credits"), pk__lt=OuterRef("pk")
    )
    return (
        CourseCompletion.objects.filter(Exists(same_course.filter(counts)))
        .exclude(enrolment__state=Enrolment.State.REVOKED)
        .order_by()
    )


_REPEATED = KeptRead(
    lambda: (
        list_repeated_completions()
        .filter(enrolment__person=Parameter("person", BigAutoField()))
        .values("enrolment__plan__year", "enrolment__plan__subject")
        .annotate(total=Sum("credits", output_field=IntegerField()))
        .values_list("enrolment__plan__year", "enrolment__plan__subject", "total")
    )
)


def read_repeated_credits(person: User) -> Counter[tuple[int, str]]:
    """Credits, by year and subject, of courses that a person finished in several plans of
    the same year and subject: those beyond the first time. One query."""
    return Counter(
        {
            (year, subject): total
            for year, subject, total in _REPEATED.rows(person=person.pk)
        }
    )


_RECORDED = KeptRead(
    lambda: (
        UnitHours.objects.counted()
        .filter(person=Parameter("person", BigAutoField()))
        .order_by()
        .values("year")
        .annotate(total=Sum("hours", output_field=IntegerField()))
        .values_list("year", "total")
    )
)


def sum_unit_hours(person: User) -> Counter[int]:
    """Professional hours that units recorded for a person and that count, by year; one query."""
    return Counter(dict(_RECORDED.rows(person=person.pk)))


@dataclass(frozen=True)
class YearHours:
    """Hours (学时) of both subjects that count for a year."""

    year: int
    general: int
    professional: int

    @property
    def total(self) -> int:
        return self.general + self.professional


def read_year_hours(person: User, year: int) -> YearHours:
    """What a person has learnt for `year`, and what units recorded; three queries."""
    plans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    rows = list_enrolments_of(person).filter(plan__year=year)
    for subject, compulsory, elective, hours in rows.values_list(
        *("plan__subject", "compulsory_earned", "elective_earned", "plan__hours")
    ):
        plans[subject].append((compulsory + elective, hours))
    repeated = read_repeated_credits(person)
    general, professional = Subject.GENERAL, Subject.PROFESSIONAL
    return YearHours(
        year,
        count_hours(plans[general], repeated=repeated[year, general]),
        count_hours(
            plans[professional],
            repeated=repeated[year, professional],
            recorded=sum_unit_hours(person)[year],
        ),
    )


def list_unit_hours_for(person: User) -> UnitHoursQuerySet:
    """All that units recorded for a person, newest first, with the unit."""
    rows = UnitHours.objects.filter(person=person).select_related("unit")
    return rows.order_by("-year", "-starts_on", "-pk")


def find_unit_hours(
    unit: Unit, *, year: int, name: str = "", state: str = ""
) -> UnitHoursQuerySet:
    """What a unit recorded for `year`, newest first, by part of the name and by state."""
    rows = UnitHours.objects.filter(unit=unit, year=year).select_related("person")
    if name.strip():
        rows = rows.filter(person__name__contains=name.strip())
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("-recorded_at", "-pk")


def get_unit_hours_of(unit: Unit, code: str) -> UnitHours:
    """A record of this unit, with the person. Raises `UnitHoursNotFoundError`."""
    try:
        return UnitHours.objects.select_related("person").get(unit=unit, code=code)
    except UnitHours.DoesNotExist as error:
        raise UnitHoursNotFoundError from error
