"""Logins of the app: what a token opens, for how long, and what ends it."""

from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.errors import AppLoginOverError, StaffAppLoginError
from accounts.models import PersonSession, User
from accounts.services.app_logins import begin_app_login, use_app_login
from accounts.services.passwords import change_password
from tests.app_client import app_of, with_token
from tests.factories.accounts import PASSWORD

ORDERS = "/api/v1/orders/"
LOGOUT = "/api/v1/logout/"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AGAIN = "如非本人操作，请立即修改密码。"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


def begin(person, now, device="我的手机"):
    return begin_app_login(person=person, device=device, address="203.0.113.7", now=now)


def test_only_the_hash_of_the_token_is_kept(owner, now):
    login = begin(owner, now)

    row = PersonSession.objects.get()
    assert row.token_hash == sha256(login.token.encode()).hexdigest()
    assert len(login.token) >= 43
    assert (row.device, row.address) == ("应用 · 我的手机", "203.0.113.*")
    assert login.expires_at == now + 14 * DAY
    with CaptureQueriesContext(connection) as queries:
        assert use_app_login(token=login.token, now=now).person == owner
    assert login.token not in str(queries.captured_queries)


def test_staff_have_no_tokens(staff, now):
    with pytest.raises(StaffAppLoginError):
        begin(staff, now)

    assert PersonSession.objects.count() == 0


def test_who_becomes_staff_loses_the_token(owner, now):
    login = begin(owner, now)
    User.objects.filter(pk=owner.pk).update(is_staff=True)

    with pytest.raises(AppLoginOverError):
        use_app_login(token=login.token, now=now)

    assert PersonSession.objects.get().end_reason == "account"


@pytest.mark.parametrize("token", ["", "wrong", "测试", "A" * 43])
def test_a_token_of_nobody_opens_nothing(owner, token):
    response = with_token("x").get(
        ORDERS, headers={"authorization": f"Bearer {token}".encode().decode("latin-1")}
    )

    assert response.status_code == 401
    assert response.json()["code"] == "login_required"
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_code_of_a_login_is_no_token(owner, client_of, now):
    """Codes stand in pages; the rows of browsers have no token at all."""
    client_of(owner)
    code = PersonSession.objects.get().code

    assert with_token(code).get(ORDERS).status_code == 401
    assert with_token("None").get(ORDERS).status_code == 401


def test_a_token_wants_no_csrf_token_and_a_session_still_does(owner, client_of):
    app = app_of(owner)
    browser = client_of(owner)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    body = {"content_type": "application/json", "data": {}}

    by_token, by_cookie = app.post(ORDERS, **body), strict.post(ORDERS, **body)

    assert by_token.json()["code"] == "idempotency_key_missing"
    assert (by_cookie.status_code, by_cookie.json()["code"]) == (403, "csrf_failed")


def test_a_token_that_is_over_is_not_saved_by_a_cookie(owner, client_of, settings):
    settings.SESSIONS_AT_A_TIME = 2
    browser = client_of(owner)

    assert browser.get(ORDERS).status_code == 200
    answer = browser.get(ORDERS, headers={"authorization": "Bearer gone"})
    assert answer.status_code == 401


def test_a_token_opens_no_page(owner):
    response = app_of(owner).get(reverse("dashboard"))

    assert response.status_code == 302
    assert "/accounts/login/" in response.url


# --- One login at a time, and its ends -----------------------------------------------------
def test_the_app_ends_the_browser_and_says_so(owner, client_of, now):
    browser = client_of(owner)

    app_of(owner)

    answer = browser.get(ORDERS)
    assert answer.status_code == 401
    assert answer.json()["title"] == (
        f"您的账号于 6月15日 10:00 在另一台设备（应用 · 我的手机）登录，本机已退出。{AGAIN}"
    )


