from datetime import timedelta

import pytest
from captcha.models import CaptchaStore

from accounts.errors import LoginRefusedError
from accounts.models import VerificationCode
from accounts.rules.throttles import (
    CAPTCHA_CODE_ADDRESS,
    CAPTCHA_CODE_PHONE,
    CAPTCHA_LOGIN_ACCOUNT,
    CAPTCHA_LOGIN_ADDRESS,
    CAPTCHA_LOGIN_PAIR,
    CAPTCHA_NUMBER_PHONE,
    CODE_ADDRESS_LIMITS,
    CODE_PHONE_LIMITS,
    HOUR,
    LOGIN_ACCOUNT,
    LOGIN_ADDRESS,
    LOGIN_PAIR,
    NUMBER_PHONE,
    Limit,
    Window,
    is_suspicious,
)
from accounts.services.captchas import (
    has_pass,
    is_code_suspicious,
    is_login_suspicious,
    make_challenge,
    make_pass,
    use_answer,
    use_pass,
)
from accounts.services.codes import send_code
from accounts.services.login import check_login
from accounts.services.registration import refuse_taken_numbers
from tests.factories.accounts import PASSWORD, make_id_number, make_phone

ADDRESS, ELSEWHERE = "203.0.113.7", "203.0.113.8"
PHONE = make_phone(5000)

pytestmark = pytest.mark.django_db


def answer_of(key):
    return CaptchaStore.objects.get(hashkey=key).response


def other_than(answer):
    return "".join("3" if digit == "2" else "2" for digit in answer)


# --- One answer ----------------------------------------------------------------------------
def test_a_challenge_is_four_digits_for_five_minutes(now):
    row = CaptchaStore.objects.get(hashkey=make_challenge(now=now))

    assert len(row.challenge) == 4
    assert set(row.challenge) <= set("2345689")
    assert row.response == row.challenge
    assert row.expiration == now + timedelta(minutes=5)


def test_challenges_differ(now):
    keys = {make_challenge(now=now) for _ in range(30)}

    assert len(keys) == 30
    assert len({answer_of(key) for key in keys}) > 15


@pytest.mark.parametrize("spelling", ["{}", " {} ", "wide"])
def test_the_right_answer_works_once(now, spelling):
    key = make_challenge(now=now)
    answer = answer_of(key)
    wide = "".join(chr(0xFF10 + int(digit)) for digit in answer)
    typed = wide if spelling == "wide" else spelling.format(answer)

    assert use_answer(key=key, answer=typed, now=now)
    assert not use_answer(key=key, answer=typed, now=now)
    assert CaptchaStore.objects.count() == 0


def test_a_wrong_answer_uses_it_up_too(now):
    key = make_challenge(now=now)
    answer = answer_of(key)

    assert not use_answer(key=key, answer=other_than(answer), now=now)
    assert not use_answer(key=key, answer=answer, now=now)


@pytest.mark.parametrize(("key", "answer"), [("", ""), ("nothing", ""), ("", "2345")])
def test_fields_left_out_are_wrong(now, key, answer):
    make_challenge(now=now)

    assert not use_answer(key=key, answer=answer, now=now)


def test_an_empty_answer_to_a_real_challenge(now):
    key = make_challenge(now=now)

    assert not use_answer(key=key, answer="", now=now)


def test_not_after_its_time(now):
    key = make_challenge(now=now)
    end = now + timedelta(minutes=5)

    assert not use_answer(key=key, answer=answer_of(key), now=end)


def test_a_pass_stands_for_one_answer(now):
    key = make_pass(now=now)

    assert has_pass(key=key, now=now)
    assert use_pass(key=key, now=now)
    assert not has_pass(key=key, now=now)
    assert not use_pass(key=key, now=now)


def test_a_pass_is_over_after_ten_minutes(now):
    key, end = make_pass(now=now), now + timedelta(minutes=10)

    assert not has_pass(key=key, now=end)
    assert not use_pass(key=key, now=end)


def test_pass_and_challenge_are_not_taken_for_each_other(now):
    assert not use_answer(key=make_pass(now=now), answer="passed", now=now)
    assert not use_pass(key=make_challenge(now=now), now=now)


