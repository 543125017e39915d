import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError

from accounts.errors import (
    CodeRefusedError,
    PasswordRefusedError,
    PasswordWrongError,
)
from accounts.models import AuditEntry, Message, User, VerificationCode
from accounts.rules.passwords import Candidate, refuse_weak_password
from accounts.services.codes import send_code
from accounts.services.passwords import change_password, reset_password
from tests.factories.accounts import PASSWORD, UserFactory, make_phone

NEW = "nanshan-huaihai-1901"

pytestmark = pytest.mark.django_db


def send(phone, now):
    send_code(
        phone=phone,
        purpose=VerificationCode.Purpose.RESET,
        browser="b",
        address="203.0.113.7",
        now=now,
    )


def reset(phone, code, now, *, password=NEW):
    return reset_password(
        phone=phone, browser="b", code=code, password=password, now=now
    )


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


def test_a_change_wants_the_present_password(owner, now):
    with pytest.raises(PasswordWrongError):
        change_password(person=owner, present="wrong", password=NEW, now=now)

    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    assert AuditEntry.objects.count() == 0


def test_a_change(owner, now):
    change_password(person=owner, present=PASSWORD, password=NEW, now=now)

    assert authenticate(username=owner.phone, password=NEW) == owner
    assert authenticate(username=owner.phone, password=PASSWORD) is None
    assert AuditEntry.objects.get().action == "account.password_changed"


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
