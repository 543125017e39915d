"""Rows of certificates: issued once for a completed plan, refreshed, revoked."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.personal_data import cipher
from accounts.services.audit import record_audit
from certificates import queries
from certificates.documents import TEMPLATE_VERSION
from certificates.errors import (
    CertificateRevokedError,
    NotCompletedError,
    NothingChangedError,
    ProfileIncompleteError,
    ReasonMissingError,
)
from certificates.locks import lock_certificate, lock_enrolment, lock_series
from certificates.models import Certificate, CertificateIssue
from certificates.rules import find_missing_details, format_number
from learning.models import Enrolment
from portal.lib.codes import random_code
from portal.lib.masks import mask_id_number

# 26 characters of base32 are 130 random bits: nobody finds one by trying.
TOKEN_LENGTH = 26
REASON_LENGTH = 200


@transaction.atomic
def issue_certificate(
    *, enrolment: Enrolment, actor: User | None, now: datetime
) -> CertificateIssue:
    """Issue the certificate of a completed plan and return its newest version.

    A second call returns what the first one made. Every printed value is copied here, in
    this transaction, and never changes; the paper itself is made by `render_issue`.

    Raises `NotCompletedError`, `CertificateRevokedError`, and `ProfileIncompleteError` with
    the names of the details that are missing.
    """
    enrolment = lock_enrolment(enrolment.pk)
    existing = Certificate.objects.filter(enrolment=enrolment).first()
    if existing is not None:
        if existing.state == Certificate.State.REVOKED:
            raise CertificateRevokedError
        return existing.issues.order_by("-version")[0]
    if enrolment.state != Enrolment.State.COMPLETED:
        raise NotCompletedError
    person = enrolment.person
    details = _require_details(person)
    certificate = Certificate.objects.create(
        number=_take_number(enrolment),
        enrolment=enrolment,
        person=person,
        issued_at=now,
    )
    issue = _add_version(certificate, person, details, version=1, now=now)
    record_audit(
        action="certificate.issued",
        target=f"certificate:{certificate.number}",
        actor=actor,
        now=now,
    )
    return issue


@transaction.atomic
def refresh_certificate(
    *, certificate: Certificate, actor: User | None, now: datetime
) -> CertificateIssue:
    """Add a version with the person's present details; earlier ones are kept as they are.

    Raises `NothingChangedError` when the paper would print the same, and the errors of
    `issue_certificate`.
    """
    certificate = lock_certificate(certificate.pk)
    if certificate.state == Certificate.State.REVOKED:
        raise CertificateRevokedError
    person = certificate.person
    details = _require_details(person)
    latest = certificate.issues.order_by("-version")[0]
    if _prints_the_same(latest, person, details):
        raise NothingChangedError
    issue = _add_version(
        certificate, person, details, version=latest.version + 1, now=now
    )
    record_audit(
        action="certificate.refreshed",
        target=f"certificate:{certificate.number}",
        actor=actor,
        now=now,
        detail={"version": issue.version},
    )
    return issue


@transaction.atomic
def revoke_certificate(
    *, certificate: Certificate, actor: User, reason: str, now: datetime
) -> Certificate:
    """Revoke a certificate for good; its verification page says so from now on.

    A file that was handed out keeps its valid signature: revocation lives here alone.
    Revoking again changes nothing. Raises `ReasonMissingError`.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissingError
    certificate = lock_certificate(certificate.pk)
    if certificate.state == Certificate.State.REVOKED:
        return certificate
    certificate.state = Certificate.State.REVOKED
    certificate.revoked_at, certificate.revoked_by = now, actor
    certificate.revocation_reason = reason[:REASON_LENGTH]
    certificate.save(
        update_fields=["state", "revoked_at", "revoked_by", "revocation_reason"]
    )
    record_audit(
        action="certificate.revoked",
        target=f"certificate:{certificate.number}",
        actor=actor,
        now=now,
    )
    return certificate


def _require_details(person: User) -> dict[str, str]:
    details = queries.describe_person(person)
    missing = find_missing_details(details)
    if not person.id_number:
        missing += ("证件号码",)
    if missing:
        raise ProfileIncompleteError(missing)
    return details


def _take_number(enrolment: Enrolment) -> str:
    plan = enrolment.plan
    series = lock_series(plan.year, plan.subject)
    series.last_number += 1
    series.save(update_fields=["last_number"])
    return format_number(
        year=plan.year, subject=plan.subject, serial=series.last_number
    )


def _add_version(
    certificate: Certificate,
    person: User,
    details: dict[str, str],
    *,
    version: int,
    now: datetime,
) -> CertificateIssue:
    token = random_code(TOKEN_LENGTH)
    issue = CertificateIssue(
        certificate=certificate,
        version=version,
        token=token,
        template_version=TEMPLATE_VERSION,
        printed=_freeze(certificate, person, details, token),
        issued_at=now,
        # The click that caused this wakes a worker; the sweep waits for it a little.
        claimed_at=now,
    )
    issue.id_number_cipher = cipher().encrypt(
        person.id_number, context=issue.id_number_context
    )
    issue.save(force_insert=True)
    return issue


def _freeze(
    certificate: Certificate, person: User, details: dict[str, str], token: str
) -> dict[str, Any]:
    """Return everything the paper prints, as text that no later change can reach."""
    host = urlsplit(settings.SITE_URL).netloc
    return {
        "number": certificate.number,
        "name": person.name,
        "id_number": mask_id_number(person.id_number),
        "has_full_id_number": settings.CERTIFICATE_FULL_ID_NUMBER,
        **details,
        **queries.describe_plan(certificate.enrolment.plan),
        "issuer": settings.CERTIFICATE_ISSUER,
        "issued_date": timezone.localdate(certificate.issued_at).isoformat(),
        "verify_url": settings.SITE_URL + reverse("certificates:verify", args=[token]),
        "lookup_address": host + reverse("certificates:lookup"),
    }


def _prints_the_same(
    issue: CertificateIssue, person: User, details: dict[str, str]
) -> bool:
    """Compare what belongs to the person; the plan's part of a certificate never changes."""
    present = {**details, "name": person.name}
    frozen = {name: issue.printed[name] for name in present}
    return frozen == present and issue.id_number == person.id_number
