import pytest

from accounts.errors import (
    AccountMovedError,
    ClosingRefusedError,
    CodeRefusedError,
    IdNumberTakenError,
    LoginRefusedError,
    PasswordWrongError,
    RequestRefusedError,
)
from accounts.models import (
    AuditEntry,
    Message,
    PrivateFile,
    Profile,
    UnitAppointment,
    UnitMember,
    User,
    VerificationCode,
    WeChatLink,
)
from accounts.queries import find_person_by_number
from accounts.queries.closing import list_closed_accounts
from accounts.services import closing
from accounts.services.closing import close_account
from accounts.services.codes import send_code
from accounts.services.invitations import invite_coordinator
from accounts.services.login import check_login
from accounts.services.profiles import (
    ProfileDetails,
    change_username,
    update_profile,
)
from accounts.services.registration import Application, register_person
from tests.factories.accounts import (
    PASSWORD,
    UnitAppointmentFactory,
    UnitMemberFactory,
    UserFactory,
    make_phone,
)
from tests.factories.requests import file_name_change

ADDRESS = "203.0.113.7"

pytestmark = pytest.mark.django_db


@pytest.fixture
def code(owner, now, read_code):
    return send_to(owner, now, read_code)


def send_to(person, now, read_code):
    send_code(
        phone=person.phone,
        purpose=VerificationCode.Purpose.CLOSE,
        browser="b",
        address=ADDRESS,
        now=now,
    )
    return read_code()


def close(person, code, now, *, password=PASSWORD, browser="b"):
    return close_account(
        person=person, password=password, code=code, browser=browser, now=now
    )


def assert_open(person):
    fresh = User.objects.get(pk=person.pk)
    assert fresh.state == User.State.ACTIVE
    assert fresh.phone_index == person.phone_index
    assert AuditEntry.objects.count() == 0


def apply(person, regions):
    return Application(
        name=person.name,
        id_number=person.id_number,
        phone=person.phone,
        password_hash="unusable",
        region_code="500103",
        unit_name="示例学校",
        consents={"privacy": "2026-01"},
    )


def test_what_goes_and_what_stays(owner, now, code):
    number, phone, index = owner.id_number, owner.phone, owner.id_number_index
    User.objects.filter(pk=owner.pk).update(email="zhao@example.com")
    WeChatLink.objects.create(person=owner, openid="o1", linked_at=now)

    close(owner, code, now)

    closed = User.objects.get(pk=owner.pk)
    assert (closed.state, closed.is_active) == (User.State.CLOSED, False)
    assert not closed.may_log_in
    assert not closed.has_usable_password()
    assert (closed.phone, closed.phone_index, closed.email) == ("", None, "")
    assert closed.username == f"closed-{closed.code}"
    assert not WeChatLink.objects.exists()
    # Certificates, orders and learning records name this row.
    assert (closed.name, closed.id_number) == ("赵一", number)
    assert closed.id_number_index is None
    assert closed.former_id_number_index == index
    assert Profile.objects.filter(person=closed).exists()
    told = Message.objects.latest("pk")
    assert (told.template, told.recipient) == ("account_closed", phone)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.actor, entry.detail) == (
        "account.closed",
        f"user:{owner.code}",
        owner,
        {},
    )


def test_units_are_left_and_invitations_taken_back(owner, now, code):
    appointment = UnitAppointmentFactory(person=owner)
    UnitAppointmentFactory(unit=appointment.unit)
    UnitMemberFactory(unit=appointment.unit, person=owner)
    invitation = invite_coordinator(
        unit=appointment.unit,
        phone=make_phone(4711),
        address="{token}",
        actor=owner,
        now=now,
    )

    close(owner, code, now)

    for row in (appointment, invitation, owner):
        row.refresh_from_db()
    assert (appointment.ended_at, invitation.state) == (now, "withdrawn")
    assert not owner.is_coordinator
    assert UnitMember.objects.get().ended_at == now


def test_nothing_opens_it_any_more(owner, now, code):
    accounts = (owner.phone, owner.id_number, owner.username)

    close(owner, code, now)

    for account in accounts:
        with pytest.raises(LoginRefusedError):
            check_login(account=account, password=PASSWORD, address=ADDRESS, now=now)


