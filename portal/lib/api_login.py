"""Who calls the API from a browser: its login, with the CSRF token on whatever changes things."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from portal.lib.problems import TITLES, ProblemError


class LoginAuthentication(SessionAuthentication):
    """Sessions as everywhere in the portal; nobody is answered 401, a missing token 403."""

    def authenticate_header(self, request: Request) -> str:
        # Its presence alone makes the framework answer 401 in place of 403.
        return "Session"

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise ProblemError(
                status=403, code="csrf_failed", title=TITLES["csrf_failed"]
            ) from error


class LoginScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes it."""

    target_class = LoginAuthentication
    name = "login"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": (
                "登录后的会话 Cookie。会改变数据的请求还须带 X-CSRFToken 请求头，"
                f"其值为 Cookie {settings.CSRF_COOKIE_NAME} 的内容。"
            ),
        }
