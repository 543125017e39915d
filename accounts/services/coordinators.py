"""The people who act for a unit: appointed, ended by themselves, by a colleague or by staff."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from accounts.errors import LastCoordinatorError, NoAppointmentError
from accounts.locks import lock_person, lock_unit
from accounts.models import (
    CoordinatorInvitation,
    Message,
    Unit,
    UnitAppointment,
    User,
)
from accounts.services.audit import record_audit
from accounts.services.messages import send_message


@transaction.atomic
def appoint_coordinator(
    *,
    unit: Unit,
    person: User,
    actor: User,
    now: datetime,
    detail: Mapping[str, str] | None = None,
) -> UnitAppointment:
    """Let the person act for the unit; who does so already keeps the appointment.

    `detail` goes into the audit with it: the request or the invitation it came from.
    """
    appointment, is_new = begin_appointment(unit=unit, person=person, now=now)
    if is_new:
        record_audit(
            action="coordinator.appointed",
            target=f"unit:{unit.code}",
            actor=actor,
            now=now,
            detail={"person": person.code, **(detail or {})},
        )
    return appointment


def begin_appointment(
    *, unit: Unit, person: User, now: datetime
) -> tuple[UnitAppointment, bool]:
    """The person's live appointment and whether it is new, for a caller who writes the audit.

    Needs no lock of the unit: one more never leaves it without anybody.
    """
    appointment, is_new = UnitAppointment.objects.get_or_create(
        unit=unit, person=person, ended_at=None, defaults={"appointed_at": now}
    )
    if is_new:
        _note_standing(person)
    return appointment, is_new


@transaction.atomic
def end_appointment(*, unit: Unit, person: User, actor: User, now: datetime) -> None:
    """End a coordinator's appointment: the own one, or a colleague's of the same unit.

    `actor` has to act for the unit at this moment. Both are told by SMS. Raises
    `NoAppointmentError`, and `LastCoordinatorError` where nobody would be left.
    """
    lock_unit(unit.pk)
    live = UnitAppointment.objects.filter(unit=unit, ended_at=None)
    if not live.filter(person=actor).exists():
        raise NoAppointmentError
    others = live.exclude(person=person).filter(person__state=User.State.ACTIVE)
    if live.filter(person=person).exists() and not others.exists():
        raise LastCoordinatorError
    _end_appointment(unit=unit, person=person, now=now)
    if actor != person:
        _tell(
            actor,
            "coordinator_ended_by",
            {"name": person.name, "unit": unit.name},
            now=now,
        )
    record_audit(
        action="coordinator.ended",
        target=f"unit:{unit.code}",
        actor=actor,
        now=now,
        detail={"person": person.code},
    )


@transaction.atomic
def end_appointment_by_staff(
    *, appointment: UnitAppointment, reason: str, actor: User, now: datetime
) -> None:
    """End any appointment, the last one too; `reason` goes into the audit.

    Raises `NoAppointmentError` where it has ended already.
    """
    unit, person = appointment.unit, appointment.person
    lock_unit(unit.pk)
    _end_appointment(unit=unit, person=person, now=now)
    record_audit(
        action="coordinator.ended_by_staff",
        target=f"unit:{unit.code}",
        actor=actor,
        now=now,
        detail={"person": person.code, "reason": reason},
    )


def end_appointments_of(*, person: User, now: datetime) -> None:
    """End all of a person whose account closes; the caller has looked who is left.

    Saving the account, whose mark is taken off, is the caller's.
    """
    person.appointments.filter(ended_at=None).update(ended_at=now)
    _withdraw_invitations(now=now, invited_by=person)
    person.is_coordinator = False


def _end_appointment(*, unit: Unit, person: User, now: datetime) -> None:
    ended = UnitAppointment.objects.filter(
        unit=unit, person=person, ended_at=None
    ).update(ended_at=now)
    if not ended:
        raise NoAppointmentError
    _withdraw_invitations(now=now, unit=unit, invited_by=person)
    _note_standing(person)
    _tell(person, "coordinator_ended", {"unit": unit.name}, now=now)


def _withdraw_invitations(*, now: datetime, **whose: Unit | User) -> None:
    """Whoever was invited waits for somebody who no longer speaks for the unit."""
    CoordinatorInvitation.objects.filter(
        state=CoordinatorInvitation.State.WAITING, **whose
    ).update(state=CoordinatorInvitation.State.WITHDRAWN, answered_at=now)


def _note_standing(person: User) -> None:
    """Write what every page asks of the account row; other units may change it at once."""
    row = lock_person(person.pk)
    row.is_coordinator = row.appointments.filter(ended_at=None).exists()
    row.save(update_fields=["is_coordinator"])
    person.is_coordinator = row.is_coordinator


def _tell(
    person: User, template: str, values: Mapping[str, str], *, now: datetime
) -> None:
    if person.phone_index is not None:
        send_message(
            channel=Message.Channel.SMS,
            recipient=person.phone,
            template=template,
            context=values,
            now=now,
        )
