"""Appointments: begun by a service, ended by the person, a colleague or staff."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.errors import LastCoordinatorError, NoAppointmentError
from accounts.models import (
    AuditEntry,
    CoordinatorInvitation,
    Message,
    UnitAppointment,
    User,
)
from accounts.services.coordinators import (
    appoint_coordinator,
    end_appointment,
    end_appointment_by_staff,
)
from accounts.services.invitations import invite_coordinator
from tests.factories.accounts import UnitAppointmentFactory, UserFactory, make_phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague(unit, coordinator):
    """A second coordinator of the unit."""
    return UnitAppointmentFactory(unit=unit, person=UserFactory(name="吴六")).person


def live(unit):
    rows = UnitAppointment.objects.filter(unit=unit, ended_at=None)
    return set(rows.values_list("person__name", flat=True))


def is_coordinator(person):
    return User.objects.get(pk=person.pk).is_coordinator


def sms_to():
    return sorted((m.template, m.recipient) for m in Message.objects.all())


def test_appointing(unit, stranger, staff, now):
    appointment = appoint_coordinator(
        unit=unit, person=stranger, actor=staff, now=now, detail={"request": "R1"}
    )

    assert (appointment.appointed_at, live(unit)) == (now, {"钱二"})
    assert is_coordinator(stranger)
    assert stranger.is_coordinator
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("coordinator.appointed", staff)
    assert entry.detail == {"person": stranger.code, "request": "R1"}


def test_appointing_twice_is_appointing_once(unit, coordinator, staff, now):
    before = UnitAppointment.objects.get()

    again = appoint_coordinator(unit=unit, person=coordinator, actor=staff, now=now)

    assert again == before
    assert UnitAppointment.objects.count() == 1
    assert AuditEntry.objects.count() == 0


def test_laying_down_the_own(unit, coordinator, colleague, now):
    end_appointment(unit=unit, person=coordinator, actor=coordinator, now=now)

    assert live(unit) == {"吴六"}
    assert not is_coordinator(coordinator)
    assert is_coordinator(colleague)
    assert sms_to() == [("coordinator_ended", coordinator.phone)]
    assert AuditEntry.objects.get().action == "coordinator.ended"


def test_ending_a_colleagues_tells_both(unit, coordinator, colleague, now):
    end_appointment(unit=unit, person=colleague, actor=coordinator, now=now)

    assert live(unit) == {"李四"}
    assert sms_to() == [
        ("coordinator_ended", colleague.phone),
        ("coordinator_ended_by", coordinator.phone),
    ]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.detail) == (coordinator, {"person": colleague.code})


def test_never_the_last_one(unit, coordinator, now):
    # One of another unit, one that has ended and a closed account are nobody who is left.
    UnitAppointmentFactory()
    UnitAppointmentFactory(unit=unit, ended_at=now)
    UnitAppointmentFactory(unit=unit, person=UserFactory(closed=True, name="已销"))

    with pytest.raises(LastCoordinatorError):
        end_appointment(unit=unit, person=coordinator, actor=coordinator, now=now)

    assert live(unit) == {"李四", "已销"}
    assert is_coordinator(coordinator)
    assert (Message.objects.count(), AuditEntry.objects.count()) == (0, 0)


def test_nobody_from_outside(unit, coordinator, colleague, stranger, now):
    UnitAppointmentFactory(person=stranger)

    with pytest.raises(NoAppointmentError):
        end_appointment(unit=unit, person=colleague, actor=stranger, now=now)
    with pytest.raises(NoAppointmentError):
        end_appointment(unit=unit, person=stranger, actor=coordinator, now=now)

    assert live(unit) == {"李四", "吴六"}
    assert Message.objects.count() == 0


def test_who_acts_for_another_unit_stays_a_coordinator(
    unit, coordinator, colleague, now
):
    other = UnitAppointmentFactory(person=coordinator).unit

    end_appointment(unit=unit, person=coordinator, actor=coordinator, now=now)

    assert is_coordinator(coordinator)
    assert live(other) == {"李四"}


def test_open_invitations_go_with_whoever_sent_them(unit, coordinator, colleague, now):
    for actor, number in ((coordinator, 1), (colleague, 2)):
        invite_coordinator(
            unit=unit, phone=make_phone(number), address="{token}", actor=actor, now=now
        )

    end_appointment(unit=unit, person=coordinator, actor=coordinator, now=now)

    states = CoordinatorInvitation.objects.order_by("pk").values_list(
        "state", flat=True
    )
    assert list(states) == ["withdrawn", "waiting"]


def test_staff_end_the_last_one_too(unit, coordinator, staff, now):
    appointment = UnitAppointment.objects.get()

    end_appointment_by_staff(
        appointment=appointment, reason="单位来函更换", actor=staff, now=now
    )

    assert live(unit) == set()
    assert not is_coordinator(coordinator)
    assert sms_to() == [("coordinator_ended", coordinator.phone)]
    entry = AuditEntry.objects.get()
    assert entry.action == "coordinator.ended_by_staff"
    assert entry.detail == {"person": coordinator.code, "reason": "单位来函更换"}

    with pytest.raises(NoAppointmentError):
        end_appointment_by_staff(
            appointment=appointment,
            reason="再次",
            actor=staff,
            now=now + timedelta(days=1),
        )
    assert AuditEntry.objects.count() == 1


# --- The staff's pages -----------------------------------------------------------------------
def test_staff_appoint_and_end_in_the_admin(client_of, staff, unit, stranger):
    client = client_of(staff)
    add = reverse("admin:accounts_unitappointment_add")

    client.post(add, {"unit": unit.pk, "person": stranger.pk})

    assert live(unit) == {"钱二"}
    assert is_coordinator(stranger)
    appointment = UnitAppointment.objects.get()
    page = reverse("admin:accounts_unitappointment_end", args=[appointment.pk])
    assert "钱二" in client.get(page).content.decode()
    assert client.post(page, {"reason": "短"}).status_code == 200
    assert live(unit) == {"钱二"}

    response = client.post(page, {"reason": "单位来函更换经办人"}, follow=True)

    assert live(unit) == set()
    assert "不再担任经办人" in response.content.decode()
    again = client.post(page, {"reason": "单位来函更换经办人"}, follow=True)
    assert "已不是本单位的经办人" in again.content.decode()


@pytest.mark.parametrize(
    ("person", "active", "field"),
    [
        ({"closed": True}, True, "person"),
        ({"pending": True}, True, "person"),
        ({"is_staff": True}, True, "person"),
        ({}, False, "unit"),
    ],
)
def test_who_cannot_act_is_not_appointed(client_of, staff, unit, person, active, field):
    unit.is_active = active
    unit.save()
    chosen = UserFactory(**person)
    add = reverse("admin:accounts_unitappointment_add")

    response = client_of(staff).post(add, {"unit": unit.pk, "person": chosen.pk})

    assert list(response.context["adminform"].form.errors) == [field]
    assert live(unit) == set()
    assert not is_coordinator(chosen)


def test_ending_needs_the_right(client_of, unit, coordinator):
    appointment = UnitAppointment.objects.get()
    onlooker = UserFactory(is_staff=True)
    page = reverse("admin:accounts_unitappointment_end", args=[appointment.pk])

    assert client_of(onlooker).post(page, {"reason": "没有权限"}).status_code == 403
    assert live(unit) == {"李四"}


def test_a_units_page_shows_its_coordinators_and_changes_none(
    client_of, staff, unit, coordinator
):
    url = reverse("admin:accounts_unit_change", args=[unit.pk])

    html = client_of(staff).get(url).content.decode()

    assert "李四" in html
    assert "appointments-0-ended_at" not in html
