"""WeChat's service account on loopback: the paths of api.weixin.qq.com that the portal
calls, and the consent page of open.weixin.qq.com.

People are synthetic and fixed, so that one of them can be linked to an account and come back.
"""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit, urlunsplit

from portal.sandbox.store import Document, Store
from portal.sandbox.wire import (
    Answer,
    Handler,
    Request,
    Route,
    answer_json,
    origin_of,
    redirect,
    render,
)

AUTHORIZE_PATH = "/connect/oauth2/authorize"
TOKEN_PATH = "/cgi-bin/token"  # noqa: S105 - a path
STABLE_TOKEN_PATH = "/cgi-bin/stable_token"  # noqa: S105 - a path

TOKEN_SECONDS = 7200
CODE_SECONDS = 300
# Remembers who consented, for the silent scope.
PERSON_COOKIE = "wechat_person"
SCOPES = ("snsapi_base", "snsapi_userinfo")

# Calls with a bearer token that are only recorded: path and kind of the stored document.
MESSAGE_PATHS = (
    "/cgi-bin/message/template/send",
    "/cgi-bin/message/subscribe/bizsend",
    "/cgi-bin/message/custom/send",
)


@dataclass(frozen=True)
class WeChatPerson:
    openid: str
    nickname: str


PEOPLE = (
    WeChatPerson("oSANDBOX0000000000000000001", "山城小李"),
    WeChatPerson("oSANDBOX0000000000000000002", "江北老王"),
    WeChatPerson("oSANDBOX0000000000000000003", "两江学员"),
)


@dataclass(frozen=True)
class WeChatAccount:
    app_id: str
    app_secret: str


def _show_error(text: str) -> Answer:
    texts = {"code": "10003", "msg": "", "sub_code": "10003", "sub_msg": text}
    return render("error.html", texts, status=HTTPStatus.BAD_REQUEST)


