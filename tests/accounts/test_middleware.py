"""Every way in leaves a row, every end is noticed at the next request, at no query's cost."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import PersonSession, User
from accounts.services.reference_data import load_regions
from accounts.services.sessions import begin_session
from accounts.services.wechat import link_wechat
from accounts.views import wechat as wechat_views
from tests.factories.accounts import PASSWORD, make_id_number, make_phone

LOGIN = reverse("accounts:login")
LOGOUT = reverse("accounts:logout")
PROFILE = reverse("accounts:profile")
SPACE = reverse("dashboard")
SEND = reverse("accounts:send-code")
BEAT = reverse("learning:beat")
CHROME = "Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Reason = PersonSession.EndReason

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


def browser():
    return Client(headers={"User-Agent": CHROME})


def log_in(person, client=None):
    client = client or browser()
    client.post(LOGIN, {"account": person.username, "password": PASSWORD})
    return client


def only_row(person):
    return PersonSession.objects.get(person=person)


# --- Every way in --------------------------------------------------------------------------
def by_password(client, person, read_code, monkeypatch):
    log_in(person, client)


def by_code(client, person, read_code, monkeypatch):
    client.post(SEND, {"purpose": "login", "phone": person.phone})
    client.post(LOGIN, {"way": "code", "phone": person.phone, "code": read_code()})


def by_wechat(client, person, read_code, monkeypatch):
    link_wechat(person=person, openid="o-1", now=person.date_joined)
    monkeypatch.setattr(wechat_views, "fetch_openid", lambda code: "o-1")
    client.get(reverse("accounts:wechat-login"))
    state = client.session[wechat_views.STATE_KEY]
    client.get(reverse("accounts:wechat-callback"), {"state": state, "code": "c"})


def by_the_staff_site(client, person, read_code, monkeypatch):
    User.objects.filter(pk=person.pk).update(is_staff=True)
    form = {"username": person.username, "password": PASSWORD}
    client.post(reverse("admin:login"), form)


def by_any_code_that_logs_in(client, person, read_code, monkeypatch):
    """Views to come call Django's own login; nothing reminds them of rows."""
    client.force_login(person)
    client.get(SPACE)


@pytest.mark.parametrize(
    "way",
    [
        by_password,
        by_code,
        by_wechat,
        by_the_staff_site,
        by_any_code_that_logs_in,
    ],
)
@pytest.mark.parametrize("engine", ["db", "cached_db"])
def test_every_way_in_leaves_one_row_and_ends_the_login_before(
    settings, owner, read_code, monkeypatch, way, engine, clock, now
):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    before = log_in(owner)
    clock.move_to(now + 2 * MINUTE, tick=False)
    client = browser()

    way(client, owner, read_code, monkeypatch)

    live = PersonSession.objects.get(person=owner, ended_at__isnull=True)
    assert client.session["accounts_session"] == live.code
    assert client.session[SESSION_KEY] == str(owner.pk)
    old = PersonSession.objects.get(person=owner, ended_at__isnull=False)
    assert (old.end_reason, old.ended_from) == (Reason.REPLACED, live)
    assert before.get(SPACE).status_code == 302
    assert SESSION_KEY not in before.session
    assert client.get(SPACE).status_code == 200


def test_registration_leaves_a_row(client, read_code):
    load_regions()
    phone = make_phone(777)
    client.post(SEND, {"purpose": "register", "phone": phone})
    form = {
        "name": "欧阳春梅",
        "id_number": make_id_number(777),
        "phone": phone,
        "code": read_code(),
        "password": PASSWORD,
        "password_again": PASSWORD,
        "region": "500103",
        "unit_name": "重庆市渝中区示例中学校",
        "agree_privacy": "on",
        "agree_sensitive": "on",
    }
    assert client.post(reverse("accounts:register"), form).status_code == 302

    client.post(reverse("accounts:register-confirm"))

    assert only_row(User.objects.get()).ended_at is None


def test_a_login_while_logged_in_keeps_its_row(owner, staff):
    client = log_in(staff)
    form = {"username": staff.username, "password": PASSWORD}
    client.post(reverse("admin:login"), form)
    assert only_row(staff).ended_at is None

    client.post(
        reverse("admin:login"), {"username": owner.username, "password": PASSWORD}
    )

    # The admin lets no trainee in, so nothing has changed.
    assert only_row(staff).ended_at is None
    assert not PersonSession.objects.filter(person=owner).exists()


def test_the_key_is_another_after_login(owner):
    client = browser()
    client.get(reverse("accounts:register"))
    client.post(SEND, {"purpose": "login", "phone": owner.phone})
    before = client.session.session_key

    log_in(owner, client)

    assert client.session.session_key != before


# --- Every way out -------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["accounts:logout", "admin:logout"])
def test_logging_out_ends_the_row(staff, name, clock, now):
    client = log_in(staff)
    clock.move_to(now + MINUTE, tick=False)

    client.post(reverse(name))

    row = only_row(staff)
    assert (row.end_reason, row.ended_at) == (Reason.LOGOUT, now + MINUTE)


def test_the_old_browser_is_led_to_the_login_page_and_told_why(owner, clock, now):
    old = log_in(owner)
    clock.move_to(now + 2 * MINUTE, tick=False)
    new = log_in(owner)

    response = old.get(PROFILE, {"a": "1"})

    assert response.status_code == 302
    assert response.url == f"{LOGIN}?next=%2Faccounts%2Fprofile%2F%3Fa%3D1"
    html = old.get(response.url).content.decode()
    words = (
        "您的账号于 6月15日 10:02 在另一台设备（Chrome · Windows）登录，本机已退出。"
    )
    assert words in html
    assert new.get(PROFILE).status_code == 200
    # Told until the next login, and then no more.
    log_in(owner, old)
    assert "accounts_session_end" not in old.session
    assert old.get(PROFILE).status_code == 200


