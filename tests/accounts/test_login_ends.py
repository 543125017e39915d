"""What time, a closed account and a new password do to a login."""

from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.urls import reverse

from accounts.models import PersonSession, User
from tests.accounts.test_middleware import log_in, only_row
from tests.factories.accounts import PASSWORD, UserFactory

PROFILE = reverse("accounts:profile")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Reason = PersonSession.EndReason

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


@pytest.mark.parametrize(
    ("is_staff", "wait", "is_over"),
    [
        (False, 12 * HOUR - MINUTE, False),
        (False, 12 * HOUR, True),
        (True, 30 * MINUTE - MINUTE, False),
        (True, 30 * MINUTE, True),
    ],
)
def test_an_idle_login_ends(clock, now, is_staff, wait, is_over):
    person = UserFactory(staff=is_staff)
    client = log_in(person)

    clock.move_to(now + wait, tick=False)
    response = client.get(PROFILE)

    assert (response.status_code == 302) == is_over
    assert only_row(person).end_reason == ("idle" if is_over else "")
    if is_over:
        assert "已较长时间未操作" in client.get(response.url).content.decode()


@pytest.mark.parametrize(
    ("is_staff", "step", "total"),
    [(False, 6 * HOUR, 14 * DAY), (True, 20 * MINUTE, 12 * HOUR)],
)
def test_a_login_in_use_ends_at_last(clock, now, is_staff, step, total):
    person = UserFactory(staff=is_staff)
    client = log_in(person)

    moment = now
    while moment + step < now + total:
        moment += step
        clock.move_to(moment, tick=False)
        assert client.get(PROFILE).status_code == 200
    clock.move_to(now + total, tick=False)
    response = client.get(PROFILE)

    assert response.status_code == 302
    assert only_row(person).end_reason == "expired"
    assert "本次登录时间已较长" in client.get(response.url).content.decode()


def test_a_closed_account_ends_its_row(owner):
    client = log_in(owner)
    User.objects.filter(pk=owner.pk).update(state=User.State.CLOSED)

    assert client.get(PROFILE).status_code == 302

    assert only_row(owner).end_reason == Reason.ACCOUNT
    assert SESSION_KEY not in client.session


def test_who_was_sent_away_by_a_new_password_is_told(settings, owner, clock, now):
    settings.SESSIONS_AT_A_TIME = 2
    here, elsewhere = log_in(owner), log_in(owner)
    new = "nanshan-huaihai-1901"
    form = {"present": PASSWORD, "password": new, "password_again": new}

    here.post(reverse("accounts:password-change"), form)

    assert here.get(PROFILE).status_code == 200
    answer = elsewhere.get(PROFILE)
    html = elsewhere.get(answer.url).content.decode()
    assert "您的密码已于 6月15日 10:00 修改，请使用新密码登录。" in html