def test_the_browser_ends_the_app_and_the_app_is_told(owner, client):
    app = app_of(owner)

    client.post(
        reverse("accounts:login"), {"account": owner.phone, "password": PASSWORD}
    )

    answer = app.get(ORDERS)
    assert answer.status_code == 401
    assert answer.json()["code"] == "login_required"
    assert answer.json()["title"].endswith(f"本机已退出。{AGAIN}")
    assert PersonSession.objects.filter(ended_at__isnull=True).count() == 1


def test_the_list_of_devices_ends_the_app(owner, client_of, settings):
    settings.SESSIONS_AT_A_TIME = 2
    app, browser = app_of(owner), client_of(owner)
    assert app.get(ORDERS).status_code == 200
    page = browser.get(reverse("accounts:sessions")).content.decode()
    assert "应用 · 我的手机" in page

    browser.post(reverse("accounts:sessions-end-others"))

    answer = app.get(ORDERS)
    assert answer.status_code == 401
    assert "上退出本机的登录" in answer.json()["title"]


def test_a_new_password_ends_the_app(owner, now):
    app = app_of(owner)

    change_password(
        person=owner, present=PASSWORD, password="nanshan-huaihai-1901", now=now
    )

    answer = app.get(ORDERS)
    assert (answer.status_code, answer.json()["title"]) == (
        401,
        "您的密码已于 6月15日 10:00 修改，请使用新密码登录。",
    )


def test_a_closed_account_ends_the_app(owner):
    app = app_of(owner)
    User.objects.filter(pk=owner.pk).update(state=User.State.CLOSED, is_active=False)

    assert app.get(ORDERS).status_code == 401

    assert PersonSession.objects.get().end_reason == "account"


def test_an_idle_app_ends_after_twelve_hours(owner, clock, now):
    app = app_of(owner, now=now)
    clock.move_to(now + 12 * HOUR - MINUTE, tick=False)
    assert app.get(ORDERS).status_code == 200

    clock.move_to(now + 24 * HOUR - 2 * MINUTE, tick=False)
    assert app.get(ORDERS).status_code == 200
    clock.move_to(now + 37 * HOUR, tick=False)

    answer = app.get(ORDERS)
    assert (answer.status_code, PersonSession.objects.get().end_reason) == (401, "idle")
    assert "您已较长时间未操作" in answer.json()["title"]


def test_a_token_ends_after_two_weeks_however_busy(owner, now):
    login = begin(owner, now)
    PersonSession.objects.update(last_seen_at=now + 14 * DAY)

    use_app_login(token=login.token, now=login.expires_at - MINUTE)
    with pytest.raises(AppLoginOverError):
        use_app_login(token=login.token, now=login.expires_at)

    assert PersonSession.objects.get().end_reason == "expired"


def test_use_is_written_down_at_most_every_five_minutes(owner, clock, now):
    app = app_of(owner, now=now)
    seen = []
    for minutes in (4, 5, 6, 10):
        clock.move_to(now + minutes * MINUTE, tick=False)
        app.get(ORDERS)
        seen.append((PersonSession.objects.get().last_seen_at - now) // MINUTE)

    assert seen == [0, 5, 5, 10]


def test_asking_who_calls_costs_one_query(owner, now, django_assert_num_queries):
    login = begin(owner, now)

    with django_assert_num_queries(1):
        assert use_app_login(token=login.token, now=now).person.may_log_in


def test_logging_out_ends_the_token(owner):
    app = app_of(owner)

    answer = app.post(LOGOUT)

    assert (answer.status_code, answer.content) == (204, b"")
    assert PersonSession.objects.get().end_reason == "logout"
    assert app.post(LOGOUT).status_code == 401


def test_logging_out_is_for_tokens(owner, client_of):
    assert client_of(owner).post(LOGOUT).status_code == 401

    assert PersonSession.objects.filter(ended_at__isnull=True).count() == 1


def test_another_persons_login_is_not_touched(owner, stranger):
    app, other = app_of(owner), app_of(stranger)

    app.post(LOGOUT)

    assert other.get(ORDERS).status_code == 200
