"""Consents: which version of which notice, when and from where."""

from collections.abc import Mapping
from datetime import datetime

from accounts.models import Consent, User


def record_consents(
    *, person: User, consents: Mapping[str, str], address: str, now: datetime
) -> None:
    """Note that the person agreed: `consents` maps the kind of a notice to its version."""
    Consent.objects.bulk_create(
        Consent(
            person=person,
            kind=kind,
            version=version,
            given_at=now,
            address=address or None,
        )
        for kind, version in sorted(consents.items())
    )