def test_the_person_may_register_again_and_begins_anew(owner, now, code, regions):
    application = apply(owner, regions)
    with pytest.raises(IdNumberTakenError):
        register_person(application=application, address=ADDRESS, now=now)

    close(owner, code, now)
    again = register_person(application=application, address=ADDRESS, now=now)

    assert again.pk != owner.pk
    assert find_person_by_number(application.id_number) == again
    assert find_person_by_number(application.phone) == again
    assert [each.pk for each in list_closed_accounts(application.id_number)] == [
        owner.pk
    ]


def test_closed_twice_and_still_found(owner, now, code, regions, read_code):
    application = apply(owner, regions)
    close(owner, code, now)
    again = register_person(application=application, address=ADDRESS, now=now)
    User.objects.filter(pk=again.pk).update(password=UserFactory().password)
    again.refresh_from_db()
    VerificationCode.objects.all().delete()

    close(again, send_to(again, now, read_code), now)

    number = f" {application.id_number.lower()} "
    assert [each.pk for each in list_closed_accounts(number)] == [again.pk, owner.pk]
    assert find_person_by_number(application.id_number) is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"password": "wrong"}, PasswordWrongError),
        ({"code": "000000"}, CodeRefusedError),
        ({"code": ""}, CodeRefusedError),
        ({"browser": "another"}, CodeRefusedError),
    ],
)
def test_password_and_code_are_both_wanted(owner, now, code, change, error):
    with pytest.raises(error):
        close(owner, **{"code": code, "now": now} | change)

    assert_open(owner)


def test_closed_at_once_from_two_browsers(owner, now, code, monkeypatch):
    """The second finds the row closed; the number under which staff find it stays."""
    index, checked = owner.id_number_index, closing.check_code

    def check_while_the_other_closes(**kwargs):
        checked(**kwargs)
        monkeypatch.setattr(closing, "check_code", lambda **kwargs: None)
        close(User.objects.get(pk=owner.pk), code, now)

    monkeypatch.setattr(closing, "check_code", check_while_the_other_closes)

    with pytest.raises(AccountMovedError):
        close(owner, code, now)

    assert User.objects.get(pk=owner.pk).former_id_number_index == index
    assert AuditEntry.objects.count() == 1


def test_what_was_under_way_writes_nothing_on_a_closed_account(
    owner, now, code, regions, unit
):
    """Pages of the open account that are sent when it is closed already."""
    stale = User.objects.get(pk=owner.pk)
    close(owner, code, now)
    details = ProfileDetails(
        region_code=unit.region.code,
        unit_name=unit.name,
        series="05",
        level="senior",
        education="",
    )

    with pytest.raises(AccountMovedError):
        update_profile(user=stale, details=details, actor=stale, now=now)
    with pytest.raises(AccountMovedError):
        change_username(user=stale, username="zhao_yi", now=now)
    with pytest.raises(RequestRefusedError, match="已注销"):
        file_name_change(stale, now=now)

    closed = User.objects.get(pk=owner.pk)
    assert closed.username == f"closed-{closed.code}"
    assert not UnitMember.objects.filter(ended_at=None).exists()
    assert not PrivateFile.objects.exists()
    assert AuditEntry.objects.count() == 1


def test_the_only_coordinator_stays(owner, now, code, unit):
    UnitAppointmentFactory(unit=unit, person=owner)
    UnitAppointmentFactory(unit=unit, person=UserFactory(closed=True))
    UnitAppointmentFactory(unit=unit, person=UserFactory(), ended_at=now)

    with pytest.raises(ClosingRefusedError, match=unit.name):
        close(owner, code, now)

    assert_open(owner)
    UnitAppointmentFactory(unit=unit, person=UserFactory())
    close(owner, code, now)
    ended = UnitAppointment.objects.get(person=owner)
    assert ended.ended_at == now


def test_an_appointment_that_ended_is_no_obstacle(owner, now, code, unit):
    UnitAppointmentFactory(unit=unit, person=owner, ended_at=now)

    close(owner, code, now)


def test_staff_are_stopped_by_the_system_administrator(owner, now, code):
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    owner.refresh_from_db()

    with pytest.raises(ClosingRefusedError, match="系统管理员"):
        close(owner, code, now)

    assert_open(owner)
