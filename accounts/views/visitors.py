"""What the views ask of a request: who, from where, with which browser, back to where."""

import secrets
from typing import cast

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from portal.lib.addresses import client_address

BROWSER_KEY = "accounts_browser"


def get_person(request: HttpRequest) -> User:
    """The person behind a view that asks for a login."""
    return cast(User, request.user)


def get_posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: also a POST without any field, no other request."""
    return request.POST if request.method == "POST" else None


def get_address(request: HttpRequest) -> str:
    return client_address(request.META, trusted_proxies=settings.TRUSTED_PROXY_COUNT)


def get_browser(request: HttpRequest) -> str:
    """A secret of this browser's session: codes and drafts are bound to it."""
    if BROWSER_KEY not in request.session:
        request.session[BROWSER_KEY] = secrets.token_urlsafe(24)
    return str(request.session[BROWSER_KEY])


def get_next_url(request: HttpRequest, *, default: str) -> str:
    """Where the visitor wanted to go, as an address of this site or a name of a page."""
    url = request.POST.get("next") or request.GET.get("next", "")
    is_own = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if url and is_own else resolve_url(default)


def is_wechat(request: HttpRequest) -> bool:
    """Whether the page is shown inside WeChat."""
    return "MicroMessenger" in request.headers.get("User-Agent", "")
