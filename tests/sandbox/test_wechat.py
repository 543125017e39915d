"""The simulated service account through the unmodified wechatpy."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from portal.sandbox import SandboxServer
from portal.sandbox.wechat import AUTHORIZE_PATH, PEOPLE

MENU = {
    "button": [
        {
            "name": "继续教育",
            "sub_button": [
                {"type": "view", "name": "公需科目", "url": "https://portal/g"},
                {"type": "view", "name": "专业科目", "url": "https://portal/p"},
            ],
        }
    ]
}


class Client(WeChatClient):  # type: ignore[misc]
    """wechatpy has the token's address hard-coded."""

    def fetch_access_token(self) -> Any:
        return self._fetch_access_token(
            url=f"{self.API_BASE_URL}cgi-bin/token",
            params={
                "grant_type": "client_credential",
                "appid": self.appid,
                "secret": self.secret,
            },
        )


@pytest.fixture
def client(sandbox: SandboxServer) -> Iterator[Client]:
    account = sandbox.wechat.account
    client = Client(account.app_id, account.app_secret)
    client.API_BASE_URL = f"{sandbox.url}/"
    for api in (client.menu, client.jsapi, client.message):
        api.API_BASE_URL = f"{sandbox.url}/cgi-bin/"
    yield client
    sandbox.wechat.expire_tokens()
    sandbox.wechat._store.delete("wechat", "menu")


def authorize_url(sandbox: SandboxServer, **changes: str) -> str:
    query = {
        "appid": sandbox.wechat.account.app_id,
        "redirect_uri": "https://portal/wechat/callback/?next=%2Fspace%2F",
        "response_type": "code",
        "scope": "snsapi_userinfo",
        "state": "s123",
    }
    return f"{sandbox.url}{AUTHORIZE_PATH}?{urlencode(query | changes)}"


def get(sandbox: SandboxServer, path: str, **query: str) -> Any:
    return requests.get(f"{sandbox.url}{path}", query, timeout=5).json()


def trade(sandbox: SandboxServer, code: str, **changes: str) -> Any:
    account = sandbox.wechat.account
    query = {"appid": account.app_id, "secret": account.app_secret, "code": code}
    return get(sandbox, "/sns/oauth2/access_token", **(query | changes))


def test_menu_is_made_shown_and_removed(client: Client) -> None:
    client.menu.create(MENU)
    assert client.menu.get()["menu"] == MENU

    client.menu.delete()
    # wechatpy's word for 46003, "menu no exist".
    assert client.menu.get() is None


def test_expired_token_is_fetched_anew(client: Client, sandbox: SandboxServer) -> None:
    client.menu.create(MENU)
    sandbox.wechat.expire_tokens()

    client.menu.create(MENU)

    assert sandbox.wechat.menu == {"menu": MENU}


def test_ticket_for_the_page_script(client: Client) -> None:
    assert client.jsapi.get_ticket()["ticket"].startswith("SANDBOX_TICKET_")


def test_message_is_recorded(client: Client, sandbox: SandboxServer) -> None:
    before = len(sandbox.wechat.messages)
    client.message.send_template(PEOPLE[0].openid, "T1", {"a": {"value": "b"}})

    [message] = sandbox.wechat.messages[before:]
    assert message["path"] == "/cgi-bin/message/template/send"
    assert message["body"]["touser"] == PEOPLE[0].openid


def test_message_to_nobody_is_refused(client: Client) -> None:
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_template("oNOBODY", "T1", {})

    assert refused.value.errcode == 40003


