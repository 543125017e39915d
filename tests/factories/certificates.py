"""Certificates for tests, made by the services: a row, and with `rendered` its paper too."""

from datetime import datetime

from accounts.models import User
from certificates.models import CertificateIssue
from certificates.services import issue_certificate, render_issue
from learning.models import Enrolment
from tests.clock import at
from tests.factories.accounts import UserFactory
from tests.factories.learning import EnrolmentFactory

ISSUED_AT = at("2026-06-15 10:00")


def make_completed(person: User | None = None, **plan: object) -> Enrolment:
    """A finished plan of a person with a complete profile; keywords describe the plan."""
    person = person or UserFactory(name="欧阳建国", with_profile=True)
    fields = {f"plan__{name}": value for name, value in plan.items()}
    enrolment: Enrolment = EnrolmentFactory(person=person, completed=True, **fields)
    return enrolment


def make_issue(
    person: User | None = None,
    *,
    rendered: bool = False,
    now: datetime = ISSUED_AT,
    **plan: object,
) -> CertificateIssue:
    """The first version of a certificate."""
    enrolment = make_completed(person, **plan)
    issue = issue_certificate(enrolment=enrolment, actor=enrolment.person, now=now)
    return render(issue, now=now) if rendered else issue


def render(issue: CertificateIssue, *, now: datetime = ISSUED_AT) -> CertificateIssue:
    """The issue with its paper made."""
    ready = render_issue(issue_id=issue.pk, now=now)
    assert ready is not None
    assert ready.state == CertificateIssue.State.READY, ready.failure
    return ready


def read_file(issue: CertificateIssue) -> bytes:
    """The stored paper."""
    with issue.file.open("rb") as file:
        content: bytes = file.read()
    return content
