"""Reads about closing an account, and about closed ones."""

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Unit, UnitAppointment, User
from accounts.personal_data import id_number_index
from portal.lib.identity import normalise_person_number


def find_unit_left_alone(person: User) -> Unit | None:
    """A unit that would have no coordinator without this person."""
    others = UnitAppointment.objects.filter(
        unit=OuterRef("pk"), ended_at__isnull=True, person__state=User.State.ACTIVE
    ).exclude(person=person)
    return (
        Unit.objects.filter(
            appointments__person=person, appointments__ended_at__isnull=True
        )
        .filter(~Exists(others))
        .order_by("pk")
        .first()
    )


def list_closed_accounts(id_number: str) -> QuerySet[User]:
    """The accounts that were closed under this ID number, the last one first."""
    index = id_number_index(normalise_person_number(id_number))
    return User.objects.filter(former_id_number_index=index).order_by("-pk")