# --- Suspicion -----------------------------------------------------------------------------
def test_asked_for_below_what_refuses():
    pairs = [
        (CAPTCHA_LOGIN_PAIR, LOGIN_PAIR),
        (CAPTCHA_LOGIN_ACCOUNT, LOGIN_ACCOUNT),
        (CAPTCHA_LOGIN_ADDRESS, LOGIN_ADDRESS),
        (CAPTCHA_NUMBER_PHONE, NUMBER_PHONE),
        (CAPTCHA_CODE_PHONE, CODE_PHONE_LIMITS[1]),
        (CAPTCHA_CODE_ADDRESS, CODE_ADDRESS_LIMITS[0]),
    ]

    for threshold, limit in pairs:
        assert threshold.window == limit.window
        assert threshold.count < limit.count


def test_a_window_that_is_over_is_forgotten(now):
    window, threshold = Window(3, now), Limit(3, HOUR)

    assert is_suspicious(window, threshold, now=now)
    assert not is_suspicious(Window(2, now), threshold, now=now)
    assert not is_suspicious(window, threshold, now=now + HOUR)


def fail(account, now, *, address=ADDRESS):
    with pytest.raises(LoginRefusedError):
        check_login(account=account, password="wrong", address=address, now=now)


def test_three_failures_of_one_account_from_one_address(owner, now):
    for _ in range(3):
        assert not is_login_suspicious(account=owner.phone, address=ADDRESS, now=now)
        fail(owner.phone, now)

    spelled = f"+86 {owner.phone}"
    assert is_login_suspicious(account=spelled, address=ADDRESS, now=now)
    assert not is_login_suspicious(account=owner.phone, address=ELSEWHERE, now=now)
    assert not is_login_suspicious(account="", address=ADDRESS, now=now)
    later = now + timedelta(minutes=15)
    assert not is_login_suspicious(account=owner.phone, address=ADDRESS, now=later)


def test_the_same_for_nobody(now):
    for _ in range(3):
        fail("nobody_here", now)

    assert is_login_suspicious(account="nobody_here", address=ADDRESS, now=now)


def test_ten_failures_of_one_account_from_many_addresses(owner, now):
    for number in range(10):
        fail(owner.phone, now, address=f"198.51.100.{number}")

    assert is_login_suspicious(account=owner.phone, address=ADDRESS, now=now)
    assert not is_login_suspicious(account="somebody", address=ADDRESS, now=now)


def test_fifty_failures_of_one_address(now):
    for number in range(50):
        fail(f"somebody{number}", now)

    assert is_login_suspicious(account="another", address=ADDRESS, now=now)
    assert is_login_suspicious(account="", address=ADDRESS, now=now)
    assert not is_login_suspicious(account="", address=ELSEWHERE, now=now)


def test_honest_logins_are_not_suspicious(owner, now):
    for _ in range(60):
        check_login(account=owner.phone, password=PASSWORD, address=ADDRESS, now=now)

    assert not is_login_suspicious(account=owner.phone, address=ADDRESS, now=now)


def send(now, *, phone=PHONE, address=ADDRESS):
    send_code(
        phone=phone,
        purpose=VerificationCode.Purpose.LOGIN,
        browser="b",
        address=address,
        now=now,
    )


def test_three_codes_for_one_phone_within_an_hour(now):
    for minute in range(3):
        assert not is_code_suspicious(phone=PHONE, address=ELSEWHERE, now=now)
        send(now + timedelta(minutes=minute), address=f"198.51.100.{minute}")

    assert is_code_suspicious(
        phone=PHONE, address=ELSEWHERE, now=now + timedelta(minutes=59)
    )
    assert not is_code_suspicious(phone=PHONE, address=ELSEWHERE, now=now + HOUR)


def test_eight_codes_from_one_address_within_an_hour(now):
    for number in range(8):
        assert not is_code_suspicious(phone="", address=ADDRESS, now=now)
        send(now, phone=make_phone(6000 + number))

    assert is_code_suspicious(phone="", address=ADDRESS, now=now)
    assert is_code_suspicious(phone=PHONE, address=ADDRESS, now=now)
    assert not is_code_suspicious(phone=PHONE, address=ELSEWHERE, now=now)


def test_five_numbers_tried_for_one_phone(now):
    for number in range(5):
        assert not is_code_suspicious(phone=PHONE, address=ADDRESS, now=now)
        refuse_taken_numbers(
            id_number=make_id_number(7000 + number), phone=PHONE, now=now
        )

    assert is_code_suspicious(phone=PHONE, address=ADDRESS, now=now)
