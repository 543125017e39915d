"""Reads about logins and the devices they were made on."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import PersonSession, User

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
