"""The first password: whom it leads where, and that no answer tells more than the others."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.backends import PersonBackend
from accounts.errors import (
    FirstLoginRefusedError,
    FirstLoginRequiredError,
    LoginRefusedError,
    LoginThrottledError,
)
from accounts.models import ThrottleCounter
from accounts.rules.first_passwords import first_password
from accounts.rules.throttles import LOGIN_ADDRESS
from accounts.services import login as login_service
from accounts.services.login import check_first_login, check_login
from tests.factories.accounts import PASSWORD, UserFactory, make_id_number

ADDRESS = "203.0.113.7"
UNKNOWN = make_id_number(9999)

pytestmark = pytest.mark.django_db


def first_of(person):
    return first_password("edu_last_six", person.id_number)


def begin(id_number, password, now, *, address=ADDRESS):
    return check_first_login(
        id_number=id_number, password=password, address=address, now=now
    )


@pytest.fixture
def failures(pending, owner, now):
    """Everybody whom no first login opens, with what they type; each an account of its own,
    since a second try finds its counters and a first one makes them."""
    person = pending()
    expired = pending(pending_until=now)
    endless = pending(pending_until=None)
    stopped = pending(is_active=False)
    closed = UserFactory(closed=True)
    return {
        "unknown": (UNKNOWN, f"edu@{UNKNOWN[-6:]}"),
        "wrong first password": (person.id_number, "edu@000000"),
        "expired": (expired.id_number, first_of(expired)),
        "without an end": (endless.id_number, first_of(endless)),
        "stopped by staff": (stopped.id_number, first_of(stopped)),
        "active": (owner.id_number, first_of(owner)),
        "active, wrong": (UserFactory().id_number, "not-the-password"),
        "closed": (closed.id_number, first_of(closed)),
    }


@pytest.mark.parametrize(
    ("rule", "typed"),
    [
        ("edu_last_six", "edu@{last}"),
        ("edu_last_six", "EDU@{last}"),
        ("last_six", "{last}"),
        ("zeros", "000000"),
    ],
)
def test_the_first_password_of_the_rule(pending, now, settings, rule, typed):
    settings.FIRST_PASSWORD_RULE = rule
    person = pending()
    password = typed.format(last=person.id_number[-6:])

    assert begin(person.id_number, password, now) == person


def test_a_small_x_is_forgiven(pending, now):
    number = next(
        make_id_number(n) for n in range(9000, 9100) if make_id_number(n)[-1] == "X"
    )
    person = pending(id_number=number)

    assert begin(number.lower(), f"edu@{number[-6:].lower()}", now) == person


def test_until_the_last_second(pending, now):
    person = pending()
    end = person.pending_until

    assert begin(person.id_number, first_of(person), end - timedelta(seconds=1))
    with pytest.raises(FirstLoginRefusedError):
        begin(person.id_number, first_of(person), end)


def test_at_the_usual_login_too(pending, now):
    person = pending()

    with pytest.raises(FirstLoginRequiredError) as required:
        check_login(
            account=f" {person.id_number.lower()} ",
            password=first_of(person),
            address=ADDRESS,
            now=now,
        )
    assert required.value.person_code == person.code
    assert str(required.value) == str(LoginRefusedError())


def test_only_the_id_number_counts_as_the_account(pending, now):
    person = pending()

    for account in (person.phone, person.username):
        with pytest.raises(LoginRefusedError) as refused:
            check_login(
                account=account, password=first_of(person), address=ADDRESS, now=now
            )
        assert not isinstance(refused.value, FirstLoginRequiredError)


def test_whatever_asks_django_gets_nobody(pending, rf, now, time_machine):
    """The admin's login for one: a first password never makes a session."""
    time_machine.move_to(now, tick=False)
    person = pending(is_staff=True)

    assert (
        PersonBackend().authenticate(
            rf.post("/"), username=person.id_number, password=first_of(person)
        )
        is None
    )


def test_all_failures_are_told_in_the_same_words(failures, now):
    words = set()
    for place, (number, password) in enumerate(failures.values()):
        with pytest.raises(FirstLoginRefusedError) as refused:
            begin(number, password, now, address=f"198.51.100.{place}")
        words.add(str(refused.value))

    assert words == {"身份证号码或初始密码错误，或初始密码已失效。"}


def test_all_failures_at_the_usual_login_too(failures, now):
    words = set()
    for place, (number, password) in enumerate(failures.values()):
        with pytest.raises(LoginRefusedError) as refused:
            check_login(
                account=number,
                password=password,
                address=f"198.51.100.{place}",
                now=now,
            )
        words.add((type(refused.value), str(refused.value)))

    assert words == {(LoginRefusedError, "用户名或密码错误。")}


def fail(way, number, password, now, *, address):
    if way == "first":
        with pytest.raises(FirstLoginRefusedError):
            begin(number, password, now, address=address)
    else:
        with pytest.raises(LoginRefusedError):
            check_login(account=number, password=password, address=address, now=now)


@pytest.mark.parametrize("way", ["first", "usual"])
def test_all_failures_cost_the_same(failures, now, way, monkeypatch):
    """As many queries, as many hashes and no decryption of what only some have on file."""
    login_service._dummy_hash()
    hashes, decrypted, costs = [], [], {}
    verify = login_service.check_password

    def count(*args, **kwargs):
        hashes.append(args[0])
        return verify(*args, **kwargs)

    monkeypatch.setattr(login_service, "check_password", count)
    monkeypatch.setattr("django.contrib.auth.base_user.check_password", count)
    monkeypatch.setattr(
        "portal.lib.crypto.FieldCipher.decrypt_bytes",
        lambda *args, **kwargs: decrypted.append(args),
    )
    for place, (name, (number, password)) in enumerate(failures.items()):
        hashes.clear()
        address = f"198.51.100.{place}"
        with CaptureQueriesContext(connection) as queries:
            fail(way, number, password, now, address=address)
        costs[name] = (len(queries), len(hashes))

    assert set(costs.values()) == {(costs["unknown"][0], 1)}
    assert decrypted == []


# --- Throttles -----------------------------------------------------------------------------
def test_both_ways_share_the_counters(pending, now):
    person = pending()
    for _ in range(5):
        with pytest.raises(FirstLoginRefusedError):
            begin(person.id_number, "edu@000000", now)

    with pytest.raises(LoginThrottledError):
        check_login(
            account=person.id_number,
            password=first_of(person),
            address=ADDRESS,
            now=now,
        )


def test_a_success_starts_the_pair_anew(pending, now):
    person = pending()
    for _ in range(4):
        with pytest.raises(FirstLoginRefusedError):
            begin(person.id_number, "edu@000000", now)
    begin(person.id_number, first_of(person), now)

    assert ThrottleCounter.objects.get(scope="login_pair").count == 0


def test_a_list_of_numbers_is_stopped_even_where_it_is_right(pending, now):
    """First passwords follow from the numbers: successes count at the address."""
    person = pending()
    for _ in range(LOGIN_ADDRESS.count - 150):
        begin(person.id_number, first_of(person), now)
    ThrottleCounter.objects.filter(scope="login_address").update(
        count=LOGIN_ADDRESS.count
    )

    with pytest.raises(LoginThrottledError):
        begin(person.id_number, first_of(person), now)


def test_an_account_in_use_is_opened_by_its_own_password_only(owner, now):
    with pytest.raises(FirstLoginRefusedError):
        begin(owner.id_number, PASSWORD, now)
    assert (
        check_login(
            account=owner.id_number, password=PASSWORD, address=ADDRESS, now=now
        )
        == owner
    )
