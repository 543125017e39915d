"""Who belongs to a unit: by registration, by the profile, until somebody says otherwise."""

from datetime import timedelta

import pytest

from accounts.errors import NoMembershipError, UnitNotFoundError
from accounts.models import AuditEntry, UnitMember
from accounts.queries.units import (
    find_members,
    get_member_of,
    get_unit_for,
    list_members,
    list_memberships_of,
    list_units_for,
)
from accounts.services.profiles import ProfileDetails, update_profile
from accounts.services.registration import Application, register_person
from accounts.services.units import end_membership, join_unit
from tests.factories.accounts import (
    UnitAppointmentFactory,
    UnitFactory,
    UnitMemberFactory,
    UserFactory,
    make_id_number,
    make_phone,
)

pytestmark = pytest.mark.django_db
LATER = timedelta(days=1)


def live(person):
    rows = UnitMember.objects.filter(person=person, ended_at=None)
    return sorted(rows.values_list("unit__name", "source"))


def save_profile(person, unit, now, name=""):
    details = ProfileDetails(
        region_code=unit.region.code,
        unit_name=name or unit.name,
        series="",
        level="",
        education="",
    )
    update_profile(user=person, details=details, actor=person, now=now)


# --- Joining -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "expected"),
    [("示例中学校", [("示例中学校", "registered")]), ("别的学校", [])],
)
def test_registration_with_a_known_unit(regions, now, typed, expected):
    UnitFactory(name="示例中学校", region=regions["500103"])

    person = register_person(
        application=Application(
            name="赵一",
            id_number=make_id_number(70),
            phone=make_phone(70),
            password_hash="",
            region_code="500103",
            unit_name=typed,
            consents={},
        ),
        address="",
        now=now,
    )

    assert live(person) == expected


def test_joining_twice_is_joining_once(now, unit, stranger):
    first = join_unit(unit=unit, person=stranger, source="list", now=now)
    again = join_unit(unit=unit, person=stranger, source="profile", now=now + LATER)

    assert again == first
    assert UnitMember.objects.get().source == "list"


# --- The profile ---------------------------------------------------------------------------
def test_another_unit_in_the_profile_moves_the_person(regions, now):
    old = UnitFactory(name="甲", region=regions["500103"])
    new = UnitFactory(name="乙", region=regions["500106"])
    person = UserFactory()
    save_profile(person, old, now)
    assert live(person) == [("甲", "profile")]

    save_profile(person, new, now + LATER)

    assert live(person) == [("乙", "profile")]
    ended = UnitMember.objects.get(unit=old)
    assert (ended.joined_at, ended.ended_at) == (now, now + LATER)


def test_a_unit_nobody_knows_ends_the_membership(regions, now):
    unit = UnitFactory(region=regions["500103"])
    person = UserFactory()
    save_profile(person, unit, now)

    save_profile(person, unit, now + LATER, name="自己写的单位")

    assert live(person) == []
    assert UnitMember.objects.count() == 1


def test_saving_the_same_unit_does_not_bring_back_who_left(regions, now):
    unit = UnitFactory(region=regions["500103"])
    person = UserFactory()
    save_profile(person, unit, now)
    end_membership(unit=unit, person=person, actor=person, now=now)

    save_profile(person, unit, now + LATER)

    assert live(person) == []


def test_memberships_of_other_units_stay(regions, now):
    listed = UnitFactory(name="名单单位", region=regions["500103"])
    own = UnitFactory(name="本人单位", region=regions["500103"])
    person = UserFactory()
    join_unit(unit=listed, person=person, source="list", now=now)

    save_profile(person, own, now)

    assert live(person) == [("名单单位", "list"), ("本人单位", "profile")]
    assert [m.unit for m in list_memberships_of(person)] == [listed, own]


# --- Leaving -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("by_member", "action"), [(True, "unit.left"), (False, "unit.member_removed")]
)
def test_ending_is_told_to_the_audit(now, unit, member, coordinator, by_member, action):
    actor = member if by_member else coordinator

    end_membership(unit=unit, person=member, actor=actor, now=now)

    assert UnitMember.objects.get().ended_at == now
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target) == (action, f"unit:{unit.code}")
    assert entry.detail == {"person": member.code}


def test_what_has_ended_ends_no_second_time(now, unit, member):
    end_membership(unit=unit, person=member, actor=member, now=now)

    with pytest.raises(NoMembershipError):
        end_membership(unit=unit, person=member, actor=member, now=now + LATER)

    assert UnitMember.objects.get().ended_at == now
    assert AuditEntry.objects.count() == 1


def test_who_left_may_come_back(now, unit, member):
    end_membership(unit=unit, person=member, actor=member, now=now)

    join_unit(unit=unit, person=member, source="list", now=now + LATER)

    assert UnitMember.objects.count() == 2
    assert live(member) == [(unit.name, "list")]


# --- The door ------------------------------------------------------------------------------
def test_only_its_coordinators_reach_a_unit(unit, coordinator, stranger, member, staff):
    other = UnitAppointmentFactory(person=stranger).unit

    assert get_unit_for(coordinator, unit.code) == unit
    assert get_unit_for(stranger, other.code) == other
    for person in (stranger, member, staff):
        with pytest.raises(UnitNotFoundError):
            get_unit_for(person, unit.code)
    with pytest.raises(UnitNotFoundError):
        get_unit_for(coordinator, "NOSUCHUNIT")


def test_an_ended_appointment_opens_nothing(unit, now):
    ended = UnitAppointmentFactory(unit=unit, ended_at=now)

    assert list(list_units_for(ended.person)) == []


def test_members_by_name_and_state(unit, member):
    pending = UnitMemberFactory(
        unit=unit, person=UserFactory(name="周未", pending=True)
    )
    UnitMemberFactory(unit=unit, person=UserFactory(closed=True))
    UnitMemberFactory()

    assert {m.person for m in list_members(unit)} == {member, pending.person}
    assert [m.person for m in find_members(unit, name=" 周 ")] == [pending.person]
    assert [m.person for m in find_members(unit, state="active")] == [member]


def test_a_member_of_another_unit_is_not_found(unit, member):
    other = UnitMemberFactory().person

    assert get_member_of(unit, member.code).person == member
    with pytest.raises(NoMembershipError):
        get_member_of(unit, other.code)
