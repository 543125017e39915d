"""Every row lock of the app. Order: the enrolment, the certificate, its issue, the series."""

from datetime import datetime

from certificates.models import Certificate, CertificateIssue, NumberSeries
from learning.locks import lock_enrolment as lock_enrolment_row
from learning.models import Enrolment


def lock_enrolment(enrolment_id: int) -> Enrolment:
    """The enrolment, locked: two clicks on the same plan wait for each other here."""
    return lock_enrolment_row(enrolment_id)


def lock_certificate(certificate_id: int) -> Certificate:
    return Certificate.objects.select_for_update().get(pk=certificate_id)


def lock_issue(issue_id: int) -> CertificateIssue:
    return CertificateIssue.objects.select_for_update(of=("self",)).get(pk=issue_id)


def lock_claimable_issues(before: datetime, limit: int) -> list[CertificateIssue]:
    """Issues nobody has claimed since `before`, oldest first, skipping those just being claimed."""
    return list(
        CertificateIssue.objects.select_for_update(skip_locked=True)
        .claimable(before)
        .only("pk")
        .order_by("issued_at", "pk")[:limit]
    )


def lock_series(year: int, subject: str) -> NumberSeries:
    """The counter of a year and subject, made at first use; taken last, held shortly."""
    NumberSeries.objects.get_or_create(year=year, subject=subject)
    return NumberSeries.objects.select_for_update().get(year=year, subject=subject)
