"""Reads of the pages that span apps: home and 个人空间."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import BigAutoField, DateTimeField, Max, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan, Subject
from catalog.queries import list_plan_years, list_plans
from certificates.models import Certificate
from certificates.queries import describe_person
from certificates.rules import find_missing_details
from invoices.models import Invoice
from learning.models import ChapterProgress, Enrolment
from learning.queries import HELD_PLAN_COLUMNS, HeldPlan, list_enrolments_of
from learning.queries.hours import read_repeated_credits, sum_unit_hours
from learning.rules.hours import count_hours
from orders.models import Order
from portal.content.models import Article, Download, Hotline
from portal.content.queries import list_articles, list_downloads, list_hotlines
from portal.lib.kept_reads import KeptRead, Parameter

PLANS_ON_HOME = 8
NEWS_ON_HOME = 7
DOWNLOADS_ON_HOME = 6
ROWS_IN_SPACE = 3
# More than anybody leaves unpaid or without an invoice within a year.
ORDERS_IN_SPACE = 50


@dataclass(frozen=True)
class Home:
    """What the home page shows."""

    years: dict[str, list[int]]
    plans: list[Plan]
    plan_year: int
    notices: list[Article]
    policies: list[Article]
    downloads: list[Download]
    hotlines: list[Hotline]


def get_home(*, now: datetime) -> Home:
    """Read the home page: the years on offer, the newest year's plans, news, forms."""
    plans = list(list_plans_on_sale(timezone.localdate(now))[:PLANS_ON_HOME])
    newest = plans[0].year if plans else 0
    return Home(
        years=list_plan_years(),
        plans=[plan for plan in plans if plan.year == newest],
        plan_year=newest,
        notices=list(list_articles(Article.Kind.NOTICE, now=now)[:NEWS_ON_HOME]),
        policies=list(list_articles(Article.Kind.POLICY, now=now)[:NEWS_ON_HOME]),
        downloads=list(list_downloads()[:DOWNLOADS_ON_HOME]),
        hotlines=list(list_hotlines()),
    )


def list_plans_on_sale(day: date) -> QuerySet[Plan]:
    """Plans that can be bought on `day`: newest year first, 公需科目 first, then by entry."""
    return list_plans(day=day).filter(sale_start__lte=day, sale_end__gte=day)


@dataclass(frozen=True, slots=True)
class CertifiedPlan(HeldPlan):
    """A plan that a person holds, with its certificate where there is one."""

    certificate_number: str | None
    certificate_state: str | None

    @property
    def certificate_is_valid(self) -> bool:
        return self.certificate_state == Certificate.State.VALID


_CERTIFIED_PLANS = KeptRead(
    lambda: list_enrolments_of(Parameter("person", BigAutoField())).values_list(
        *HELD_PLAN_COLUMNS, "certificate__number", "certificate__state"
    )
)


def list_certified_plans(person: User) -> list[CertifiedPlan]:
    """A person's plans with what was earned and the certificate, newest year first."""
    return [CertifiedPlan(*row) for row in _CERTIFIED_PLANS.rows(person=person.pk)]


@dataclass(frozen=True)
class Duty:
    """One part of the yearly duty: hours done of hours required."""

    subject: Subject
    done: int
    required: int
    plans: list[CertifiedPlan]

    @property
    def missing(self) -> int:
        return max(0, self.required - self.done)

    @property
    def counted(self) -> int:
        """Hours that count towards the duty: never more than required."""
        return min(self.done, self.required)


@dataclass(frozen=True, slots=True)
class LastChapter:
    """The chapter that a person watched last."""

    completed_at: datetime | None
    plan_code: str
    plan_year: int
    plan_subject: str
    position: int
    title: str
    course_code: str
    course_title: str
    field: str

    @property
    def subject_label(self) -> str:
        return str(Subject(self.plan_subject).label)


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that asks for something: to be paid, or for an invoice."""

    number: str
    state: str
    total_fen: int
    expires_at: datetime
    plan_title: str


@dataclass(frozen=True, slots=True)
class RecentInvoice:
    request_number: str
    state: str
    title: str
    amount_fen: int
    requested_at: datetime

    @property
    def state_label(self) -> str:
        return str(Invoice.State(self.state).label)


@dataclass(frozen=True)
class Space:
    """What 个人空间 shows of one person."""

    year: int
    duties: list[Duty]
    studying: list[CertifiedPlan]
    awaiting_certificate: list[CertifiedPlan]
    certified: list[CertifiedPlan]
    last_chapter: LastChapter | None
    pending_orders: list[OpenOrder]
    invoices: list[RecentInvoice]
    uninvoiced_count: int
    lacks_details: bool

    @property
    def required_hours(self) -> int:
        return sum(duty.required for duty in self.duties)

    @property
    def counted_hours(self) -> int:
        return sum(duty.counted for duty in self.duties)


def get_space(person: User, *, now: datetime) -> Space:
    """Read a person's own 个人空间 in a fixed number of queries."""
    year = timezone.localdate(now).year
    held = list_certified_plans(person)
    completed = [plan for plan in held if plan.state == Enrolment.State.COMPLETED]
    awaiting = [plan for plan in completed if plan.certificate_number is None]
    orders = list_orders_to_act_on(person, now=now)
    pending = [row for row in reversed(orders) if row.state == Order.State.PENDING]
    repeated = read_repeated_credits(person)
    recorded = {Subject.PROFESSIONAL: sum_unit_hours(person)[year]}
    return Space(
        year=year,
        duties=[
            build_duty(
                subject,
                year,
                held,
                repeated=repeated[year, subject],
                recorded=recorded.get(subject, 0),
            )
            for subject in Subject
        ],
        studying=[plan for plan in held if plan.state == Enrolment.State.OPEN],
        awaiting_certificate=awaiting,
        certified=[plan for plan in completed if plan.certificate_number is not None],
        last_chapter=find_last_chapter(person),
        pending_orders=pending[:ROWS_IN_SPACE],
        invoices=list_recent_invoices(person),
        uninvoiced_count=sum(row.state == Order.State.PAID for row in orders),
        # Asked for the hint beside a finished plan only.
        lacks_details=bool(awaiting and find_missing_details(describe_person(person))),
    )