class ApiError(Exception):
    """An `errcode` other than 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = {"errcode": code, "errmsg": message}


def find_person(openid: str) -> WeChatPerson | None:
    return next((person for person in PEOPLE if person.openid == openid), None)


class WeChatSimulator:
    """Tokens, menu, messages, OAuth. WeChat answers 200 whatever is wrong."""

    def __init__(self, store: Store, account: WeChatAccount) -> None:
        self.account = account
        self._store = store

    @property
    def routes(self) -> list[Route]:
        recorded: list[Route] = [
            ("POST", f"({re.escape(path)})", self._guard(self._record_message))
            for path in MESSAGE_PATHS
        ]
        return [
            ("GET", TOKEN_PATH, self._guard(self._get_token)),
            ("POST", STABLE_TOKEN_PATH, self._guard(self._get_stable_token)),
            ("GET", "/cgi-bin/ticket/getticket", self._guard(self._get_ticket)),
            ("POST", "/cgi-bin/menu/create", self._guard(self._create_menu)),
            ("GET", "/cgi-bin/menu/get", self._guard(self._get_menu)),
            ("GET", "/cgi-bin/menu/delete", self._guard(self._delete_menu)),
            ("GET", "/sns/oauth2/access_token", self._guard(self._trade_code)),
            ("GET", "/sns/userinfo", self._guard(self._get_user_info)),
            ("GET", AUTHORIZE_PATH, self.show_consent),
            ("POST", AUTHORIZE_PATH, self.submit_consent),
            *recorded,
        ]

    # --- What tests ask --------------------------------------------------------------

    @property
    def menu(self) -> Document | None:
        return self._store.get("wechat", "menu")

    @property
    def messages(self) -> list[Document]:
        return list(self._store.list("wechat message").values())

    def make_code(self, openid: str, scope: str = "snsapi_base") -> str:
        """Return an OAuth code, as the consent page hands it out: for one use."""
        code = secrets.token_urlsafe(24)
        body = {"openid": openid, "scope": scope, "until": time.time() + CODE_SECONDS}
        self._store.put("wechat code", code, body)
        return code

    def expire_tokens(self) -> None:
        """Make every bearer token invalid, as WeChat does after two hours."""
        self._store.delete("wechat", "token")
        self._store.delete("wechat", "stable token")

    # --- Tokens and tickets ----------------------------------------------------------

    def _get_token(self, request: Request) -> Document:
        query = request.query
        if query.get("grant_type") != "client_credential":
            raise ApiError(40002, "invalid grant_type")
        self._check_account(query.get("appid", ""), query.get("secret", ""))
        # Every call makes the token of the call before invalid.
        return self._issue_token("token")

    def _get_stable_token(self, request: Request) -> Document:
        body = request.json()
        if body.get("grant_type") != "client_credential":
            raise ApiError(40002, "invalid grant_type")
        self._check_account(str(body.get("appid", "")), str(body.get("secret", "")))
        known = self._store.get("wechat", "stable token")
        if known and known["until"] > time.time() and not body.get("force_refresh"):
            left = int(known["until"] - time.time())
            return {"access_token": known["value"], "expires_in": left}
        return self._issue_token("stable token")

    def _issue_token(self, kind: str) -> Document:
        value = "SANDBOX_" + secrets.token_urlsafe(32)
        until = time.time() + TOKEN_SECONDS
        self._store.put("wechat", kind, {"value": value, "until": until})
        return {"access_token": value, "expires_in": TOKEN_SECONDS}

    def _get_ticket(self, request: Request) -> Document:
        self._check_token(request)
        ticket = "SANDBOX_TICKET_" + secrets.token_urlsafe(24)
        return {
            "errcode": 0,
            "errmsg": "ok",
            "ticket": ticket,
            "expires_in": TOKEN_SECONDS,
        }

    def _check_account(self, app_id: str, secret: str) -> None:
        if app_id != self.account.app_id:
            raise ApiError(40013, "invalid appid")
        if not secrets.compare_digest(secret, self.account.app_secret):
            raise ApiError(40125, "invalid appsecret")

    def _check_token(self, request: Request) -> None:
        given = request.query.get("access_token", "")
        known = [self._store.get("wechat", kind) for kind in ("token", "stable token")]
        live = [entry for entry in known if entry and entry["value"] == given]
        if not live:
            raise ApiError(40001, "invalid credential, access_token is invalid")
        if live[0]["until"] < time.time():
            raise ApiError(42001, "access_token expired")

    # --- Menu and messages -----------------------------------------------------------

    def _create_menu(self, request: Request) -> Document:
        self._check_token(request)
        body = request.json()
        buttons = body.get("button")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
            raise ApiError(40017, "invalid button size")
        if any(len(entry.get("sub_button", [])) > 5 for entry in buttons):
            raise ApiError(40023, "invalid sub button size")
        self._store.put("wechat", "menu", {"menu": body})
        return {"errcode": 0, "errmsg": "ok"}

    def _get_menu(self, request: Request) -> Document:
        self._check_token(request)
        if self.menu is None:
            raise ApiError(46003, "menu no exist")
        return self.menu

    def _delete_menu(self, request: Request) -> Document:
        self._check_token(request)
        self._store.delete("wechat", "menu")
        return {"errcode": 0, "errmsg": "ok"}

    def _record_message(self, request: Request, path: str) -> Document:
        self._check_token(request)
        body = request.json()
        if find_person(str(body.get("touser", ""))) is None:
            raise ApiError(40003, "invalid openid")
        key = f"{time.time_ns():020d}"
        self._store.put("wechat message", key, {"path": path, "body": body})
        return {"errcode": 0, "errmsg": "ok", "msgid": int(key[-12:])}

    # --- OAuth -----------------------------------------------------------------------

    def show_consent(self, request: Request) -> Answer:
        query = request.query
        problem = self._find_problem(query)
        if problem:
            return _show_error(problem)
        if query["scope"] == "snsapi_base":
            # Silent: no page, the person who is logged in to WeChat.
            return self._return_to(
                query, self._read_cookie(request) or PEOPLE[0].openid
            )
        people = "".join(
            f'<button name="person" value="{person.openid}">'
            f"<b>{escape(person.nickname)}</b><span>{person.openid}</span></button>"
            for person in PEOPLE
        )
        return render(
            "consent.html",
            {"app_id": query["appid"], "scope": query["scope"]},
            markup={"people": people},
            form_sources=f"'self' {origin_of(query['redirect_uri'])}",
        )

    def submit_consent(self, request: Request) -> Answer:
        query = request.query
        openid = request.form.get("person", "")
        problem = self._find_problem(query)
        if problem:
            return _show_error(problem)
        if find_person(openid) is None:
            # WeChat only closes the page when the person refuses.
            return render("refused.html", {})
        return self._return_to(query, openid)

    def _find_problem(self, query: dict[str, str]) -> str:
        """Return what is wrong with an authorisation request, or nothing."""
        uri = urlsplit(query.get("redirect_uri", ""))
        is_address = uri.scheme in ("http", "https") and uri.netloc
        problems = {
            "appid 参数错误": query.get("appid") != self.account.app_id,
            "redirect_uri 参数错误": not is_address,
            "response_type 参数错误": query.get("response_type") != "code",
            "scope 参数错误": query.get("scope") not in SCOPES,
        }
        return next((text for text, is_wrong in problems.items() if is_wrong), "")

    def _return_to(self, query: dict[str, str], openid: str) -> Answer:
        code = self.make_code(openid, query["scope"])
        uri = urlsplit(query["redirect_uri"])
        extra = urlencode({"code": code, "state": query.get("state", "")})
        joined = f"{uri.query}&{extra}" if uri.query else extra
        url = urlunsplit((uri.scheme, uri.netloc, uri.path, joined, ""))
        return redirect(url, {PERSON_COOKIE: openid})

    @staticmethod
    def _read_cookie(request: Request) -> str:
        found = re.search(rf"{PERSON_COOKIE}=(\w+)", request.headers.get("cookie", ""))
        openid = found[1] if found else ""
        return openid if find_person(openid) else ""

    def _trade_code(self, request: Request) -> Document:
        query = request.query
        self._check_account(query.get("appid", ""), query.get("secret", ""))
        entry = self._store.delete("wechat code", query.get("code", ""))
        if entry is None or entry["until"] < time.time():
            raise ApiError(40029, "invalid code")
        token = "SANDBOX_USER_" + secrets.token_urlsafe(24)
        until = time.time() + TOKEN_SECONDS
        self._store.put("wechat user token", token, {**entry, "until": until})
        return {
            "access_token": token,
            "expires_in": TOKEN_SECONDS,
            "refresh_token": secrets.token_urlsafe(24),
            "openid": entry["openid"],
            "scope": entry["scope"],
        }

    def _get_user_info(self, request: Request) -> Document:
        token = request.query.get("access_token", "")
        entry = self._store.get("wechat user token", token)
        if entry is None or entry["until"] < time.time():
            raise ApiError(40001, "invalid credential")
        if entry["scope"] != "snsapi_userinfo":
            raise ApiError(48001, "api unauthorized")
        person = find_person(entry["openid"])
        if person is None or person.openid != request.query.get("openid"):
            raise ApiError(40003, "invalid openid")
        return {
            "openid": person.openid,
            "nickname": person.nickname,
            "sex": 0,
            "province": "",
            "city": "",
            "country": "",
            "headimgurl": "",
            "privilege": [],
        }

    @staticmethod
    def _guard(work: Callable[..., Document]) -> Handler:
        def handle(request: Request, *arguments: str) -> Answer:
            try:
                return answer_json(work(request, *arguments))
            except ApiError as error:
                return answer_json(error.answer)
            except ValueError:
                body = {"errcode": 47001, "errmsg": "data format error"}
                return answer_json(body, HTTPStatus.OK)

        return handle
