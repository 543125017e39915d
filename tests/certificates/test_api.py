"""Own certificates through the API."""

import pytest
from django.conf import settings
from django.test import Client

from certificates.models import Certificate
from tests.app_client import app_of
from tests.clock import at
from tests.factories.certificates import make_completed, make_issue

ADDRESS = "/api/v1/certificates/"

pytestmark = pytest.mark.django_db


def test_certificates_are_ones_own(owner, stranger):
    issue = make_issue(owner)
    make_completed(owner)
    make_issue(stranger)

    answer = app_of(owner).get(ADDRESS)

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    plan = issue.certificate.enrolment.plan
    assert answer.json() == [
        {
            "number": issue.certificate.number,
            "plan": plan.code,
            "plan_title": plan.title,
            "year": 2026,
            "subject": "general",
            "hours": 30,
            "state": "valid",
            "paper": "waiting",
            "version": 1,
            "issued_at": "2026-06-15T10:00:00+08:00",
            "verify_url": f"{settings.SITE_URL}/v/{issue.token}/",
        }
    ]


def test_nobody_has_none(client: Client):
    assert client.get(ADDRESS).status_code == 401


def test_one_that_was_revoked_says_so(owner):
    make_issue(owner)
    Certificate.objects.update(
        state="revoked",
        revoked_at=at("2026-06-16 10:00"),
        revocation_reason="信息有误",
    )

    [found] = app_of(owner).get(ADDRESS).json()

    assert found["state"] == "revoked"
