"""While too many passwords wait: said at once, alike for everybody, and counted for nobody."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import PersonSession, ThrottleCounter
from accounts.services import login as login_service
from portal.lib.password_hashing import HashingBusyError

LOGIN = "/accounts/login/"


@pytest.fixture
def _busy(monkeypatch: Any) -> None:
    def refuse(*_given: object) -> bool:
        raise HashingBusyError

    monkeypatch.setattr("accounts.models.User.check_password", refuse)
    monkeypatch.setattr(login_service, "check_password", refuse)


def tries() -> list[int]:
    return list(ThrottleCounter.objects.values_list("count", flat=True))


@pytest.mark.usefixtures("_busy")
def test_the_login_says_so_alike_for_everybody(client: Client, owner: Any):
    answers = [
        client.post(LOGIN, {"account": account, "password": "any-password-2026"})
        for account in (owner.username, "nobody-at-all")
    ]

    for response in answers:
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "5"
        assert "登录人数较多，请稍候再试" in response.content.decode()
    assert PersonSession.objects.count() == 0
    assert set(tries()) == {0}


@pytest.mark.usefixtures("_busy")
def test_a_confirmation_is_not_counted_either(owner: Any, client_of: Any):
    response = client_of(owner).post(
        "/accounts/password-change/",
        {
            "present": "any-password-2026",
            "password": "another-password-2026",
            "password_again": "another-password-2026",
        },
    )

    assert response.status_code == 503
    assert set(tries()) == {0}


@pytest.mark.usefixtures("_busy")
def test_scripts_are_told_without_a_page(client: Client, owner: Any):
    response = client.post(
        LOGIN,
        {"account": owner.username, "password": "any-password-2026"},
        headers={"Accept": "application/json"},
    )

    assert response.status_code == 503
    assert response.json()["error"] == "登录人数较多，请稍候再试"
