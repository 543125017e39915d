"""Every row lock of the app. Order: the person's clock, then enrolments by id."""

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.models import User
from learning.models import Enrolment, PersonClock


def lock_clock(person: User, *, first_prompt_ms: int) -> PersonClock:
    """The person's clock, locked until the end of the transaction.

    Made at first use, with so many credited milliseconds until the first question.
    """
    PersonClock.objects.get_or_create(
        person=person, defaults={"until_prompt_ms": first_prompt_ms}
    )
    return get_locked_clock(person.pk)


def find_locked_clock(person_id: int) -> PersonClock | None:
    """The clock of a person who has studied before, locked; None for others."""
    return PersonClock.objects.select_for_update().filter(person_id=person_id).first()


def get_locked_clock(person_id: int) -> PersonClock:
    return PersonClock.objects.select_for_update().get(person_id=person_id)


def lock_enrolment(enrolment_id: int) -> Enrolment:
    return (
        Enrolment.objects.select_for_update(of=("self",))
        .select_related("plan")
        .get(pk=enrolment_id)
    )


def lock_enrolments(plan_id: int, person_ids: Iterable[int]) -> QuerySet[Enrolment]:
    """Enrolments of these people in one plan, in the order of their ids."""
    return (
        Enrolment.objects.select_for_update(of=("self",))
        .filter(plan_id=plan_id, person_id__in=list(person_ids))
        .order_by("pk")
    )
