"""Problems of the API that no view of it has raised: unknown addresses, ended logins, faults."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import PersonSession
from portal import errors
from portal.urls import urlpatterns as portal_urlpatterns

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error

RAISED: dict[str, type[Exception]] = {
    "missing": Http404,
    "denied": PermissionDenied,
    "broken": RuntimeError,
}


class Raising(APIView):
    permission_classes = []

    def get(self, request: Request, what: str) -> Response:
        raise RAISED[what]("secret detail")


urlpatterns = [
    path("api/v1/raise/<slug:what>/", Raising.as_view()),
    *portal_urlpatterns,
]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/api/v1/raise/missing/", 404, "not_found"),
        ("/api/v1/raise/denied/", 403, "permission_denied"),
        ("/api/v1/raise/broken/", 500, "error"),
        ("/api/v1/nothing/", 404, "not_found"),
        ("/api/v1/orders/?q=%00", 400, "bad_request"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/html,*/*"])
def test_every_fault_is_a_problem_with_a_reference(
    visitor: Client, address: str, status: int, code: str, accept: str
) -> None:
    response = visitor.get(address, headers={"accept": accept})

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "private, no-store"
    problem = response.json()
    assert problem["type"] == f"urn:portal:problem:{code}"
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["reference"] == response["X-Request-ID"]
    assert "secret" not in response.content.decode()


def test_login_that_has_ended_is_told_as_a_problem(owner: Any, client_of: Any) -> None:
    client = client_of(owner)
    PersonSession.objects.update(
        ended_at=timezone.now(), end_reason=PersonSession.EndReason.REPLACED
    )

    for method in (client.get, client.post):
        response = method("/api/v1/orders/")
        assert response.status_code == 401
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["code"] == "login_required"