def test_stable_token_stays_the_same(sandbox: SandboxServer) -> None:
    account = sandbox.wechat.account
    body = {
        "grant_type": "client_credential",
        "appid": account.app_id,
        "secret": account.app_secret,
    }
    url = f"{sandbox.url}/cgi-bin/stable_token"

    first = requests.post(url, json=body, timeout=5).json()
    second = requests.post(url, json=body, timeout=5).json()
    forced = requests.post(url, json=body | {"force_refresh": True}, timeout=5).json()

    assert first["access_token"] == second["access_token"]
    assert forced["access_token"] != first["access_token"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"appid": "wx9"}, 40013), ({"secret": "x"}, 40125), ({"grant_type": "x"}, 40002)],
)
def test_token_needs_the_account(
    sandbox: SandboxServer, changes: dict[str, str], code: int
) -> None:
    account = sandbox.wechat.account
    query = {
        "grant_type": "client_credential",
        "appid": account.app_id,
        "secret": account.app_secret,
    }

    assert get(sandbox, "/cgi-bin/token", **(query | changes))["errcode"] == code


def test_consent_page_lets_choose_a_person(sandbox: SandboxServer) -> None:
    page = requests.get(authorize_url(sandbox), timeout=5)

    assert "模拟微信授权·非真实微信" in page.text
    assert all(person.nickname in page.text for person in PEOPLE)
    assert (
        "form-action 'self' https://portal" in (page.headers["Content-Security-Policy"])
    )


def consent(sandbox: SandboxServer, openid: str, **changes: str) -> requests.Response:
    return requests.post(
        authorize_url(sandbox, **changes),
        {"person": openid},
        allow_redirects=False,
        timeout=5,
    )


def test_consent_leads_back_with_a_code_for_one_use(sandbox: SandboxServer) -> None:
    person = PEOPLE[1]

    location = consent(sandbox, person.openid).headers["Location"]

    query = parse_qs(urlsplit(location).query)
    assert location.startswith("https://portal/wechat/callback/?next=%2Fspace%2F&")
    assert query["state"] == ["s123"]
    token = trade(sandbox, query["code"][0])
    assert token["openid"] == person.openid
    info = get(
        sandbox,
        "/sns/userinfo",
        access_token=token["access_token"],
        openid=person.openid,
    )
    assert info["nickname"] == person.nickname
    assert trade(sandbox, query["code"][0])["errcode"] == 40029


def test_silent_scope_shows_no_page_and_no_profile(sandbox: SandboxServer) -> None:
    url = authorize_url(sandbox, scope="snsapi_base")

    response = requests.get(url, allow_redirects=False, timeout=5)

    code = parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]
    token = trade(sandbox, code)
    info = get(
        sandbox,
        "/sns/userinfo",
        access_token=token["access_token"],
        openid=token["openid"],
    )
    assert response.status_code == 303
    assert token["openid"] == PEOPLE[0].openid
    assert info["errcode"] == 48001


def test_silent_scope_remembers_the_person(sandbox: SandboxServer) -> None:
    cookie = consent(sandbox, PEOPLE[2].openid).headers["Set-Cookie"]
    url = authorize_url(sandbox, scope="snsapi_base")
    headers = {"Cookie": cookie.partition(";")[0]}

    response = requests.get(url, headers=headers, allow_redirects=False, timeout=5)

    code = parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]
    assert trade(sandbox, code)["openid"] == PEOPLE[2].openid


def test_refusal_leads_nowhere(sandbox: SandboxServer) -> None:
    response = consent(sandbox, "")

    assert response.status_code == 200
    assert "Location" not in response.headers
    assert "已拒绝授权" in response.text


@pytest.mark.parametrize(
    "changes",
    [
        {"appid": "wx9"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "/relative"},
        {"response_type": "token"},
        {"scope": "snsapi_login"},
    ],
)
def test_wrong_authorisation_requests_are_refused(
    sandbox: SandboxServer, changes: dict[str, str]
) -> None:
    assert requests.get(authorize_url(sandbox, **changes), timeout=5).status_code == 400
    assert consent(sandbox, PEOPLE[0].openid, **changes).status_code == 400


def test_code_is_for_the_account_that_asked(sandbox: SandboxServer) -> None:
    code = sandbox.wechat.make_code(PEOPLE[0].openid)

    assert trade(sandbox, code, secret="x")["errcode"] == 40125
    assert trade(sandbox, code)["openid"] == PEOPLE[0].openid
