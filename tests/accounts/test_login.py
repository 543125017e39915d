from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import CodeRefusedError, LoginRefusedError, LoginThrottledError
from accounts.models import ThrottleCounter, User, VerificationCode
from accounts.rules.throttles import LOGIN_ACCOUNT, LOGIN_ADDRESS
from accounts.services import login as login_service
from accounts.services.codes import send_code
from accounts.services.login import (
    check_code_login,
    check_login,
    forget_login_failures,
)
from accounts.services.throttling import throttle_key
from tests.factories.accounts import PASSWORD, UserFactory, make_phone

ADDRESS = "203.0.113.7"
WRONG = "not-the-password"

pytestmark = pytest.mark.django_db


def log_in(account, now, *, password=PASSWORD, address=ADDRESS):
    return check_login(account=account, password=password, address=address, now=now)


def fail(account, now, *, password=WRONG, address=ADDRESS):
    with pytest.raises(LoginRefusedError) as refused:
        log_in(account, now, password=password, address=address)
    return str(refused.value)


@pytest.mark.parametrize(
    "spelling",
    [
        lambda person: person.phone,
        lambda person: f"+86 {person.phone[:3]}-{person.phone[3:]}",
        lambda person: person.username,
        lambda person: person.username.upper(),
        lambda person: person.id_number,
        lambda person: f" {person.id_number.lower()} ",
    ],
)
def test_phone_user_name_and_id_number_open_the_account(owner, now, spelling):
    assert log_in(spelling(owner), now) == owner


def test_the_same_queries_whoever_it_is(owner, now):
    counts = []
    for account in (owner.phone, owner.username, owner.id_number, "nobody_here"):
        with CaptureQueriesContext(connection) as queries:
            fail(account, now, address=f"198.51.100.{len(counts)}")
        lookups = [query for query in queries if '"accounts_user"' in query["sql"]]
        assert len(lookups) == 1
        counts.append(len(queries))

    assert len(set(counts)) == 1


def test_every_failure_has_the_same_words(owner, now):
    pending = UserFactory(pending=True)
    closed = UserFactory(closed=True)
    locked = UserFactory(is_active=False)

    words = {
        fail(owner.phone, now),
        fail(make_phone(9999), now),
        fail("nobody_here", now),
        fail("", now),
        fail(pending.phone, now, password=PASSWORD),
        fail(closed.phone, now, password=PASSWORD),
        fail(locked.phone, now, password=PASSWORD),
    }

    assert words == {"用户名或密码错误。"}


def test_every_failure_computes_one_hash(owner, now, monkeypatch):
    login_service._dummy_hash()
    computed = []
    verify = login_service.check_password

    def count(*args, **kwargs):
        computed.append(args[1])
        return verify(*args, **kwargs)

    monkeypatch.setattr(login_service, "check_password", count)
    monkeypatch.setattr("django.contrib.auth.base_user.check_password", count)
    unusable = UserFactory(password=None)

    for account in (
        owner.phone,
        "nobody",
        UserFactory(pending=True).phone,
        unusable.phone,
    ):
        computed.clear()
        fail(account, now)
        assert len(computed) == 1


def test_an_empty_password_opens_nothing(now):
    person = UserFactory(password=None)

    for password in ("", "!", person.password):
        fail(person.phone, now, password=password)


def test_a_password_of_megabytes_is_not_hashed(owner, now, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "django.contrib.auth.base_user.check_password",
        lambda password, *args, **kwargs: bool(seen.append(password)),
    )

    fail(owner.phone, now, password="x" * 3_000_000)

    assert seen == [""]


# --- Throttles -----------------------------------------------------------------------------
def test_five_failures_then_a_quarter_of_an_hour(owner, now):
    for _ in range(5):
        fail(owner.phone, now)

    with pytest.raises(LoginThrottledError, match="请15分钟后再试"):
        log_in(owner.phone, now + timedelta(minutes=15, seconds=-1))
    assert log_in(owner.phone, now + timedelta(minutes=15)) == owner


def test_the_same_for_accounts_that_do_not_exist(now):
    for _ in range(5):
        fail("nobody_here", now)

    with pytest.raises(LoginThrottledError):
        log_in("nobody_here", now)


def test_another_place_is_not_shut_out(owner, now):
    for _ in range(5):
        fail(owner.phone, now)

    assert log_in(owner.phone, now, address="203.0.113.8") == owner


