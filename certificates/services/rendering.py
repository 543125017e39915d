"""Papers of issues: laid out, sealed, stored once. Every step may run twice or be killed."""

import hashlib
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_audit
from certificates import documents, queries
from certificates.locks import lock_claimable_issues, lock_issue
from certificates.models import CertificateIssue
from portal.lib.pdf import PaperError, UnprintableTextError

FAILURE_LENGTH = 200
# How long a worker may be busy with an issue before the sweep gives it to another. Making
# one takes a twentieth of a second; a queue before it may take longer, and twice is harmless.
CLAIM_LEASE = timedelta(seconds=60)


def render_issue(*, issue_id: int, now: datetime) -> CertificateIssue | None:
    """Make the paper of a waiting issue: lay out, seal, store, note its SHA-256.

    Does nothing for an issue that is ready or waits for staff, nor for one that is gone.
    Characters that cannot be printed put the issue into `needs_attention`; whatever else
    goes wrong is raised, and the sweep tries again.
    """
    issue = queries.find_issue(issue_id)
    if issue is None or issue.state != CertificateIssue.State.WAITING:
        return issue
    try:
        pdf = documents.sign(documents.compose(documents.paper_of(issue)))
    except PaperError as error:
        return _set_aside(issue_id, describe_failure(error))
    return _store(issue_id, pdf, now)


def claim_waiting_issues(*, now: datetime, limit: int) -> list[int]:
    """Take up to `limit` issues that no worker is busy with; return their ids, oldest first."""
    with transaction.atomic():
        issues = lock_claimable_issues(now - CLAIM_LEASE, limit)
        ids = [issue.pk for issue in issues]
        CertificateIssue.objects.filter(pk__in=ids).update(claimed_at=now)
    return ids


@transaction.atomic
def retry_issue(*, issue: CertificateIssue, actor: User, now: datetime) -> bool:
    """Let an issue that waited for staff be made once more; False if it did not wait."""
    locked = lock_issue(issue.pk)
    if locked.state != CertificateIssue.State.NEEDS_ATTENTION:
        return False
    locked.state, locked.failure = CertificateIssue.State.WAITING, ""
    locked.claimed_at = now
    locked.save(update_fields=["state", "failure", "claimed_at"])
    record_audit(
        action="certificate.render_retried",
        target=f"certificate_issue:{locked.token}",
        actor=actor,
        now=now,
    )
    return True


def describe_failure(error: PaperError) -> str:
    """Say to staff why a paper could not be made."""
    if not isinstance(error, UnprintableTextError):
        return f"证书排版失败：{error}"[:FAILURE_LENGTH]
    listed = "、".join(
        f"{character if character.isprintable() else ''}U+{ord(character):04X}"
        for character in error.characters
    )
    return f"字库中没有以下字符，无法打印：{listed}"[:FAILURE_LENGTH]


@transaction.atomic
def _set_aside(issue_id: int, failure: str) -> CertificateIssue:
    issue = lock_issue(issue_id)
    if issue.state == CertificateIssue.State.WAITING:
        issue.state = CertificateIssue.State.NEEDS_ATTENTION
        issue.failure = failure
        issue.save(update_fields=["state", "failure"])
    return issue


def _store(issue_id: int, pdf: bytes, now: datetime) -> CertificateIssue:
    """Write the file, then the row; of two workers the second throws its own file away."""
    with transaction.atomic():
        issue = lock_issue(issue_id)
        if issue.state == CertificateIssue.State.WAITING:
            issue.file.save(_file_name(issue), ContentFile(pdf), save=False)
            issue.sha256, issue.size = hashlib.sha256(pdf).hexdigest(), len(pdf)
            issue.state, issue.rendered_at = CertificateIssue.State.READY, now
            issue.save(update_fields=["file", "sha256", "size", "state", "rendered_at"])
    return issue


def _file_name(issue: CertificateIssue) -> str:
    # Folders of the first two letters keep directories small; the rest is not guessable.
    return f"certificates/{issue.token[:2]}/{issue.token}.pdf"
