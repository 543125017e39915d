"""Logins of the app: a token in the place of a browser's session, kept only as its hash."""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.conf import settings

from accounts.errors import AppLoginOverError, StaffAppLoginError
from accounts.models import PersonSession, User
from accounts.queries.sessions import explain_session_end, find_app_session
from accounts.rules.devices import describe_app
from accounts.rules.sessions import find_natural_end, is_use_due
from accounts.services.sessions import begin_session, end_session, limits_of, note_use

logger = logging.getLogger(__name__)

EndReason = PersonSession.EndReason
# 256 bits: nobody guesses one, so a plain hash of it gives nothing away either.
TOKEN_BYTES = 32


@dataclass(frozen=True)
class AppLogin:
    """A login of an app with its token, which is told once."""

    session: PersonSession
    token: str
    expires_at: datetime


def begin_app_login(
    *, person: User, device: str, address: str, now: datetime
) -> AppLogin:
    """Log a person in who has just been checked, on the device of this name.

    It counts among the logins at a time as a browser's does, and ends the oldest beyond.
    Raises `StaffAppLoginError`.
    """
    if person.is_staff:
        raise StaffAppLoginError
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session = begin_session(
        person=person,
        user_agent="",
        address=address,
        at_a_time=settings.SESSIONS_AT_A_TIME,
        now=now,
        device=describe_app(device),
        token_hash=_hash(token),
    )
    logger.info("app login", extra={"person": person.code})
    return AppLogin(session, token, session.started_at + limits_of(person).total)


def use_app_login(*, token: str, now: datetime) -> PersonSession:
    """The live login, with its person, of whoever holds this token; its use is noted.

    Raises `AppLoginOverError` with the reason where it has ended, for a token of nobody too.
    """
    session = find_app_session(_hash(token))
    if session is None:
        raise AppLoginOverError(explain_session_end(None))
    reason = "" if session.ended_at else _find_end(session, now)
    if reason:
        end_session(code=session.code, reason=EndReason(reason), now=now)
        session.refresh_from_db()
    if session.ended_at:
        raise AppLoginOverError(explain_session_end(session))
    if is_use_due(last_seen_at=session.last_seen_at, now=now):
        note_use(session_id=session.pk, now=now)
    return session


def _find_end(session: PersonSession, now: datetime) -> str:
    person = session.person
    # Who has become one of the staff since then proves more than a token from now on.
    if person.is_staff or not person.may_log_in:
        return EndReason.ACCOUNT
    return find_natural_end(
        started_at=session.started_at,
        last_seen_at=session.last_seen_at,
        limits=limits_of(person),
        now=now,
    )


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
