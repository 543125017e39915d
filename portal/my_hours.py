"""我的学时: a person's hours year by year against the duty, and what to do next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from accounts.models import User
from catalog.models import Subject
from catalog.queries import list_plans
from certificates.queries import describe_person
from certificates.rules import find_missing_details
from learning.models import Enrolment, UnitHours
from learning.queries.hours import list_unit_hours_for, read_repeated_credits
from learning.rules.hours import FIRST_YEAR
from portal.queries import (
    CertifiedPlan,
    Duty,
    LastChapter,
    build_duty,
    find_last_chapter,
    list_certified_plans,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan that can be bought today."""

    code: str
    title: str
    year: int
    subject: str
    hours: int
    sale_end: date


@dataclass(frozen=True)
class Step:
    """What brings the missing hours: a link, and by when. Without `url` nothing can be done."""

    text: str
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class SubjectHours(Duty):
    """One subject of one year, with what units recorded of it and what brings the rest."""

    recorded: int
    steps: Sequence[Step]


@dataclass(frozen=True)
class YearOfHours:
    """A year: both subjects, and what units recorded, whether it counts or not."""

    year: int
    subjects: Sequence[SubjectHours]
    records: Sequence[UnitHours]

    @property
    def required(self) -> int:
        return sum(each.required for each in self.subjects)

    @property
    def counted(self) -> int:
        return sum(each.counted for each in self.subjects)

    @property
    def done(self) -> int:
        return sum(each.done for each in self.subjects)

    @property
    def missing(self) -> int:
        return sum(each.missing for each in self.subjects)

    @property
    def plans(self) -> list[CertifiedPlan]:
        return [plan for each in self.subjects for plan in each.plans]


@dataclass(frozen=True)
class MyHours:
    """The whole page: this year first. `lacks_details`: a certificate waits for them."""

    years: Sequence[YearOfHours]
    lacks_details: bool

    @property
    def this_year(self) -> YearOfHours:
        return self.years[0]


def get_my_hours(person: User, *, now: datetime) -> MyHours:
    """Read the years from 2011 to this one, newest first, in at most six queries."""
    today = timezone.localdate(now)
    held = list_certified_plans(person)
    records = list(list_unit_hours_for(person))
    repeated = read_repeated_credits(person)
    offers = list_offers(today, held={plan.code for plan in held})
    last = find_last_chapter(person)

    def add_up(year: int, subject: Subject) -> SubjectHours:
        recorded = 0
        if subject == Subject.PROFESSIONAL:
            recorded = sum(r.hours for r in records if r.year == year and r.is_counted)
        duty = build_duty(
            *(subject, year, held), repeated=repeated[year, subject], recorded=recorded
        )
        steps = list_steps(
            missing=duty.missing,
            year=year,
            subject=subject,
            plans=duty.plans,
            offers=[o for o in offers if (o.year, o.subject) == (year, subject)],
            last=last,
            today=today,
        )
        return SubjectHours(**vars(duty), recorded=recorded, steps=steps)

    years = [
        YearOfHours(
            year,
            [add_up(year, subject) for subject in Subject],
            [record for record in records if record.year == year],
        )
        for year in range(today.year, FIRST_YEAR - 1, -1)
    ]
    awaits_certificate = any(
        plan.state == Enrolment.State.COMPLETED and plan.certificate_number is None
        for plan in held
    )
    return MyHours(
        years,
        awaits_certificate and bool(find_missing_details(describe_person(person))),
    )


def list_offers(day: date, *, held: set[str]) -> list[Offer]:
    """Plans on sale on `day` that are not among those held; one query."""
    plans: Any = list_plans(day=day).filter(sale_start__lte=day, sale_end__gte=day)
    rows = plans.exclude(training_end__lt=day).values_list(
        *("code", "title", "year", "subject", "hours", "sale_end")
    )
    return [offer for offer in (Offer(*row) for row in rows) if offer.code not in held]


def list_steps(
    *,
    missing: int,
    year: int,
    subject: Subject,
    plans: Iterable[CertifiedPlan],
    offers: Sequence[Offer],
    last: LastChapter | None,
    today: date,
) -> list[Step]:
    """What to do about `missing` hours: study what is held, and buy what it cannot give."""
    if missing <= 0:
        return []
    to_study = [plan for plan in plans if plan.state == Enrolment.State.OPEN]
    open_now = [p for p in to_study if p.training_start <= today <= p.training_end]
    to_come = [p for p in to_study if today < p.training_start]
    steps = [_continue(plan, last) for plan in open_now]
    steps += [
        Step(f"《{plan.title}》{plan.training_start:%Y-%m-%d} 开始培训")
        for plan in to_come
    ]
    within_reach = sum(plan.hours - plan.hours_earned for plan in open_now)
    within_reach += sum(plan.hours for plan in to_come)
    if within_reach < missing:
        steps.append(_buy(year, subject, offers, today, more=bool(steps)))
    return steps


def _continue(plan: CertifiedPlan, last: LastChapter | None) -> Step:
    note = f"请在 {plan.training_end:%Y-%m-%d} 前学完"
    if last is not None and last.plan_code == plan.code:
        url = reverse("learning:player", args=[plan.code, last.course_code])
        return Step(f"继续学习《{last.course_title}》", url, note)
    url = reverse("learning:course-list", args=[plan.code])
    return Step(f"学习《{plan.title}》", url, note)


def _buy(
    year: int, subject: Subject, offers: Sequence[Offer], today: date, *, more: bool
) -> Step:
    verb = "补学" if year < today.year else "选购"
    if not offers:
        if more:
            return Step("还需其他项目或单位登记的学时才能补足")
        if year < today.year:
            return Step(f"{year} 年度{subject.label}目前没有开放补学的项目")
        return Step(f"{year} 年度{subject.label}目前没有可报名的项目")
    note = f"报名截至 {max(offer.sale_end for offer in offers):%Y-%m-%d}"
    if len(offers) == 1:
        url = reverse("plan-detail", args=[offers[0].code])
        return Step(f"{verb}《{offers[0].title}》", url, note)
    query = urlencode([("subject", subject.value), ("year", year)])
    url = f"{reverse('plan-list')}?{query}"
    return Step(f"{verb}{subject.label}（{len(offers)} 个项目可选）", url, note)
