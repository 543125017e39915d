"""Invitations to act for a unit: a link by SMS, for one phone, one use and seven days.

Nothing on the way tells whether the phone has an account: whoever opens the link logs in or
registers, and the account that accepts must be the one of the invited phone.
"""

import secrets
from datetime import datetime

from django.db import transaction

from accounts.errors import (
    InvitationClosedError,
    InvitationPhoneError,
    InvitationThrottledError,
    NoAppointmentError,
)
from accounts.locks import lock_invitation, lock_unit
from accounts.models import (
    CoordinatorInvitation,
    Message,
    ThrottleCounter,
    Unit,
    UnitAppointment,
    UnitMember,
    User,
)
from accounts.personal_data import phone_index
from accounts.queries.invitations import hash_token
from accounts.rules.throttles import INVITATION_LIFETIME, INVITE_PHONE, INVITE_UNIT
from accounts.services.audit import record_audit
from accounts.services.coordinators import appoint_coordinator
from accounts.services.messages import send_message
from accounts.services.throttling import Counter, take_tries, throttle_key
from accounts.services.units import join_unit
from portal.lib.masks import mask_phone

State = CoordinatorInvitation.State


def invite_coordinator(
    *, unit: Unit, phone: str, address: str, actor: User, now: datetime
) -> CoordinatorInvitation:
    """Send the normalised phone a link to act for the unit; an older one stops working.

    `address` is the site's address with `{token}` where the link's token goes. `actor` has
    to act for the unit. Raises `InvitationThrottledError` and `NoAppointmentError`.
    """
    if not take_tries(_counters(unit, phone), now=now):
        raise InvitationThrottledError
    return _write_invitation(
        unit=unit, phone=phone, address=address, actor=actor, now=now
    )


@transaction.atomic
def _write_invitation(
    *, unit: Unit, phone: str, address: str, actor: User, now: datetime
) -> CoordinatorInvitation:
    lock_unit(unit.pk)
    if not _acts_for(unit, actor):
        raise NoAppointmentError
    index, token = phone_index(phone), secrets.token_urlsafe(16)
    CoordinatorInvitation.objects.filter(
        unit=unit, phone_index=index, state=State.WAITING
    ).update(state=State.WITHDRAWN, answered_at=now)
    invitation = CoordinatorInvitation.objects.create(
        unit=unit,
        invited_by=actor,
        phone_index=index,
        phone_mask=mask_phone(phone),
        token_hash=hash_token(token),
        created_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    send_message(
        channel=Message.Channel.SMS,
        recipient=phone,
        template="coordinator_invited",
        context={
            "inviter": actor.name,
            "unit": unit.name,
            "address": address.replace("{token}", token),
            # Operators take no address in a template's place, but a part of one.
            "token": token,
        },
        now=now,
        expires_at=invitation.expires_at,
    )
    _record(invitation, "sent", actor=actor, now=now)
    return invitation


@transaction.atomic
def withdraw_invitation(
    *, invitation: CoordinatorInvitation, actor: User, now: datetime
) -> None:
    """Take an invitation back before it is answered. Raises `InvitationClosedError`."""
    _close(invitation, State.WITHDRAWN, person=None, now=now)
    _record(invitation, "withdrawn", actor=actor, now=now)


@transaction.atomic
def decline_invitation(
    *, invitation: CoordinatorInvitation, actor: User | None, now: datetime
) -> None:
    """Say no; needs no account, since the link was sent to nobody else."""
    _close(invitation, State.DECLINED, person=None, now=now)
    _record(invitation, "declined", actor=actor, now=now)


@transaction.atomic
def accept_invitation(
    *, invitation: CoordinatorInvitation, person: User, now: datetime
) -> UnitAppointment:
    """Make the person a coordinator, and a member, of the unit; the link works once.

    Raises `InvitationClosedError`, and `InvitationPhoneError` for the account of another
    phone: a link that was passed on appoints nobody.
    """
    if person.phone_index != invitation.phone_index:
        raise InvitationPhoneError
    _close(invitation, State.ACCEPTED, person=person, now=now)
    join_unit(
        unit=invitation.unit, person=person, source=UnitMember.Source.INVITED, now=now
    )
    appointment = appoint_coordinator(
        unit=invitation.unit,
        person=person,
        actor=person,
        now=now,
        detail={"invitation": invitation.code},
    )
    _record(invitation, "accepted", actor=person, now=now)
    return appointment


def _counters(unit: Unit, phone: str) -> list[Counter]:
    scope = ThrottleCounter.Scope
    return [
        Counter(scope.INVITE_UNIT, throttle_key("invite unit", unit.code), INVITE_UNIT),
        Counter(scope.INVITE_PHONE, throttle_key("invite phone", phone), INVITE_PHONE),
    ]


def _acts_for(unit: Unit, person: User) -> bool:
    return UnitAppointment.objects.filter(
        unit=unit, person=person, ended_at=None
    ).exists()


def _close(
    invitation: CoordinatorInvitation, state: str, *, person: User | None, now: datetime
) -> None:
    row = lock_invitation(invitation.pk)
    if not row.is_open(now=now):
        raise InvitationClosedError
    row.state, row.answered_at, row.person = state, now, person
    row.save(update_fields=["state", "answered_at", "person"])


def _record(
    invitation: CoordinatorInvitation,
    verb: str,
    *,
    actor: User | None,
    now: datetime,
) -> None:
    record_audit(
        action=f"invitation.{verb}",
        target=f"invitation:{invitation.code}",
        actor=actor,
        now=now,
        detail={"unit": invitation.unit.code},
    )
