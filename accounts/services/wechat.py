"""The WeChat service account through wechatpy: who is it, and the menu below the chat.

wechatpy 1.8.18 has the addresses of WeChat written into it, no timeout in its OAuth, a
token store for one process only, and does not know the stable token. All four are mended
here, from outside.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import requests
from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatException
from wechatpy.oauth import WeChatOAuth
from wechatpy.session import SessionStorage

from accounts.errors import WeChatError
from accounts.locks import lock_person
from accounts.models import User, WeChatLink
from accounts.personal_data import cipher
from accounts.rules.wechat_menu import build_menu
from accounts.services.audit import record_audit

logger = logging.getLogger(__name__)

API = "https://api.weixin.qq.com"
TIMEOUT_SECONDS = 8
# Wrong, unknown or expired access token: fetch another one and try once more.
TOKEN_ERRORS = (40001, 40014, 42001)

Result = TypeVar("Result")


class _Adapter(HTTPAdapter):
    """Gives every call a timeout, and sends it to the configured host."""

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        base = settings.WECHAT["api_base"].rstrip("/")
        if request.url is not None and base != API:
            request.url = request.url.replace(API, base, 1)
            # Chosen for WeChat's host, wrong for this one.
            kwargs["proxies"] = {}
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = TIMEOUT_SECONDS
        return super().send(request, **kwargs)


class _CachedSession(SessionStorage):  # type: ignore[misc]
    """wechatpy's token store over the shared cache: all workers use one token, encrypted."""

    def get(self, key: str, default: Any = None) -> Any:
        sealed = cache.get(self._name(key))
        if sealed is None:
            return default
        try:
            return cipher().decrypt(sealed, context=self._name(key))
        except (InvalidTag, KeyError):
            return default

    def set(self, key: str, value: str, ttl: int | None = None) -> None:
        sealed = cipher().encrypt(value, context=self._name(key))
        cache.set(self._name(key), sealed, ttl)

    def delete(self, key: str) -> None:
        cache.delete(self._name(key))

    @staticmethod
    def _name(key: str) -> str:
        return f"accounts.wechat:{key}"


class _Client(WeChatClient):  # type: ignore[misc]
    def __init__(self) -> None:
        account = settings.WECHAT
        super().__init__(
            account["app_id"],
            account["app_secret"],
            session=_CachedSession(),
            timeout=TIMEOUT_SECONDS,
            auto_retry=False,
        )
        self._http.mount("https://", _Adapter())

    def fetch_access_token(self, *, force: bool = False) -> dict[str, Any]:
        """The stable token: the same for everybody who asks while it is valid."""
        answer = self._http.post(
            f"{API}/cgi-bin/stable_token",
            json={
                "grant_type": "client_credential",
                "appid": self.appid,
                "secret": self.secret,
                "force_refresh": force,
            },
        ).json()
        if answer.get("errcode"):
            raise WeChatException(answer["errcode"], answer.get("errmsg", ""))
        # Given up a minute early, so that it does not end on its way.
        lifetime = max(int(answer["expires_in"]) - 60, 1)
        self.session.set(self.access_token_key, answer["access_token"], lifetime)
        return dict(answer)


class _OAuth(WeChatOAuth):  # type: ignore[misc]
    def __init__(self, *, redirect_uri: str, state: str) -> None:
        account = settings.WECHAT
        # An instance attribute, since settings may differ between tests.
        self.OAUTH_BASE_URL = account["oauth_base"].rstrip("/") + "/connect/"
        super().__init__(
            account["app_id"],
            account["app_secret"],
            redirect_uri,
            scope="snsapi_base",
            state=state,
        )
        self._http.mount("https://", _Adapter())


def is_wechat_configured() -> bool:
    return bool(settings.WECHAT["app_id"] and settings.WECHAT["app_secret"])


def make_authorize_url(*, redirect_uri: str, state: str) -> str:
    """Where the browser goes to be recognised; `state` comes back and must be compared."""
    return str(_OAuth(redirect_uri=redirect_uri, state=state).authorize_url)


def fetch_openid(*, code: str) -> str:
    """The OpenID behind a code of WeChat's redirect. Raises `WeChatError`."""
    oauth = _OAuth(redirect_uri="", state="")
    answer = _call(lambda: oauth.fetch_access_token(code))
    return str(answer["openid"])


def publish_menu(*, site_url: str, login_path: str) -> dict[str, Any]:
    """Write the service account's menu and return it. Raises `WeChatError`."""
    menu = build_menu(site_url=site_url, login_path=login_path)
    client = _Client()

    def create() -> None:
        try:
            client.menu.create(menu)
        except WeChatException as error:
            if error.errcode not in TOKEN_ERRORS:
                raise
            client.fetch_access_token(force=True)
            client.menu.create(menu)

    _call(create)
    return menu


def find_linked_person(*, openid: str) -> User | None:
    """The person who linked this WeChat account and may log in."""
    link = WeChatLink.objects.select_related("person").filter(openid=openid).first()
    return link.person if link is not None and link.person.may_log_in else None


@transaction.atomic
def link_wechat(*, person: User, openid: str, now: datetime) -> WeChatLink:
    """Let this WeChat account log in as the person, in place of any other link of either."""
    lock_person(person.pk)
    WeChatLink.objects.filter(openid=openid).exclude(person=person).delete()
    link, _ = WeChatLink.objects.update_or_create(
        person=person, defaults={"openid": openid, "linked_at": now}
    )
    record_audit(
        action="wechat.linked", target=f"user:{person.code}", actor=person, now=now
    )
    return link


@transaction.atomic
def unlink_wechat(*, person: User, now: datetime) -> None:
    """Take the link away; without one nothing happens."""
    deleted, _ = WeChatLink.objects.filter(person=person).delete()
    if deleted:
        record_audit(
            action="wechat.unlinked",
            target=f"user:{person.code}",
            actor=person,
            now=now,
        )


def _call(call: Callable[[], Result]) -> Result:
    """Map whatever WeChat, wechatpy and the network can do wrong to one error."""
    try:
        return call()
    except WeChatException as error:
        logger.warning("wechat refused", extra={"errcode": error.errcode})
        raise WeChatError from error
    except (requests.RequestException, ValueError, KeyError) as error:
        logger.warning("wechat unreachable", extra={"error": type(error).__name__})
        raise WeChatError from error
