from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError

from accounts.errors import (
    AccountMovedError,
    CodeRefusedError,
    ConfirmationThrottledError,
    LoginRefusedError,
    PasswordRefusedError,
    PasswordWrongError,
)
from accounts.models import AuditEntry, Message, User, VerificationCode
from accounts.rules.passwords import Candidate, refuse_weak_password
from accounts.services import passwords
from accounts.services.codes import send_code
from accounts.services.login import check_login
from accounts.services.passwords import change_password, reset_password
from tests.factories.accounts import PASSWORD, UserFactory, make_phone

NEW = "nanshan-huaihai-1901"
ADDRESS = "203.0.113.7"

pytestmark = pytest.mark.django_db


def send(phone, now):
    send_code(
        phone=phone,
        purpose=VerificationCode.Purpose.RESET,
        browser="b",
        address=ADDRESS,
        now=now,
    )


def reset(phone, code, now, *, password=NEW):
    return reset_password(
        phone=phone,
        browser="b",
        code=code,
        password=password,
        address=ADDRESS,
        now=now,
    )


def change(person, now, *, present=PASSWORD):
    return change_password(person=person, present=present, password=NEW, now=now)


def assert_kept(person):
    assert User.objects.get(pk=person.pk).check_password(PASSWORD)
    assert AuditEntry.objects.count() == 0
    assert not Message.objects.filter(template="password_changed").exists()


def test_a_code_to_the_phone_on_file_sets_a_new_password(owner, now, read_code):
    send(owner.phone, now)

    reset(owner.phone, read_code(), now)

    owner.refresh_from_db()
    assert owner.check_password(NEW)
    assert AuditEntry.objects.get().action == "account.password_reset"
    assert Message.objects.latest("pk").template == "password_changed"


@pytest.mark.parametrize("code", ["000000", ""])
def test_a_wrong_code_changes_nothing(owner, now, code):
    send(owner.phone, now)

    with pytest.raises(CodeRefusedError):
        reset(owner.phone, code, now)

    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    assert AuditEntry.objects.count() == 0


def test_the_same_words_where_there_is_no_account(now, read_code):
    send(make_phone(9999), now)

    with pytest.raises(CodeRefusedError, match="验证码错误或已失效"):
        reset(make_phone(9999), read_code(), now)


def test_a_pending_account_is_not_opened_by_a_reset(now, read_code):
    person = UserFactory(pending=True)
    send(person.phone, now)

    with pytest.raises(CodeRefusedError):
        reset(person.phone, read_code(), now)


def test_data_that_only_the_account_shows_is_refused(owner, now, read_code):
    send(owner.phone, now)

    with pytest.raises(PasswordRefusedError, match="密码不能包含"):
        reset(owner.phone, read_code(), now, password=f"edu@{owner.id_number[-6:]}")

    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_who_failed_too_often_gets_in_after_a_reset(owner, now, read_code):
    for _ in range(5):
        with pytest.raises(LoginRefusedError):
            check_login(account=owner.phone, password="wrong", address=ADDRESS, now=now)
    send(owner.phone, now)

    reset(owner.phone, read_code(), now)

    entered = check_login(account=owner.phone, password=NEW, address=ADDRESS, now=now)
    assert entered == owner


def test_a_change_wants_the_present_password(owner, now):
    with pytest.raises(PasswordWrongError):
        change(owner, now, present="wrong")

    assert_kept(owner)


def test_a_found_session_is_no_place_to_guess_it(owner, now):
    for _ in range(5):
        with pytest.raises(PasswordWrongError):
            change(owner, now, present="wrong")

    with pytest.raises(ConfirmationThrottledError):
        change(owner, now)

    assert_kept(owner)
    change(owner, now + timedelta(minutes=15))


def test_a_change(owner, now):
    change(owner, now)

    assert authenticate(username=owner.phone, password=NEW) == owner
    assert authenticate(username=owner.phone, password=PASSWORD) is None
    assert AuditEntry.objects.get().action == "account.password_changed"


def after(monkeypatch, name, act):
    """Let `act` happen once the service's own check `name` is done."""
    check = getattr(passwords, name)

    def check_and_act(**kwargs):
        check(**kwargs)
        act()

    monkeypatch.setattr(passwords, name, check_and_act)


def test_a_phone_replaced_by_staff_meanwhile(owner, now, read_code, monkeypatch):
    """The code went to a phone that is not on file any more when the row is locked."""
    send(owner.phone, now)
    code = read_code()

    def replace():
        other = User.objects.get(pk=owner.pk)
        other.store_phone(make_phone(8123))
        other.save()

    monkeypatch.setattr(
        passwords, "refuse_weak_password", lambda password, person: replace()
    )

    with pytest.raises(AccountMovedError):
        reset(owner.phone, code, now)

    assert_kept(owner)


def test_a_password_reset_meanwhile(owner, now, monkeypatch):
    """Whoever knows the old password does not undo what its owner has just done."""
    theirs = UserFactory().password
    rows = User.objects.filter(pk=owner.pk)
    after(monkeypatch, "confirm_password", lambda: rows.update(password=f"{theirs}x"))

    with pytest.raises(AccountMovedError):
        change(owner, now)

    assert rows.get().password == f"{theirs}x"
    assert AuditEntry.objects.count() == 0


# --- What may be a password ----------------------------------------------------------------
PERSON = Candidate(
    username="zhao_yi_1900", phone="19900000001", id_number="500103190001010011"
)


@pytest.mark.parametrize(
    "password",
    [
        "short77",
        "password",
        "12345678",
        "19900000001",
        "a19900000001z",
        "edu@010011",
        "born19000101",
        "ZHAO_YI_1900!",
        "500103190001010011",
    ],
)
def test_weak_passwords(password):
    with pytest.raises(ValidationError):
        refuse_weak_password(password, PERSON)


@pytest.mark.parametrize(
    "password", ["gongxu 2026", "山城步道八百级梯", "correct horse battery", "长" * 64]
)
def test_any_characters_and_any_composition(password):
    refuse_weak_password(password, PERSON)


def test_staff_need_twelve_characters():
    staff = Candidate(username="zhongxin", is_staff=True)

    with pytest.raises(ValidationError, match="至少需要12个字符"):
        refuse_weak_password("shancheng77", staff)
    refuse_weak_password("shancheng777", staff)


def test_people_without_numbers_may_have_any_strong_password():
    person = User(username="zhongxin")

    refuse_weak_password("shancheng777", person)
