"""Use cases of certificates: issuing, refreshing, revoking, rendering, verifying."""

from certificates.services.issuing import (
    issue_certificate,
    refresh_certificate,
    revoke_certificate,
)
from certificates.services.rendering import (
    claim_waiting_issues,
    render_issue,
    retry_issue,
)
from certificates.services.verification import (
    FileVerdict,
    Finding,
    allow_visit,
    check_file,
)

__all__ = [
    "FileVerdict",
    "Finding",
    "allow_visit",
    "check_file",
    "claim_waiting_issues",
    "issue_certificate",
    "refresh_certificate",
    "render_issue",
    "retry_issue",
    "revoke_certificate",
]
