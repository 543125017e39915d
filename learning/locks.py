"""Every row lock of the app.

Order: the person's clock, an appeal, enrolments by id, a flag; or people by id, then hours of
units.
"""

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.models import User
from learning.models import Appeal, Enrolment, PersonClock, StudyFlag, UnitHours


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


def lock_clocks(person_ids: Iterable[int]) -> list[PersonClock]:
    """The clocks of those of these people who have studied before, in the order of people."""
    return list(
        PersonClock.objects.select_for_update()
        .filter(person_id__in=list(person_ids))
        .order_by("person_id")
    )


def get_locked_clock(person_id: int) -> PersonClock:
    return PersonClock.objects.select_for_update().get(person_id=person_id)


def lock_enrolment(enrolment_id: int) -> Enrolment:
    return (
        Enrolment.objects.select_for_update(of=("self",))
        .select_related("plan")
        .get(pk=enrolment_id)
    )


def lock_appeal(appeal_id: int) -> Appeal:
    return (
        Appeal.objects.select_for_update(of=("self",))
        .select_related("person", "stretch")
        .get(pk=appeal_id)
    )


def lock_flag(flag_id: int) -> StudyFlag:
    return (
        StudyFlag.objects.select_for_update(of=("self",))
        .select_related("person")
        .get(pk=flag_id)
    )


def lock_enrolments(plan_id: int, person_ids: Iterable[int]) -> QuerySet[Enrolment]:
    """Enrolments of these people in one plan, in the order of their ids."""
    return (
        Enrolment.objects.select_for_update(of=("self",))
        .filter(plan_id=plan_id, person_id__in=list(person_ids))
        .order_by("pk")
    )


def lock_learners(person_ids: Iterable[int]) -> list[User]:
    """These people by id: hours that units record for one of them queue here."""
    people = User.objects.select_for_update(no_key=True)
    return list(people.filter(pk__in=set(person_ids)).order_by("pk"))


def lock_unit_hours(record_id: int) -> UnitHours:
    return (
        UnitHours.objects.select_for_update(of=("self",))
        .select_related("person", "unit")
        .get(pk=record_id)
    )
