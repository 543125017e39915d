"""What lies between two pages of 注册 or 首次登录: in the session, readable by nobody else."""

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag

from accounts.personal_data import cipher
from accounts.services.registration import Application

# Long enough to look for the ID card, short enough for a shared computer.
DRAFT_LIFETIME = timedelta(minutes=30)
# Long enough for a code by SMS and a new password.
ACTIVATION_LIFETIME = timedelta(minutes=15)


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
    return _seal(content, context=_context(browser))


def open_draft(text: str, *, browser: str, now: datetime) -> Draft | None:
    """The draft; None where there is none, it is too old or was sealed elsewhere."""
    content = _open(text, context=_context(browser))
    if content is None:
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


@dataclass(frozen=True)
class Activation:
    """Whose first password was right, and where the person wanted to go."""

    person_code: str
    opened_at: datetime
    next_url: str


def seal_activation(activation: Activation, *, browser: str) -> str:
    """The activation as ciphertext for the session, bound to the browser's own secret."""
    content = asdict(activation) | {"opened_at": activation.opened_at.isoformat()}
    return _seal(content, context=_activation_context(browser))


def open_activation(text: str, *, browser: str, now: datetime) -> Activation | None:
    """The activation; None where there is none, it is too old or was sealed elsewhere."""
    content = _open(text, context=_activation_context(browser))
    if content is None:
        return None
    opened_at = datetime.fromisoformat(content["opened_at"])
    if opened_at + ACTIVATION_LIFETIME <= now:
        return None
    return Activation(**content | {"opened_at": opened_at})


def _seal(content: dict[str, Any], *, context: str) -> str:
    return b64encode(cipher().encrypt(json.dumps(content), context=context)).decode()


def _open(text: str, *, context: str) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(
            cipher().decrypt(b64decode(text), context=context)
        )
    except (InvalidTag, KeyError, ValueError):
        return None
    return content


def _activation_context(browser: str) -> str:
    return f"accounts.activation_draft:{browser}"


def _context(browser: str) -> str:
    return f"accounts.registration_draft:{browser}"
