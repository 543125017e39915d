import re

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest
from django.template import TemplateDoesNotExist
from django.test import Client
from django.urls import path

from portal import errors
from portal.middleware import get_request_id
from portal.urls import urlpatterns as portal_urlpatterns

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error


def refuse(request: HttpRequest) -> None:
    raise PermissionDenied


def suspect(request: HttpRequest) -> None:
    raise SuspiciousOperation


def break_down(request: HttpRequest, token: str = "") -> None:
    raise RuntimeError("secret detail")


urlpatterns = [
    path("refuse", refuse),
    path("suspect", suspect),
    path("break", break_down),
    path("break/<slug:token>/", break_down),
    *portal_urlpatterns,
]

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def visitor():
    """A client that gets error pages instead of the exceptions behind them."""
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "title"),
    [
        ("/suspect", 400, "请求无法识别"),
        ("/refuse", 403, "您没有权限访问此页面"),
        ("/missing", 404, "您访问的页面不存在"),
        ("/break", 500, "系统出现故障"),
    ],
)
def test_error_pages_are_friendly_numbered_and_ask_no_database(
    visitor, address, status, title
):
    """No `db` mark: a query would fail the test."""
    response = visitor.get(address)

    page = response.content.decode()
    assert response.status_code == status
    assert f"<h1>{title}</h1>" in page
    assert f"<code>{response['X-Request-ID']}</code>" in page
    assert response["Cache-Control"] == "no-store"
    assert "secret detail" not in page
    assert re.search(r'<link rel="stylesheet"[^>]*site\.css', page)


def test_a_form_without_its_token_is_told_to_reload():
    response = Client(enforce_csrf_checks=True).post("/refuse", {})

    assert response.status_code == 403
    assert "页面已过期，请刷新后重试" in response.content.decode()


def test_machines_get_json(visitor):
    response = visitor.get("/break", headers={"Accept": "application/json"})

    assert response.status_code == 500
    assert response.json() == {
        "error": "系统出现故障",
        "reference": response["X-Request-ID"],
    }


@pytest.mark.parametrize(
    "fault", [TemplateDoesNotExist("500.html"), ValueError("no manifest entry")]
)
def test_a_broken_error_page_still_says_the_number(visitor, monkeypatch, fault):
    def fail(_name: str) -> None:
        raise fault

    monkeypatch.setattr(errors.loader, "get_template", fail)

    response = visitor.get("/break")

    page = response.content.decode()
    assert response.status_code == 500
    assert "系统出现故障" in page
    assert response["X-Request-ID"] in page


def test_a_request_that_met_no_middleware_has_no_number():
    assert get_request_id(HttpRequest()) == "-"


def test_the_address_of_a_form_says_that_it_is_one(visitor):
    """No `db` mark: whoever comes here after a login has to read something."""
    response = visitor.get("/accounts/profile/username/")

    page = response.content.decode()
    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert "<h1>此地址不能直接打开</h1>" in page
    assert f"<code>{response['X-Request-ID']}</code>" in page


def test_machines_read_of_a_wrong_method_in_json(visitor):
    response = visitor.get(
        "/accounts/profile/username/", headers={"Accept": "application/json"}
    )

    assert response.status_code == 405
    assert response.json()["error"] == "此地址不能直接打开"
