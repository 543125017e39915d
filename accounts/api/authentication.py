"""Who calls the API from an app: the holder of a token, in the header Authorization.

No browser adds that header by itself, so such a request wants no CSRF token.
"""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.errors import AppLoginOverError
from accounts.models import PersonSession, User
from accounts.services.app_logins import use_app_login
from portal.lib.problems import ProblemError

SCHEME = "Bearer"


def read_token(request: HttpRequest | Request) -> str | None:
    """The token in the header, None where there is no such header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == SCHEME.lower() else None


def find_app_person(request: HttpRequest) -> User | None:
    """Who asks for a file with a token: players of apps send it along as with the API."""
    token = read_token(request)
    try:
        session = use_app_login(token=token, now=timezone.now()) if token else None
    except AppLoginOverError:
        return None
    return session.person if session else None


class AppAuthentication(BaseAuthentication):
    """A token that was sent decides: where its login is over no cookie helps."""

    def authenticate(self, request: Request) -> tuple[User, PersonSession] | None:
        token = read_token(request)
        if token is None:
            return None
        try:
            session = use_app_login(token=token, now=timezone.now())
        except AppLoginOverError as error:
            problem = ProblemError(status=401, code="login_required", title=str(error))
            problem.auth_header = SCHEME
            raise problem from error
        return session.person, session

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class AppScheme(OpenApiAuthenticationExtension):
    """How the schema describes it."""

    target_class = AppAuthentication
    name = "app"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": SCHEME.lower(),
            "description": "POST /api/v1/login/ 得到的令牌。不需要 CSRF 令牌，也不必带 Cookie。",
        }
