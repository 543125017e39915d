"""Coordinators at the same moment: one acceptance, and never a unit without anybody."""

import pytest

from accounts.errors import AccountsError, InvitationClosedError, LastCoordinatorError
from accounts.models import AuditEntry, UnitAppointment, UnitMember
from accounts.services.audit import find_chain_fault
from accounts.services.coordinators import appoint_coordinator, end_appointment
from accounts.services.invitations import accept_invitation, invite_coordinator
from accounts.services.units import join_unit
from tests.factories.accounts import (
    UnitAppointmentFactory,
    UnitFactory,
    UserFactory,
    make_phone,
)
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions):
    """Run all at one moment; the outcome of each: None or its error's class."""
    outcomes = run_together(*actions, refusals=(AccountsError,))
    return [
        type(each) if isinstance(each, AccountsError) else None for each in outcomes
    ]


def live(unit):
    return UnitAppointment.objects.filter(unit=unit, ended_at=None)


def test_an_invitation_is_accepted_once(now):
    unit = UnitFactory()
    coordinator = UnitAppointmentFactory(unit=unit).person
    invited = UserFactory(phone=make_phone(77))
    invitation = invite_coordinator(
        unit=unit, phone=make_phone(77), address="{token}", actor=coordinator, now=now
    )

    outcomes = at_once(
        *[lambda: accept_invitation(invitation=invitation, person=invited, now=now)] * 4
    )

    assert outcomes.count(None) == 1
    assert outcomes.count(InvitationClosedError) == 3
    assert live(unit).filter(person=invited).count() == 1
    assert UnitMember.objects.filter(person=invited).count() == 1
    assert AuditEntry.objects.filter(action="invitation.accepted").count() == 1
    assert find_chain_fault() is None


def test_the_last_two_cannot_both_go(now):
    unit = UnitFactory()
    first, second = (UnitAppointmentFactory(unit=unit).person for _ in range(2))

    outcomes = at_once(
        lambda: end_appointment(unit=unit, person=first, actor=first, now=now),
        lambda: end_appointment(unit=unit, person=second, actor=second, now=now),
    )

    assert sorted(map(str, outcomes)) == sorted([str(None), str(LastCoordinatorError)])
    assert live(unit).count() == 1
    assert live(unit).get().person.is_coordinator
    assert {first.pk, second.pk} == set(
        UnitAppointment.objects.values_list("person_id", flat=True)
    )


def test_two_that_end_each_other_leave_one(now):
    unit = UnitFactory()
    first, second = (UnitAppointmentFactory(unit=unit).person for _ in range(2))

    outcomes = at_once(
        lambda: end_appointment(unit=unit, person=second, actor=first, now=now),
        lambda: end_appointment(unit=unit, person=first, actor=second, now=now),
    )

    assert outcomes.count(None) == 1
    assert live(unit).count() == 1


def test_appointed_by_two_at_once_is_appointed_once(now):
    unit, person, staff = UnitFactory(), UserFactory(), UserFactory(is_staff=True)

    outcomes = at_once(
        *[lambda: appoint_coordinator(unit=unit, person=person, actor=staff, now=now)]
        * 4
    )

    assert outcomes == [None] * 4
    assert live(unit).count() == 1
    assert AuditEntry.objects.count() == 1


def test_ended_here_and_appointed_there_stays_a_coordinator(now):
    """The mark on the account says what both transactions together leave."""
    here, there, staff = UnitFactory(), UnitFactory(), UserFactory(is_staff=True)
    person = UnitAppointmentFactory(unit=here).person
    UnitAppointmentFactory(unit=here)

    outcomes = at_once(
        lambda: end_appointment(unit=here, person=person, actor=person, now=now),
        lambda: appoint_coordinator(unit=there, person=person, actor=staff, now=now),
    )

    assert outcomes == [None, None]
    person.refresh_from_db()
    assert person.is_coordinator


def test_joined_by_two_at_once_is_joined_once(now):
    unit, person = UnitFactory(), UserFactory()

    outcomes = at_once(
        *[lambda: join_unit(unit=unit, person=person, source="list", now=now)] * 6
    )

    assert outcomes == [None] * 6
    assert UnitMember.objects.count() == 1