def test_a_public_page_leads_there_too(owner):
    old = log_in(owner)
    log_in(owner)

    assert old.get(reverse("home")).url == f"{LOGIN}?next=%2F"
    assert old.get(reverse("home")).status_code == 200


def test_a_staff_page_leads_there_too(staff):
    old = log_in(staff)
    log_in(staff)

    assert old.get(reverse("admin:index")).url == f"{LOGIN}?next=%2Fstaff%2F"


def test_nothing_of_the_person_stays_in_the_old_browser(owner):
    old = log_in(owner)
    store = old.session
    store["wechat_openid"] = "o-1"
    store.save()
    log_in(owner)

    old.get(PROFILE)

    assert set(old.session.keys()) == {"accounts_session_end", "_session_expiry"}


def test_a_form_of_the_old_browser_is_not_taken(owner):
    old = log_in(owner)
    log_in(owner)
    form = {"topic": "其他", "text": "请问发票何时开具"}

    response = old.post(reverse("support:conversation"), form)

    assert response.url == LOGIN
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM support_conversation")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    ("headers", "content_type"),
    [
        ({"Accept": "application/json"}, "application/json"),
        ({"HX-Request": "true"}, "application/x-www-form-urlencoded"),
        ({"Sec-Fetch-Mode": "no-cors"}, "application/x-www-form-urlencoded"),
    ],
)
def test_scripts_hear_it_in_the_same_words(owner, headers, content_type):
    old = log_in(owner)
    log_in(owner)
    data = "{}" if content_type == "application/json" else ""

    first = old.post(BEAT, data, content_type=content_type, headers=headers)
    second = old.post(BEAT, data, content_type=content_type, headers=headers)

    for response in (first, second):
        body = json.loads(response.content)
        assert response.status_code == 401
        assert body["error"] == "login_required"
        assert "在另一台设备（Chrome · Windows）登录，本机已退出" in body["message"]
    assert ("HX-Redirect" in first.headers) == ("HX-Request" in headers)


def test_a_page_fetched_by_a_script_is_no_navigation(owner):
    old = log_in(owner)
    log_in(owner)

    response = old.get(PROFILE, headers={"HX-Request": "true"})

    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == LOGIN


# --- What it costs -------------------------------------------------------------------------
def test_a_request_costs_session_and_account_and_nothing_else(owner):
    client = log_in(owner)
    client.get(reverse("home"))

    with CaptureQueriesContext(connection) as queries:
        client.get(LOGIN)

    tables = [query["sql"].split(" FROM ")[1].split()[0] for query in queries]
    assert tables == ['"django_session"', '"accounts_user"']


def test_use_is_written_once_in_five_minutes(owner, clock, now):
    client = log_in(owner)
    clock.move_to(now + 5 * MINUTE, tick=False)

    with CaptureQueriesContext(connection) as first:
        client.get(LOGIN)
    with CaptureQueriesContext(connection) as second:
        client.get(LOGIN)

    writes = [query["sql"] for query in first if query["sql"].startswith("UPDATE")]
    assert len(writes) == 1
    assert "accounts_personsession" in writes[0]
    assert (len(first), len(second)) == (3, 2)
    assert only_row(owner).last_seen_at == now + 5 * MINUTE


@pytest.mark.parametrize("name", ["home", "plan-list", "content:help", "dashboard"])
def test_no_page_of_a_login_is_kept(owner, name):
    """后退 after logging out would show the next person whose login it was."""
    response = log_in(owner).get(reverse(name))

    assert owner.name in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_pages_of_visitors_may_be_kept(client):
    assert "Cache-Control" not in client.get(reverse("plan-list")).headers


def test_visitors_cost_nothing(client, django_assert_num_queries):
    page = reverse("accounts:notice", args=["privacy"])
    client.get(page)

    with django_assert_num_queries(0):
        assert client.get(page).status_code == 200
    assert PersonSession.objects.count() == 0


# --- Sessions from before there were rows --------------------------------------------------
def test_an_old_session_gets_its_row_at_the_next_request(owner, client):
    client.force_login(owner)
    assert PersonSession.objects.count() == 0

    assert client.get(PROFILE).status_code == 200
    assert client.get(PROFILE).status_code == 200

    assert client.session["accounts_session"] == only_row(owner).code


def test_requests_of_one_page_give_an_old_session_one_row(owner, client):
    client.force_login(owner)
    unmarked = dict(client.session.items())
    client.get(PROFILE)
    store = client.session
    # As a request sees it that was read before the first one wrote.
    store.clear()
    store.update(unmarked)
    store.save()

    assert client.get(PROFILE).status_code == 200

    assert client.get(PROFILE).status_code == 200
    assert client.session["accounts_session"] == only_row(owner).code


def test_the_browsers_session_lasts_as_long_as_the_login_can(owner, now):
    log_in(owner)

    assert Session.objects.get().expire_date == now + 15 * DAY


def test_a_code_of_somebody_elses_row_opens_nothing(owner, stranger, now):
    client = log_in(owner)
    row = begin_session(
        person=stranger, user_agent="", address="", at_a_time=1, now=now
    )
    store = client.session
    store["accounts_session"] = row.code
    store.save()

    assert client.get(PROFILE).status_code == 302
