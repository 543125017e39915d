"""Reads about logins and the devices they were made on."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import PersonSession, User
from accounts.rules.sessions import OTHERWISE, explain_end

# How far back a person sees own logins that have ended.
SHOWN_AGE = timedelta(days=30)
SHOWN_ENDED = 10


def find_session(code: str) -> PersonSession | None:
    """The session of this code, whoever's, with the one that ended it."""
    return (
        PersonSession.objects.select_related("ended_from", "person")
        .filter(code=code)
        .first()
    )


def find_app_session(token_hash: str) -> PersonSession | None:
    """The session, live or ended, of the app that holds this token; with its person."""
    return (
        PersonSession.objects.select_related("ended_from", "person")
        .filter(token_hash=token_hash)
        .first()
    )


def explain_session_end(session: PersonSession | None) -> str:
    """Why a session is over, in words for the device it was on."""
    if session is None or session.ended_at is None:
        return OTHERWISE
    other = session.ended_from
    return explain_end(
        session.end_reason,
        ended_at=timezone.localtime(session.ended_at),
        device=other.device if other else "",
    )


def find_session_of(person: User, code: str) -> PersonSession | None:
    """A session of the person's own."""
    return PersonSession.objects.filter(person=person, code=code).first()


def list_live_sessions(person: User) -> QuerySet[PersonSession]:
    """The sessions that nobody has ended, the newest first."""
    return PersonSession.objects.filter(person=person, ended_at__isnull=True).order_by(
        "-started_at", "-pk"
    )


def list_ended_sessions(person: User, *, now: datetime) -> list[PersonSession]:
    """The logins of the last weeks that are over, the newest end first."""
    return list(
        PersonSession.objects.filter(
            person=person, ended_at__gt=now - SHOWN_AGE
        ).order_by("-ended_at", "-pk")[:SHOWN_ENDED]
    )
