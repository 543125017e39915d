from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.auth import SESSION_KEY
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.errors import WeChatError
from accounts.models import AuditEntry, WeChatLink
from accounts.rules.wechat_menu import build_menu
from accounts.services.wechat import (
    fetch_openid,
    find_linked_person,
    link_wechat,
    publish_menu,
    unlink_wechat,
)
from accounts.tasks import publish_wechat_menu
from portal.sandbox.wechat import PEOPLE
from tests.factories.accounts import PASSWORD, UserFactory

START = reverse("accounts:wechat-login")
CALLBACK = reverse("accounts:wechat-callback")
LINK = reverse("accounts:wechat-link")
UNLINK = reverse("accounts:wechat-unlink")
LOGIN = reverse("accounts:login")
SITE = "https://portal.example"
OPENID, OTHER_OPENID = PEOPLE[0].openid, PEOPLE[1].openid

pytestmark = pytest.mark.django_db


@pytest.fixture
def wechat(sandbox):
    return sandbox.wechat


def publish():
    return publish_menu(site_url=SITE, login_path=START)


def come_back(client, wechat, *, openid=OPENID, next_url=""):
    """Walk the redirects as WeChat's browser does; the answer of the callback."""
    target = urlsplit(client.get(START, {"next": next_url}).url)
    state = parse_qs(target.query)["state"][0]
    return client.get(CALLBACK, {"code": wechat.make_code(openid), "state": state})


# --- Who is it -----------------------------------------------------------------------------
def test_the_way_to_wechat(client, sandbox, settings):
    target = urlsplit(client.get(START).url)

    query = parse_qs(target.query)
    assert f"{target.scheme}://{target.netloc}" == sandbox.url
    assert target.path == "/connect/oauth2/authorize"
    assert query["appid"] == [settings.WECHAT["app_id"]]
    assert query["scope"] == ["snsapi_base"]
    assert query["redirect_uri"] == [settings.SITE_URL + CALLBACK]
    assert len(query["state"][0]) >= 32


def test_wechats_own_page_sends_back_a_code(client, wechat):
    location = requests.get(client.get(START).url, allow_redirects=False, timeout=5)
    query = parse_qs(urlsplit(location.headers["Location"]).query)

    assert fetch_openid(code=query["code"][0]) == OPENID


def test_a_linked_person_is_logged_in(client, wechat, owner, now):
    link_wechat(person=owner, openid=OPENID, now=now)

    response = come_back(client, wechat, next_url="/plans/?subject=general")

    assert response.url == "/plans/?subject=general"
    assert client.session[SESSION_KEY] == str(owner.pk)


def test_somebody_unknown_logs_in_first_and_is_asked(client, wechat, owner):
    assert come_back(client, wechat, next_url="/training/").url == LOGIN
    assert "登录后可绑定微信" in client.get(LOGIN).content.decode()

    response = client.post(LOGIN, {"account": owner.phone, "password": PASSWORD})
    assert response.url == LINK
    assert "绑定微信" in client.get(LINK).content.decode()
    assert WeChatLink.objects.count() == 0

    assert client.post(LINK, {"answer": "yes"}).url == "/training/"
    link = WeChatLink.objects.get()
    assert (link.person, link.openid) == (owner, OPENID)
    assert AuditEntry.objects.get().action == "wechat.linked"


def test_who_does_not_want_to_is_not_linked(client, wechat, owner):
    come_back(client, wechat, next_url="/training/")
    client.post(LOGIN, {"account": owner.phone, "password": PASSWORD})

    assert client.post(LINK, {"answer": "no"}).url == "/training/"

    assert WeChatLink.objects.count() == 0
    assert client.get(LINK).url == reverse("accounts:profile")


@pytest.mark.parametrize("state", [{"state": "forged"}, {"state": "状态"}, {}])
def test_a_foreign_state_is_refused(client, wechat, owner, now, state):
    link_wechat(person=owner, openid=OPENID, now=now)
    client.get(START)

    response = client.get(CALLBACK, {"code": wechat.make_code(OPENID), **state})

    assert response.url == LOGIN
    assert SESSION_KEY not in client.session


def test_a_state_works_once(client, wechat, owner, now):
    link_wechat(person=owner, openid=OPENID, now=now)
    state = parse_qs(urlsplit(client.get(START).url).query)["state"][0]
    client.get(CALLBACK, {"code": "wrong", "state": state})

    client.get(CALLBACK, {"code": wechat.make_code(OPENID), "state": state})

    assert SESSION_KEY not in client.session


def test_without_a_start_there_is_no_login(client, wechat, owner, now):
    link_wechat(person=owner, openid=OPENID, now=now)

    client.get(CALLBACK, {"code": wechat.make_code(OPENID), "state": ""})

    assert SESSION_KEY not in client.session


def test_a_wrong_code_is_said_kindly(client, wechat):
    state = parse_qs(urlsplit(client.get(START).url).query)["state"][0]

    response = client.get(CALLBACK, {"code": "wrong", "state": state}, follow=True)

    assert "微信授权未完成" in response.content.decode()


