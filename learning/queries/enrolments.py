"""Who holds which plan, and what they have earned in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import BigAutoField, Exists, OuterRef, Q, QuerySet, SlugField

from accounts.models import User
from catalog.models import FieldOfStudy, Plan, Subject
from learning.errors import EnrolmentNotFoundError
from learning.models import (
    ChapterProgress,
    Enrolment,
)
from portal.lib.kept_reads import KeptRead, Parameter, column_names


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """A plan that a person holds, as the lists of plans show it.

    Plain values: someone who makes up sixteen years holds dozens of plans, and two model
    instances for each took most of a page's time.
    """

    state: str
    percent: int
    compulsory_earned: int
    elective_earned: int
    completed_at: datetime | None
    code: str
    title: str
    year: int
    subject: str
    field: str
    entry: int
    hours: int
    required_credits: int
    training_start: date
    training_end: date

    @property
    def credits_earned(self) -> int:
        return self.compulsory_earned + self.elective_earned

    @property
    def hours_earned(self) -> int:
        """Hours that count: a plan gives no more than it has."""
        return min(self.credits_earned, self.hours)

    @property
    def is_completed(self) -> bool:
        return self.state == Enrolment.State.COMPLETED

    @property
    def subject_label(self) -> str:
        return str(Subject(self.subject).label)

    @property
    def field_label(self) -> str:
        return str(FieldOfStudy(self.field).label) if self.field else ""


# In the order of the fields of `HeldPlan`.
HELD_PLAN_COLUMNS = (
    *("state", "percent", "compulsory_earned", "elective_earned", "completed_at"),
    *("plan__code", "plan__title", "plan__year", "plan__subject", "plan__field"),
    *("plan__entry", "plan__hours", "plan__required_credits"),
    *("plan__training_start", "plan__training_end"),
)


def list_enrolments_for(user: User) -> QuerySet[Enrolment]:
    """The person's live enrolments with their plans, newest year first."""
    return list_enrolments_of(user).select_related("plan")


def list_enrolments_of(person: User | Parameter) -> QuerySet[Enrolment]:
    """Live enrolments of a person who may be named later, newest year first."""
    enrolments = Enrolment.objects.live().filter(person=person)
    return enrolments.order_by("-plan__year", "-opened_at", "-pk")


def list_completed_for(user: User) -> QuerySet[Enrolment]:
    """The person's completed enrolments with their plans, newest year first."""
    return list_enrolments_for(user).filter(state=Enrolment.State.COMPLETED)


_ENROLMENT_WITH_PLAN = KeptRead(
    lambda: (
        Enrolment.objects.live()
        .filter(
            person=Parameter("person", BigAutoField()),
            plan__code=Parameter("plan", SlugField()),
        )
        .values_list(
            *column_names(Enrolment), *(f"plan__{name}" for name in column_names(Plan))
        )
    )
)


def get_enrolment_for(user: User, plan_code: str) -> Enrolment:
    """The person's live enrolment in a plan, with the plan. Raises EnrolmentNotFoundError."""
    rows = _ENROLMENT_WITH_PLAN.rows(person=user.pk, plan=plan_code)
    if not rows:
        raise EnrolmentNotFoundError
    names = column_names(Enrolment)
    enrolment = Enrolment.from_db("default", names, rows[0][: len(names)])
    enrolment.plan = Plan.from_db("default", column_names(Plan), rows[0][len(names) :])
    return enrolment


def find_enrolment(user_id: int, plan_id: int) -> Enrolment | None:
    """The live enrolment of a person in a plan, None when they do not hold it."""
    return Enrolment.objects.live().filter(person_id=user_id, plan_id=plan_id).first()


def list_holders(plan_id: int, user_ids: Iterable[int]) -> set[int]:
    """Ids of those among `user_ids` who hold the plan; one query per 1,000 of them."""
    ids = sorted(set(user_ids))
    held: set[int] = set()
    for start in range(0, len(ids), 1000):
        held.update(
            Enrolment.objects.live()
            .filter(plan_id=plan_id, person_id__in=ids[start : start + 1000])
            .values_list("person_id", flat=True)
        )
    return held


def list_learners(plan_id: int, user_ids: Iterable[int]) -> set[int]:
    """Ids of those among `user_ids` who have begun to study the plan, whatever became of it.

    Who has finished it, and so everybody with a certificate of it, is among them.
    """
    ids = sorted(set(user_ids))
    begun: set[int] = set()
    has_progress = Exists(
        ChapterProgress.objects.filter(
            Q(covered_ms__gt=0) | Q(pending_ms__gt=0), enrolment=OuterRef("pk")
        )
    )
    for start in range(0, len(ids), 1000):
        begun.update(
            Enrolment.objects.filter(
                Q(completed_at__isnull=False)
                | Q(compulsory_earned__gt=0)
                | Q(elective_earned__gt=0)
                | has_progress,
                plan_id=plan_id,
                person_id__in=ids[start : start + 1000],
            ).values_list("person_id", flat=True)
        )
    return begun
