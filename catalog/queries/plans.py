"""Plans with their prices and what they offer."""

from dataclasses import dataclass
from datetime import date

from django.core.cache import cache
from django.db.models import Count, QuerySet, Sum

from catalog.errors import (
    PlanNotFoundError,
)
from catalog.models import (
    FieldOfStudy,
    Plan,
    PlanCourse,
    PlanPrice,
    PlanQuerySet,
    Pricing,
    Subject,
)
from catalog.rules import CreditSum, plan_price_fen

OFFER_KEPT_SECONDS = 30


def list_plans(
    *, day: date, subject: str = "", year: int | None = None, field: str = ""
) -> QuerySet[Plan]:
    """Published plans with their prices on `day`: newest year first, 公需科目 first, entry
    one before entry two."""
    plans = Plan.objects.published().priced(day)
    if subject:
        plans = plans.filter(subject=subject)
    if year is not None:
        plans = plans.filter(year=year)
    if field:
        plans = plans.filter(field=field)
    return plans.order_by("-year", "subject", "entry", "pk")


def list_plan_years() -> dict[str, list[int]]:
    """Years that have published plans, newest first, for every subject; one query."""
    rows = (
        Plan.objects.published()
        .order_by("-year")
        .values_list("subject", "year")
        .distinct()
    )
    years: dict[str, list[int]] = {subject: [] for subject in Subject.values}
    for subject, year in rows:
        years[subject].append(year)
    return years


def get_plan(code: str, *, day: date) -> Plan:
    """The plan with its price on `day`.

    Raise PlanNotFoundError when no such plan is published.
    """
    return _get_plan(Plan.objects.published(), code, day)


def get_plan_for_staff(code: str, *, day: date) -> Plan:
    """Like `get_plan`, drafts included: for the preview of staff."""
    return _get_plan(Plan.objects.all(), code, day)


def _get_plan(plans: PlanQuerySet, code: str, day: date) -> Plan:
    try:
        return plans.priced(day).get(code=code)
    except Plan.DoesNotExist as error:
        raise PlanNotFoundError from error


def read_price_fen(plan: Plan, *, day: date) -> int:
    """What the whole plan costs on `day`, read now; 0 when no price is set.

    For whatever freezes a price: the plan at hand may have been read on another day.
    """
    price = PlanPrice.objects.filter(plan=plan.pk).of_day(day).first()
    if price is None:
        return 0
    return plan_price_fen(
        per_hour=price.pricing == Pricing.PER_HOUR,
        unit_price_fen=price.unit_price_fen,
        hours=plan.hours,
    )


@dataclass(frozen=True, slots=True)
class OfferedCourse:
    """A course as a plan offers it, the same for everybody.

    Plain values: pages keep the list of a plan, and the drawn card of a course is found again
    by what this says.
    """

    pk: int
    code: str
    title: str
    field: str
    credits: int
    kind: str
    lecturer_name: str
    lecturer_title: str
    chapter_count: int
    duration_ms: int

    @property
    def field_label(self) -> str:
        return str(FieldOfStudy(self.field).label)

    @property
    def kind_label(self) -> str:
        return str(PlanCourse.Kind(self.kind).label)


@dataclass(frozen=True)
class PlanOffer:
    """What a plan offers: its courses in order."""

    courses: list[OfferedCourse]

    def of_kind(self, kind: str) -> list[OfferedCourse]:
        """Courses of one kind; all of them for the empty kind."""
        return [each for each in self.courses if kind in ("", each.kind)]

    @property
    def credits(self) -> CreditSum:
        compulsory = sum(each.credits for each in self.of_kind("compulsory"))
        total = sum(each.credits for each in self.courses)
        return CreditSum(compulsory=compulsory, elective=total - compulsory)

    @property
    def course_count(self) -> int:
        return len(self.courses)

    @property
    def compulsory_count(self) -> int:
        return len(self.of_kind("compulsory"))

    @property
    def elective_count(self) -> int:
        return self.course_count - self.compulsory_count

    @property
    def has_both_kinds(self) -> bool:
        return self.compulsory_count > 0 and self.elective_count > 0


def read_plan_offer(plan_id: int) -> PlanOffer:
    """Read the courses of a plan with lecturers, chapters and length; one query."""
    rows = (
        PlanCourse.objects.filter(plan_id=plan_id)
        .order_by("position", "pk")
        .values_list(
            *("course_id", "course__code", "course__title", "course__field"),
            *("course__credits", "kind"),
            *("course__lecturer__name", "course__lecturer__title"),
            Count("course__chapters"),
            Sum("course__chapters__video__duration_ms", default=0),
        )
    )
    return PlanOffer([OfferedCourse(*row) for row in rows])


def recall_plan_offer(plan_id: int) -> PlanOffer:
    """Like `read_plan_offer`, up to half a minute old: for pages that everybody opens."""
    # While a release is rolled out, processes of both must not read each other's values.
    key = f"catalog:offer:{'-'.join(OfferedCourse.__slots__)}:{plan_id}"
    offer: PlanOffer | None = cache.get(key)
    if offer is None:
        offer = read_plan_offer(plan_id)
        cache.set(key, offer, OFFER_KEPT_SECONDS)
    return offer


COURSES_PER_PAGE = 12