def test_a_link_opens_no_closed_account(client, wechat, now):
    person = UserFactory(closed=True)
    link_wechat(person=person, openid=OPENID, now=now)

    assert come_back(client, wechat).url == LOGIN
    assert SESSION_KEY not in client.session


def test_no_open_redirect(client, wechat, owner, now):
    link_wechat(person=owner, openid=OPENID, now=now)

    response = come_back(client, wechat, next_url="//evil.example/")

    assert response.url == reverse("dashboard")


def test_who_is_logged_in_goes_on(client_of, owner, sandbox):
    assert client_of(owner).get(START, {"next": "/training/"}).url == "/training/"


def test_without_an_account_of_wechat_there_is_no_such_page(client, settings):
    settings.WECHAT = {**settings.WECHAT, "app_id": ""}

    assert client.get(START).status_code == 404


@pytest.mark.parametrize(
    ("agent", "is_offered"), [("MicroMessenger/8.0", True), ("", False)]
)
def test_the_button_is_for_pages_inside_wechat(client, agent, is_offered):
    html = client.get(LOGIN, headers={"User-Agent": agent}).content.decode()

    assert (START in html) is is_offered


def test_wechat_that_does_not_answer(settings):
    settings.WECHAT = {**settings.WECHAT, "api_base": "http://127.0.0.1:9"}

    with pytest.raises(WeChatError):
        fetch_openid(code="any")


# --- Links ---------------------------------------------------------------------------------
def test_one_link_for_a_person_and_for_a_wechat(owner, stranger, now):
    link_wechat(person=owner, openid=OPENID, now=now)
    link_wechat(person=owner, openid=OTHER_OPENID, now=now)
    link_wechat(person=stranger, openid=OTHER_OPENID, now=now)

    assert find_linked_person(openid=OPENID) is None
    assert find_linked_person(openid=OTHER_OPENID) == stranger
    assert WeChatLink.objects.count() == 1


def test_a_link_can_be_taken_away(client_of, owner, now):
    link_wechat(person=owner, openid=OPENID, now=now)

    client_of(owner).post(UNLINK)

    assert WeChatLink.objects.count() == 0
    assert AuditEntry.objects.latest("position").action == "wechat.unlinked"
    unlink_wechat(person=owner, now=now)
    assert AuditEntry.objects.count() == 2


def test_a_stranger_takes_away_no_link(client_of, owner, stranger, now):
    link_wechat(person=owner, openid=OPENID, now=now)

    client_of(stranger).post(UNLINK)

    assert find_linked_person(openid=OPENID) == owner


# --- The menu ------------------------------------------------------------------------------
def test_the_menu_is_published(wechat):
    publish()

    buttons = wechat.menu["menu"]["button"]
    assert [button["name"] for button in buttons] == ["继续教育", "我的学习", "服务"]
    education = buttons[0]["sub_button"]
    assert [entry["name"] for entry in education[:2]] == ["公需科目", "专业科目"]
    assert education[0]["url"] == (
        f"{SITE}{START}?next=%2Fplans%2F%3Fsubject%3Dgeneral"
    )


def test_a_menu_as_wechat_takes_it():
    menu = build_menu(site_url=SITE, login_path=START)

    assert len(menu["button"]) <= 3
    for button in menu["button"]:
        assert 1 <= len(button["sub_button"]) <= 5
        for entry in button["sub_button"]:
            assert entry["type"] == "view"
            assert entry["url"].startswith(f"{SITE}/")
            assert len(entry["name"].encode()) <= 60


def test_every_entry_of_the_menu_opens(client_of, owner):
    client = client_of(owner)

    for button in build_menu(site_url="", login_path=START)["button"]:
        for entry in button["sub_button"]:
            way = urlsplit(entry["url"])
            page = parse_qs(way.query)["next"][0] if way.path == START else way.path
            assert (page, client.get(page).status_code) == (page, 200)


def test_the_token_is_shared_and_encrypted_in_the_cache(wechat, settings):
    publish()

    key = f"accounts.wechat:{settings.WECHAT['app_id']}_access_token"
    sealed = cache.get(key)
    assert b"SANDBOX" not in sealed
    wechat_token = sealed
    publish()
    assert cache.get(key) == wechat_token


def test_a_token_that_ended_is_fetched_anew(wechat):
    publish()
    wechat.expire_tokens()

    publish()

    assert wechat.menu is not None


def test_a_wrong_secret(wechat, settings):
    settings.WECHAT = {**settings.WECHAT, "app_secret": "wrong"}

    with pytest.raises(WeChatError):
        publish()


def test_the_command_says_what_it_published(wechat, capsys):
    call_command("wechat_menu")

    assert "继续教育：公需科目、专业科目" in capsys.readouterr().out


def test_the_command_without_an_account(settings):
    settings.WECHAT = {**settings.WECHAT, "app_id": ""}

    with pytest.raises(CommandError, match="未配置微信服务号"):
        call_command("wechat_menu")


def test_the_task_publishes(wechat):
    publish_wechat_menu()

    assert wechat.menu is not None
