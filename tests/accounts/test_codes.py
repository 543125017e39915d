from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import CodeRateError, CodeRefusedError
from accounts.models import Message, VerificationCode
from accounts.services.codes import check_code, send_code
from tests.factories.accounts import UserFactory, make_phone

REGISTER = VerificationCode.Purpose.REGISTER
LOGIN = VerificationCode.Purpose.LOGIN
RESET = VerificationCode.Purpose.RESET
PHONE = make_phone(5000)
ADDRESS = "203.0.113.7"

pytestmark = pytest.mark.django_db


def send(now, *, phone=PHONE, purpose=REGISTER, browser="mine", address=ADDRESS):
    send_code(phone=phone, purpose=purpose, browser=browser, address=address, now=now)


def check(code, now, *, phone=PHONE, purpose=REGISTER, browser="mine"):
    check_code(phone=phone, purpose=purpose, browser=browser, code=code, now=now)


def assert_refused(code, now, **whose):
    with pytest.raises(CodeRefusedError, match="验证码错误或已失效"):
        check(code, now, **whose)


def other_than(code):
    return f"{(int(code) + 1) % 1000000:06d}"


def test_a_code_is_six_digits_and_kept_as_a_hash(now, read_code):
    send(now)

    row = VerificationCode.objects.get()
    assert len(read_code()) == 6
    assert read_code() not in row.code_hash
    assert PHONE not in row.phone_index
    assert row.expires_at == now + timedelta(minutes=5)


def test_the_right_code_works_once(now, read_code):
    send(now)

    check(read_code(), now)

    assert VerificationCode.objects.get().used_at == now
    assert_refused(read_code(), now)


def test_blanks_around_a_code_are_forgiven(now, read_code):
    send(now)

    check(f" {read_code()} ", now)


def test_a_code_lives_five_minutes(now, read_code):
    send(now)

    assert_refused(read_code(), now + timedelta(minutes=5))
    check(read_code(), now + timedelta(minutes=5, seconds=-1))


def test_five_tries(now, read_code):
    send(now)
    wrong = other_than(read_code())
    for _ in range(5):
        assert_refused(wrong, now)

    assert_refused(read_code(), now)
    assert VerificationCode.objects.get().used_at is None


def test_the_fifth_try_may_be_right(now, read_code):
    send(now)
    for _ in range(4):
        assert_refused(other_than(read_code()), now)

    check(read_code(), now)


@pytest.mark.parametrize(
    "whose",
    [
        {"purpose": RESET},
        {"browser": "another"},
        {"phone": make_phone(5001)},
    ],
)
def test_one_purpose_one_browser_one_phone(now, read_code, whose):
    send(now)

    assert_refused(read_code(), now, **whose)
    check(read_code(), now)


def test_only_the_newest_code_counts(now, read_code):
    send(now)
    first = read_code()
    later = now + timedelta(seconds=61)
    send(later)

    if first != read_code():
        assert_refused(first, later)
    check(read_code(), later)


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "１２３４５６", "0" * 300])
def test_any_text_may_be_tried(now, code):
    send(now)

    assert_refused(code, now)


# --- Rates ---------------------------------------------------------------------------------
def refuse(now, **whose):
    before = VerificationCode.objects.count(), Message.objects.count()
    with pytest.raises(CodeRateError) as refused:
        send(now, **whose)
    assert (VerificationCode.objects.count(), Message.objects.count()) == before
    return refused.value


def test_one_a_minute_for_a_phone(now):
    send(now)

    error = refuse(
        now + timedelta(seconds=20), browser="another", address="203.0.113.8"
    )
    assert error.wait_seconds == 40
    assert str(error) == "该手机号码获取验证码过于频繁，请40秒后再试。"
    send(now + timedelta(seconds=60))


def test_purposes_share_the_minute(now):
    send(now)

    assert refuse(now, purpose=LOGIN).wait_seconds == 60


def test_five_an_hour_for_a_phone(now):
    for minute in range(5):
        send(now + timedelta(minutes=minute))

    error = refuse(now + timedelta(minutes=30))
    assert error.wait_seconds == 30 * 60
    assert "请30分钟后再试" in str(error)
    send(now + timedelta(hours=1))


def test_ten_a_day_for_a_phone(now):
    for number in range(10):
        send(now + timedelta(hours=number))

    assert refuse(now + timedelta(hours=11)).wait_seconds == 13 * 3600
    send(now + timedelta(days=1))


def test_twenty_an_hour_for_an_address(now):
    for number in range(20):
        send(now + timedelta(seconds=number), phone=make_phone(6000 + number))

    error = refuse(now + timedelta(minutes=1), phone=make_phone(6020))
    assert "当前网络" in str(error)
    send(now + timedelta(minutes=1), phone=make_phone(6020), address="203.0.113.9")


def test_a_cap_for_everybody(now, settings):
    settings.SMS_HOURLY_CAP = 3
    for number in range(3):
        send(now, phone=make_phone(6000 + number), address=f"203.0.113.{number}")

    assert "短信服务繁忙" in str(refuse(now, phone=make_phone(6010), address="::1"))
    send(now + timedelta(hours=1), phone=make_phone(6010), address="::1")


# --- Nobody learns who has an account ------------------------------------------------------
def test_a_registered_phone_is_told_by_sms_only(now):
    person = UserFactory()

    send(now, phone=person.phone)

    message = Message.objects.get()
    assert message.state == Message.State.WAITING
    assert message.template == "already_registered"
    assert "已注册" in message.text
    assert VerificationCode.objects.count() == 1


@pytest.mark.parametrize("purpose", [LOGIN, RESET])
def test_a_phone_without_account_gets_nothing(now, purpose):
    send(now, purpose=purpose)

    assert Message.objects.get().state == Message.State.WITHHELD
    assert VerificationCode.objects.count() == 1


@pytest.mark.parametrize("state", ["pending", "closed"])
def test_pending_and_closed_accounts_get_nothing(now, state):
    person = UserFactory(**{state: True})

    send(now, phone=person.phone, purpose=LOGIN)

    assert Message.objects.get().state == Message.State.WITHHELD


@pytest.mark.parametrize("purpose", [LOGIN, RESET])
def test_the_same_queries_for_known_and_unknown_phones(now, purpose):
    """Of which the time an answer takes is made."""
    person = UserFactory()
    earlier = now - timedelta(hours=2)
    send(earlier, phone=person.phone, purpose=purpose)
    send(earlier, purpose=purpose)

    with CaptureQueriesContext(connection) as known:
        send(now, phone=person.phone, purpose=purpose)
    with CaptureQueriesContext(connection) as unknown:
        send(now, purpose=purpose)

    assert len(known) == len(unknown)
