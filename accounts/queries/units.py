"""Reads about the people of units; the only door to them is a live appointment."""

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.errors import NoMembershipError, UnitNotFoundError
from accounts.models import Unit, UnitMember, User
from accounts.personal_data import id_number_index, phone_index


def list_units_for(coordinator: User) -> QuerySet[Unit]:
    """The units that the person acts for today, the one appointed first in front."""
    return (
        Unit.objects.filter(
            appointments__person=coordinator, appointments__ended_at=None
        )
        .select_related("region")
        .order_by("appointments__appointed_at", "pk")
    )


def get_unit_for(coordinator: User, code: str) -> Unit:
    """The unit of this code that the person acts for. Raises `UnitNotFoundError`."""
    unit = list_units_for(coordinator).filter(code=code).first()
    if unit is None:
        raise UnitNotFoundError
    return unit


def list_members(unit: Unit) -> QuerySet[UnitMember]:
    """The live members of a unit with their accounts, without closed ones."""
    return (
        UnitMember.objects.filter(unit=unit, ended_at=None)
        .exclude(person__state=User.State.CLOSED)
        .select_related("person")
    )


def find_members(
    unit: Unit, *, name: str = "", state: str = ""
) -> QuerySet[UnitMember]:
    """Members by part of the name and by the account's state, the newest first."""
    found = list_members(unit).order_by("-joined_at", "-pk")
    if name.strip():
        found = found.filter(person__name__contains=name.strip())
    if state:
        found = found.filter(person__state=state)
    return found


def get_member_of(unit: Unit, person_code: str) -> UnitMember:
    """The live membership of this person in the unit. Raises `NoMembershipError`."""
    member = list_members(unit).filter(person__code=person_code).first()
    if member is None:
        raise NoMembershipError
    return member


def find_members_by_account(unit: Unit, accounts: Iterable[str]) -> dict[str, User]:
    """The live members behind canonical user names, phones and ID numbers; three queries.

    Who is unknown and who is elsewhere are missing alike.
    """
    wanted = set(accounts)
    members = list_members(unit)
    found: dict[str, User] = {}
    ways = (
        ("username", {text: text for text in wanted}),
        ("phone_index", {phone_index(text): text for text in wanted}),
        ("id_number_index", {id_number_index(text.upper()): text for text in wanted}),
    )
    for column, texts in ways:
        for member in members.filter(**{f"person__{column}__in": list(texts)}):
            found[texts[getattr(member.person, column)]] = member.person
    return found


def list_memberships_of(person: User) -> QuerySet[UnitMember]:
    """The live memberships of a person with their units, oldest first."""
    return (
        UnitMember.objects.filter(person=person, ended_at=None)
        .select_related("unit__region")
        .order_by("joined_at", "pk")
    )


def get_membership_of(person: User, unit_code: str) -> UnitMember:
    """The person's own live membership of a unit. Raises `NoMembershipError`."""
    member = list_memberships_of(person).filter(unit__code=unit_code).first()
    if member is None:
        raise NoMembershipError
    return member
