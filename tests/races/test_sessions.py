"""Logins at the same instant, and codes entered twice at once."""

from functools import partial

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from accounts.errors import SecondFactorRefusedError
from accounts.models import PersonSession, RecoveryCode
from accounts.rules.throttles import CAPTCHA_LOGIN_PAIR
from accounts.services.second_factor import check_second_factor, enrol_device
from tests.accounts.test_second_factor import SECRET, code_at
from tests.factories.accounts import PASSWORD, UserFactory
from tests.races.together import run_together

THREADS = 5
# As many as are tried before a picture is asked for: all may be under way when one is counted.
LOGINS = CAPTCHA_LOGIN_PAIR.count
LOGIN = reverse("accounts:login")
SPACE = reverse("dashboard")


def at_once(count, act):
    """Run `act(number)` in `count` threads at one moment; what each returned."""
    return run_together(*(partial(act, number) for number in range(count)))


@pytest.mark.django_db(transaction=True)
def test_logins_at_the_same_instant_end_with_one_live_session():
    person = UserFactory()
    clients = [Client() for _ in range(LOGINS)]

    def log_in(number):
        form = {"account": person.username, "password": PASSWORD}
        return clients[number].post(LOGIN, form).status_code

    assert at_once(LOGINS, log_in) == [302] * LOGINS

    live = PersonSession.objects.get(ended_at__isnull=True)
    assert PersonSession.objects.filter(end_reason="replaced").count() == LOGINS - 1
    name = django_settings.SESSION_COOKIE_NAME
    assert all(name in client.cookies for client in clients)
    inside = [client for client in clients if client.get(SPACE).status_code == 200]
    assert len(inside) == 1
    assert inside[0].session["accounts_session"] == live.code


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_a_code_entered_twice_at_once_opens_once(now, kind):
    person = UserFactory(staff=True)
    before = now.replace(hour=9)
    enrolled = enrol_device(
        person=person, secret=SECRET, code=code_at(before), now=before
    )
    code = code_at(now) if kind == "app" else enrolled.recovery_codes[0]

    def enter(_number):
        try:
            check_second_factor(person=person, code=code, now=now)
        except SecondFactorRefusedError:
            return False
        return True

    assert at_once(4, enter).count(True) == 1
    used = RecoveryCode.objects.filter(used_at__isnull=False).count()
    assert used == (1 if kind == "recovery" else 0)


@pytest.mark.django_db(transaction=True)
def test_binding_two_apps_at_once_binds_one(now):
    person = UserFactory(staff=True)
    secrets = [bytes([number + 1]) * 20 for number in range(4)]

    def bind(number):
        secret = secrets[number]
        try:
            enrol_device(
                person=person, secret=secret, code=code_at(now, secret), now=now
            )
        except SecondFactorRefusedError:
            return False
        return True

    assert at_once(4, bind).count(True) == 1
    assert RecoveryCode.objects.count() == 10
