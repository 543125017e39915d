from dataclasses import replace

import pytest
from django.contrib.auth.hashers import check_password, make_password

from accounts.errors import (
    IdNumberTakenError,
    NameRefusedError,
    PhoneTakenError,
    RegionRefusedError,
)
from accounts.models import AuditEntry, Consent, Profile, User
from accounts.personal_data import id_number_index, phone_index
from accounts.services.registration import Application, register_person
from portal.lib.identity import PersonNumberError
from tests.factories.accounts import (
    UnitFactory,
    UserFactory,
    make_id_number,
    make_phone,
)

ADDRESS = "203.0.113.7"
PASSWORD = "hongyadong-1900"


@pytest.fixture
def application(regions):
    return Application(
        name="欧阳春梅",
        id_number=make_id_number(7000),
        phone=make_phone(7000),
        password_hash=make_password(PASSWORD),
        region_code="500103",
        unit_name="重庆市渝中区示例学校",
        consents={"privacy": "2026-01", "sensitive": "2026-01"},
    )


def register(application, now):
    return register_person(application=application, address=ADDRESS, now=now)


def assert_refused(application, now, error):
    before = User.objects.count()
    with pytest.raises(error):
        register(application, now)
    assert User.objects.count() == before
    assert Profile.objects.count() == 0
    assert Consent.objects.count() == 0
    assert AuditEntry.objects.count() == 0


def test_an_account_with_all_that_belongs_to_it(application, now):
    register(application, now)

    user = User.objects.get()
    assert user.name == "欧阳春梅"
    assert user.state == User.State.ACTIVE
    assert user.id_kind == User.IdKind.ID_CARD
    assert user.id_number == application.id_number
    assert user.id_number_index == id_number_index(application.id_number)
    assert user.phone == application.phone
    assert user.phone_index == phone_index(application.phone)
    assert check_password(PASSWORD, user.password)
    assert user.date_joined == now
    assert not user.is_staff
    assert user.username.startswith("px")


def test_profile_of_the_region_without_a_known_unit(application, now):
    profile = register(application, now).profile

    assert profile.region.name == "渝中区"
    assert profile.unit is None
    assert profile.unit_name == "重庆市渝中区示例学校"
    assert (profile.series, profile.level) == ("", "")


def test_a_known_unit_is_linked_by_its_exact_name(application, regions, now):
    unit = UnitFactory(name=application.unit_name, region=regions["500103"])
    UnitFactory(name=application.unit_name, region=regions["500106"])

    assert register(application, now).profile.unit == unit


def test_a_unit_that_was_closed_is_not_linked(application, regions, now):
    UnitFactory(name=application.unit_name, region=regions["500103"], is_active=False)

    assert register(application, now).profile.unit is None


def test_consents_with_version_time_and_address(application, now):
    user = register(application, now)

    rows = Consent.objects.filter(person=user).order_by("kind")
    assert [(row.kind, row.version) for row in rows] == [
        ("privacy", "2026-01"),
        ("sensitive", "2026-01"),
    ]
    assert {row.given_at for row in rows} == {now}
    assert {row.address for row in rows} == {ADDRESS}
    assert {row.channel for row in rows} == {"web"}


def test_an_audit_entry_without_personal_data(application, now):
    user = register(application, now)

    entry = AuditEntry.objects.get()
    assert entry.action == "account.registered"
    assert entry.target == f"user:{user.code}"
    assert entry.actor == user
    assert entry.detail == {}


def test_normalised_spellings_are_the_same_person(application, now):
    register(application, now)
    other = replace(
        application,
        id_number=f" {application.id_number.lower()} ",
        phone=make_phone(7001),
    )

    with pytest.raises(IdNumberTakenError):
        register(other, now)
    assert User.objects.count() == 1


def test_a_foreigners_residence_card(application, now):
    user = register(replace(application, id_number="931101199001010019"), now)

    assert user.id_kind == User.IdKind.FOREIGN_PR


def test_a_taken_id_number_is_said_kindly(application, now):
    UserFactory(id_number=application.id_number)

    with pytest.raises(IdNumberTakenError, match="该证件号码已注册账号，请直接登录"):
        register(application, now)
    assert_refused(application, now, IdNumberTakenError)


def test_a_taken_phone_is_said_kindly(application, now):
    UserFactory(phone=application.phone)

    assert_refused(application, now, PhoneTakenError)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"id_number": "500105199003074511"}, PersonNumberError),
        ({"name": "欧 阳"}, NameRefusedError),
        ({"region_code": "500112"}, RegionRefusedError),
        ({"region_code": ""}, RegionRefusedError),
        ({"phone": "123"}, ValueError),
    ],
)
def test_what_the_form_let_through_is_refused_again(application, now, change, error):
    assert_refused(replace(application, **change), now, error)


def test_no_address_no_address_stored(application, now):
    register_person(application=application, address="", now=now)

    assert set(Consent.objects.values_list("address", flat=True)) == {None}
