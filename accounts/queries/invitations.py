"""Reads about coordinators and the invitations to become one."""

from django.db.models import QuerySet

from accounts.errors import InvitationClosedError
from accounts.models import CoordinatorInvitation, Unit, UnitAppointment, User
from accounts.personal_data import blind_index

INVITATIONS_SHOWN = 20


def hash_token(token: str) -> str:
    """A keyed hash of a link's token: the table opens nothing to whoever reads it."""
    return blind_index().of("invitation", token)


def list_coordinators(unit: Unit) -> QuerySet[UnitAppointment]:
    """The live appointments of a unit with the people, the first appointed in front."""
    return (
        UnitAppointment.objects.filter(unit=unit, ended_at=None)
        .exclude(person__state=User.State.CLOSED)
        .select_related("person")
        .order_by("appointed_at", "pk")
    )


def list_invitations(unit: Unit) -> QuerySet[CoordinatorInvitation]:
    """The newest invitations of a unit, whoever of its coordinators sent them."""
    return (
        CoordinatorInvitation.objects.filter(unit=unit)
        .select_related("invited_by", "person")
        .order_by("-created_at", "-pk")[:INVITATIONS_SHOWN]
    )


def get_invitation_of(unit: Unit, code: str) -> CoordinatorInvitation:
    """An invitation that the unit sent. Raises `InvitationClosedError`."""
    return _get(CoordinatorInvitation.objects.filter(unit=unit, code=code))


def get_invitation_by_token(token: str) -> CoordinatorInvitation:
    """The invitation whose link this is, in whatever state. Raises `InvitationClosedError`."""
    return _get(CoordinatorInvitation.objects.filter(token_hash=hash_token(token)))


def get_invitation_by_code(code: str) -> CoordinatorInvitation:
    """The invitation that a session has opened by its link. Raises `InvitationClosedError`."""
    return _get(CoordinatorInvitation.objects.filter(code=code))


def _get(found: QuerySet[CoordinatorInvitation]) -> CoordinatorInvitation:
    invitation = found.select_related("unit__region", "invited_by").first()
    if invitation is None:
        raise InvitationClosedError
    return invitation