def test_other_spellings_give_no_new_tries(owner, now):
    for spelling in (
        owner.phone,
        f"+86{owner.phone}",
        f" {owner.phone} ",
        f"{owner.phone[:3]}-{owner.phone[3:]}",
        f"0086 {owner.phone}",
    ):
        fail(spelling, now)

    with pytest.raises(LoginThrottledError):
        log_in(owner.phone, now)


def test_a_success_starts_the_pair_anew(owner, now):
    for _ in range(4):
        fail(owner.phone, now)
    log_in(owner.phone, now)

    for _ in range(4):
        fail(owner.phone, now)
    assert log_in(owner.phone, now) == owner


def test_one_address_alone_never_closes_an_account(owner, now):
    for minute in range(0, 60, 15):
        moment = now + timedelta(minutes=minute)
        for _ in range(5):
            fail(owner.phone, moment)
        for _ in range(50):
            with pytest.raises(LoginThrottledError):
                log_in(owner.phone, moment)

    moment = now + timedelta(minutes=59)
    assert log_in(owner.phone, moment, address="203.0.113.8") == owner


def test_an_account_tried_from_many_places_steps_up_to_codes(owner, now, read_code):
    for number in range(LOGIN_ACCOUNT.count):
        fail(owner.phone, now, address=f"198.51.100.{number}")

    with pytest.raises(LoginThrottledError, match="使用短信验证码登录"):
        log_in(owner.phone, now, address="203.0.113.8")
    purpose = VerificationCode.Purpose.LOGIN
    send_code(phone=owner.phone, purpose=purpose, browser="b", address=ADDRESS, now=now)
    entered = check_code_login(
        phone=owner.phone, browser="b", code=read_code(), now=now
    )
    assert entered == owner
    assert log_in(owner.phone, now + timedelta(hours=1)) == owner


def test_a_list_of_passwords_from_one_address_is_stopped(owner, now):
    log_in(owner.phone, now)
    for number in range(LOGIN_ADDRESS.count):
        fail(f"somebody{number}", now)

    with pytest.raises(LoginThrottledError):
        log_in(owner.phone, now)
    assert log_in(owner.phone, now, address="203.0.113.8") == owner


def test_honest_logins_of_a_school_do_not_add_up(owner, now):
    for _ in range(LOGIN_ADDRESS.count + 5):
        log_in(owner.phone, now)

    address = ThrottleCounter.objects.get(scope="login_address")
    assert address.count == 0


def test_the_counters_name_nobody(owner, now):
    fail(owner.phone, now)

    stored = " ".join(f"{row.scope} {row.key}" for row in ThrottleCounter.objects.all())
    assert ThrottleCounter.objects.count() == 3
    assert owner.phone not in stored
    assert ADDRESS not in stored


def test_who_proves_the_phone_may_try_again(owner, now):
    for number in range(LOGIN_ACCOUNT.count):
        fail(owner.phone, now, address=f"198.51.100.{number}")

    forget_login_failures(person=owner, address=ADDRESS)

    assert log_in(owner.phone, now) == owner


@pytest.mark.parametrize("account", ["phone", "username", "id_number"])
def test_who_proves_the_phone_may_try_again_at_the_same_place(owner, now, account):
    for _ in range(5):
        fail(getattr(owner, account), now)

    forget_login_failures(person=owner, address="203.0.113.8")
    with pytest.raises(LoginThrottledError):
        log_in(getattr(owner, account), now)
    forget_login_failures(person=owner, address=ADDRESS)

    assert log_in(getattr(owner, account), now) == owner
    # The failures of the place itself are not forgiven.
    assert ThrottleCounter.objects.get(key=throttle_key("address", ADDRESS)).count == 5


# --- Login by a code -----------------------------------------------------------------------
def test_a_code_logs_in(owner, now, read_code):
    purpose = VerificationCode.Purpose.LOGIN
    send_code(phone=owner.phone, purpose=purpose, browser="b", address=ADDRESS, now=now)

    person = check_code_login(phone=owner.phone, browser="b", code=read_code(), now=now)
    assert person == owner


def test_a_right_code_opens_no_closed_account(owner, now, read_code):
    purpose = VerificationCode.Purpose.LOGIN
    send_code(phone=owner.phone, purpose=purpose, browser="b", address=ADDRESS, now=now)
    User.objects.filter(pk=owner.pk).update(state=User.State.CLOSED)

    with pytest.raises(CodeRefusedError, match="验证码错误或已失效"):
        check_code_login(phone=owner.phone, browser="b", code=read_code(), now=now)
