"""Answers whether a paper is one of ours: by its bytes, and how often one may ask."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.core.cache import cache

from accounts.personal_data import blind_index
from certificates import documents, queries
from certificates.queries import Verification
from certificates.sealing.verifying import SignatureReport

MINUTE = timedelta(minutes=1)
# Pages by address and period. Personnel offices check whole lists from one address by QR
# code, whose tokens cannot be guessed; numbers and names could be tried out.
LIMITS = {
    "page": (240, MINUTE),
    "lookup": (30, 10 * MINUTE),
    "file": (30, 10 * MINUTE),
}


class Finding(StrEnum):
    """What an uploaded file turned out to be."""

    GENUINE = "genuine"
    REPLACED = "replaced"
    REVOKED = "revoked"
    CHANGED = "changed"
    UNKNOWN = "unknown"


_FINDINGS = {
    "valid": Finding.GENUINE,
    "replaced": Finding.REPLACED,
    "revoked": Finding.REVOKED,
}


@dataclass(frozen=True)
class FileVerdict:
    """`verification` tells of the version whose file this is, byte for byte, if of any."""

    finding: Finding
    sha256: str
    report: SignatureReport
    verification: Verification | None = None


def check_file(*, content: bytes, now: datetime) -> FileVerdict:
    """Judge a file: genuine only if it is stored here byte for byte and its seal holds.

    A sealed file of ours that differs in a single byte is `CHANGED`, whatever its signature
    says: some bytes, such as the padding of the signature itself, are not signed.
    """
    digest = hashlib.sha256(content).hexdigest()
    issue = queries.find_issue_by_digest(digest)
    if issue is None:
        report = documents.verifier().find_signer(content, now=now)
        finding = Finding.CHANGED if report.is_ours else Finding.UNKNOWN
        return FileVerdict(finding, digest, report)
    report = documents.verifier().check(content, now=now)
    verification = queries.verification_of(issue)
    # Stored like this and yet not sound: then the stored file itself is in doubt.
    finding = _FINDINGS[verification.state] if report.is_sound else Finding.CHANGED
    return FileVerdict(finding, digest, report, verification)


def allow_visit(*, kind: str, address: str, now: datetime) -> bool:
    """Count a visit of `kind` from an address and tell whether it is within the limit.

    The cache keeps a keyed hash of the address, for no longer than the period. Without a
    shared Redis two visits at one moment may count as one, which harms nobody.
    """
    limit, period = LIMITS[kind]
    seconds = int(period.total_seconds())
    window = int(now.timestamp()) // seconds
    visitor = blind_index().of("verification_visit", address)
    key = f"certificates:visits:{kind}:{visitor}:{window}"
    if cache.add(key, 1, timeout=seconds):
        return True
    try:
        return cache.incr(key) <= limit
    except ValueError:
        # The counter ran out between the two calls: a new period has begun.
        return True
