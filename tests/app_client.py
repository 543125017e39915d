"""An app in tests: a client that sends a token with each request and keeps no cookie."""

from datetime import datetime

from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services.app_logins import begin_app_login


def app_of(person: User, *, now: datetime | None = None) -> Client:
    """A new login of this person; CSRF is checked, as everywhere outside tests."""
    login = begin_app_login(
        person=person, device="我的手机", address="", now=now or timezone.now()
    )
    return with_token(login.token)


def with_token(token: str) -> Client:
    return Client(
        enforce_csrf_checks=True, headers={"authorization": f"Bearer {token}"}
    )
