"""The registration between its two pages: kept in the session, readable by nobody else."""

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag

from accounts.personal_data import cipher
from accounts.services.registration import Application

# Long enough to look for the ID card, short enough for a shared computer.
DRAFT_LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True)
class Draft:
    """A phone that was proved, and what was entered so far."""

    phone: str
    proved_at: datetime
    application: Application | None = None

    def with_application(self, application: Application) -> "Draft":
        return replace(self, application=application)


def seal_draft(draft: Draft, *, browser: str) -> str:
    """The draft as ciphertext for the session, bound to the browser's own secret."""
    content = {
        "phone": draft.phone,
        "proved_at": draft.proved_at.isoformat(),
        "application": asdict(draft.application) if draft.application else None,
    }
    sealed = cipher().encrypt(json.dumps(content), context=_context(browser))
    return b64encode(sealed).decode()


def open_draft(text: str, *, browser: str, now: datetime) -> Draft | None:
    """The draft; None where there is none, it is too old or was sealed elsewhere."""
    if not text:
        return None
    try:
        content = json.loads(
            cipher().decrypt(b64decode(text), context=_context(browser))
        )
    except (InvalidTag, KeyError, ValueError):
        return None
    proved_at = datetime.fromisoformat(content["proved_at"])
    if proved_at + DRAFT_LIFETIME <= now:
        return None
    application = content["application"]
    return Draft(
        phone=content["phone"],
        proved_at=proved_at,
        application=Application(**application) if application else None,
    )


def _context(browser: str) -> str:
    return f"accounts.registration_draft:{browser}"