def build_duty(
    subject: Subject,
    year: int,
    held: list[CertifiedPlan],
    *,
    repeated: int = 0,
    recorded: int = 0,
) -> Duty:
    """Add up what a person's plans of `year` and `subject` have earned, less what they
    repeat, and the hours that units recorded (`learning.rules.hours.count_hours`)."""
    plans = [plan for plan in held if plan.subject == subject and plan.year == year]
    return Duty(
        subject=subject,
        done=count_hours(
            [(plan.credits_earned, plan.hours) for plan in plans],
            repeated=repeated,
            recorded=recorded,
        ),
        required=settings.YEARLY_DUTY_HOURS[subject],
        plans=plans,
    )


_LAST_CHAPTER = KeptRead(
    lambda: (
        ChapterProgress.objects.filter(
            enrolment__person=Parameter("person", BigAutoField()),
            enrolment__state=Enrolment.State.OPEN,
        )
        .order_by("-updated_at")
        .values_list(
            *("completed_at", "enrolment__plan__code", "enrolment__plan__year"),
            *("enrolment__plan__subject", "chapter__position", "chapter__title"),
            *(
                "chapter__course__code",
                "chapter__course__title",
                "chapter__course__field",
            ),
        )[:1]
    )
)


def find_last_chapter(person: User) -> LastChapter | None:
    """The chapter the person watched last, in a plan that is not finished."""
    rows = _LAST_CHAPTER.rows(person=person.pk)
    return LastChapter(*rows[0]) if rows else None


def _select_orders_to_act_on() -> "QuerySet[Order, Any]":
    can_pay = Q(
        state=Order.State.PENDING, expires_at__gt=Parameter("now", DateTimeField())
    )
    lacks_invoice = Q(
        state=Order.State.PAID,
        paid_at__gte=Parameter("start", DateTimeField()),
        total_fen__gt=0,
        invoice_request=None,
        invoices=None,
    )
    buyer = Parameter("buyer", BigAutoField())
    return (
        Order.objects.filter(can_pay | lacks_invoice, buyer=buyer)
        .order_by("-expires_at")
        .values_list(
            "number", "state", "total_fen", "expires_at", Max("lines__plan_title")
        )[:ORDERS_IN_SPACE]
    )


_ORDERS_TO_ACT_ON = KeptRead(_select_orders_to_act_on)


def list_orders_to_act_on(person: User, *, now: datetime) -> list[OpenOrder]:
    """Orders that can still be paid at `now`, and those paid this year without an invoice:
    only in that year may one be asked for. Each with the title of what it buys; the last to
    expire first.
    """
    year = timezone.localdate(now).year
    start = timezone.make_aware(datetime(year, 1, 1))  # noqa: DTZ001 - made aware here
    rows = _ORDERS_TO_ACT_ON.rows(buyer=person.pk, now=now, start=start)
    return [OpenOrder(*row) for row in rows]


_RECENT_INVOICES = KeptRead(
    lambda: (
        Invoice.objects.filter(
            order__buyer=Parameter("buyer", BigAutoField()), kind=Invoice.Kind.BLUE
        )
        .exclude(state=Invoice.State.REVERSED)
        .order_by("-requested_at")
        .values_list("request_number", "state", "title", "amount_fen", "requested_at")[
            :ROWS_IN_SPACE
        ]
    )
)


def list_recent_invoices(person: User) -> list[RecentInvoice]:
    rows = _RECENT_INVOICES.rows(buyer=person.pk)
    return [RecentInvoice(*row) for row in rows]
