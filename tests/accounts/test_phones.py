from datetime import timedelta

import pytest

from accounts.errors import (
    AccountMovedError,
    CodeRefusedError,
    ConfirmationThrottledError,
    OldCodeRefusedError,
    PasswordWrongError,
    PhoneTakenError,
)
from accounts.models import AuditEntry, Message, User, VerificationCode
from accounts.services import phones
from accounts.services.codes import send_code
from accounts.services.confirmation import confirm_password
from accounts.services.phones import PhoneChange, change_phone
from tests.factories.accounts import PASSWORD, UserFactory, make_phone

PURPOSE = VerificationCode.Purpose
NEW = make_phone(8200)

pytestmark = pytest.mark.django_db


def send(phone, purpose, now):
    send_code(phone=phone, purpose=purpose, browser="b", address="203.0.113.7", now=now)


@pytest.fixture
def code(owner, now, read_code):
    """The code that the new phone got."""
    send(NEW, PURPOSE.NEW_PHONE, now)
    return read_code()


def change(person, now, code, *, browser="b", **proof):
    return change_phone(
        person=person,
        change=PhoneChange(phone=NEW, code=code, **proof),
        browser=browser,
        now=now,
    )


def assert_kept(person):
    fresh = User.objects.get(pk=person.pk)
    assert fresh.phone_index == person.phone_index
    assert fresh.phone == person.phone
    assert AuditEntry.objects.count() == 0
    assert not Message.objects.filter(template__startswith="phone_changed").exists()


def test_with_the_password(owner, now, code):
    old = owner.phone

    change(owner, now, code, password=PASSWORD)

    owner.refresh_from_db()
    assert owner.phone == NEW
    told = Message.objects.filter(template__startswith="phone_changed").order_by("pk")
    assert [(each.recipient, each.template) for each in told] == [
        (old, "phone_changed_old"),
        (NEW, "phone_changed_new"),
    ]
    assert NEW not in told[0].text
    assert "199****8200" in told[0].text
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.detail) == (
        "account.phone_changed",
        owner,
        {},
    )


def test_with_a_code_to_the_old_phone(owner, now, code, read_code):
    send(owner.phone, PURPOSE.OLD_PHONE, now)

    change(owner, now, code, old_code=read_code())

    owner.refresh_from_db()
    assert owner.phone == NEW


def test_a_wrong_password_uses_up_no_code(owner, now, code):
    with pytest.raises(PasswordWrongError):
        change(owner, now, code, password="wrong")

    assert_kept(owner)
    change(owner, now, code, password=PASSWORD)


def test_a_wrong_code_of_the_old_phone(owner, now, code):
    send(owner.phone, PURPOSE.OLD_PHONE, now)

    for old_code in ("000000", "", code):
        with pytest.raises(OldCodeRefusedError):
            change(owner, now, code, old_code=old_code)

    assert_kept(owner)


@pytest.mark.parametrize("wrong", ["000000", ""])
def test_a_wrong_code_of_the_new_phone(owner, now, code, wrong):
    with pytest.raises(CodeRefusedError):
        change(owner, now, wrong, password=PASSWORD)

    assert_kept(owner)


def test_a_code_of_another_browser(owner, now, code):
    with pytest.raises(CodeRefusedError):
        change(owner, now, code, password=PASSWORD, browser="another")

    assert_kept(owner)


def test_a_taken_phone_is_told_only_to_who_has_proved_it(owner, now, code):
    UserFactory(phone=NEW)

    with pytest.raises(CodeRefusedError):
        change(owner, now, "000000", password=PASSWORD)
    with pytest.raises(PhoneTakenError, match="已用于其他账号"):
        change(owner, now, code, password=PASSWORD)

    assert_kept(owner)


@pytest.mark.parametrize(
    "change_meanwhile",
    [
        {"state": User.State.CLOSED, "phone_index": None, "phone_cipher": None},
        {"password": "another"},
    ],
)
def test_an_account_that_changed_meanwhile(
    owner, now, code, monkeypatch, change_meanwhile
):
    """A phone stored on a closed account would be taken for ever."""
    checked = phones.check_code

    def check_and_change(**kwargs):
        checked(**kwargs)
        User.objects.filter(pk=owner.pk).update(**change_meanwhile)

    monkeypatch.setattr(phones, "check_code", check_and_change)

    with pytest.raises(AccountMovedError):
        change(owner, now, code, password=PASSWORD)

    assert User.objects.get(pk=owner.pk).phone != NEW
    assert AuditEntry.objects.count() == 0


def test_the_code_comes_to_a_taken_phone_as_to_any_other(owner, now):
    UserFactory(phone=NEW)

    send(NEW, PURPOSE.NEW_PHONE, now)

    message = Message.objects.get()
    assert (message.template, message.state) == ("code_new_phone", "waiting")


# --- The password within a session -----------------------------------------------------------
def test_a_found_session_is_no_place_to_guess(owner, now):
    for _ in range(5):
        with pytest.raises(PasswordWrongError):
            confirm_password(person=owner, password="wrong", now=now)

    with pytest.raises(ConfirmationThrottledError):
        confirm_password(person=owner, password=PASSWORD, now=now)
    confirm_password(person=owner, password=PASSWORD, now=now + timedelta(minutes=15))


def test_the_right_one_starts_anew(owner, now):
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(PasswordWrongError):
                confirm_password(person=owner, password="wrong", now=now)
        confirm_password(person=owner, password=PASSWORD, now=now)
