"""Logins as rows: each begins once, ends once and says why."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from accounts.locks import lock_person
from accounts.models import PersonSession, User
from accounts.rules.devices import describe_device
from accounts.rules.sessions import SEEN_EVERY, SessionLimits
from portal.lib.codes import random_code
from portal.lib.masks import mask_address

EndReason = PersonSession.EndReason
# Long enough to answer "who was in my account"; then nobody needs to know where people were.
ROW_AGE = timedelta(days=180)


def limits_of(person: User) -> SessionLimits:
    """The ends that time sets to the sessions of this person."""
    return _limits(is_staff=person.is_staff)


def _limits(*, is_staff: bool) -> SessionLimits:
    named: Mapping[str, timedelta] = settings.SESSION_LIMITS[
        "staff" if is_staff else "learner"
    ]
    return SessionLimits(idle=named["idle"], total=named["total"])


@transaction.atomic
def begin_session(
    *,
    person: User,
    user_agent: str,
    address: str,
    at_a_time: int,
    now: datetime,
    code: str = "",
    device: str = "",
    token_hash: str | None = None,
) -> PersonSession:
    """Write down a login, and end the oldest ones beyond `at_a_time`.

    The person's row is locked, so of logins at the same instant as many stay as may. With a
    `code` that has a row already that row, live or ended, is returned and nothing happens.
    `device` names what the browser's own words do not.
    """
    lock_person(person.pk)
    if code:
        known = PersonSession.objects.filter(person=person, code=code).first()
        if known is not None:
            return known
    session = PersonSession.objects.create(
        code=code or random_code(),
        person=person,
        token_hash=token_hash,
        device=device or describe_device(user_agent),
        address=mask_address(address),
        started_at=now,
        last_seen_at=now,
    )
    live = _live(person).order_by("-started_at", "-pk").values_list("pk", flat=True)
    older = list(live.exclude(pk=session.pk))[max(at_a_time - 1, 0) :]
    _end(
        _live(person).filter(pk__in=older),
        reason=EndReason.REPLACED,
        now=now,
        ended_from=session,
    )
    return session


def note_use(*, session_id: int, now: datetime) -> None:
    """Write that the session is in use; of parallel requests one does."""
    PersonSession.objects.filter(
        pk=session_id, ended_at__isnull=True, last_seen_at__lte=now - SEEN_EVERY
    ).update(last_seen_at=now)


def end_session(*, code: str, reason: EndReason, now: datetime) -> bool:
    """End one session by its code; False where it had ended before."""
    rows = PersonSession.objects.filter(code=code, ended_at__isnull=True)
    return bool(_end(rows, reason=reason, now=now))


def remove_session(
    *, person: User, code: str, current: str, now: datetime
) -> PersonSession | None:
    """End one session of the person's own, from the device of the session `current`.

    Returns what was ended, None where the person has no such live session.
    """
    session = _live(person).filter(code=code).first()
    if session is None:
        return None
    _end(
        _live(person).filter(pk=session.pk),
        reason=EndReason.REMOVED,
        now=now,
        ended_from=_live(person).filter(code=current).first(),
    )
    return session


def end_other_sessions(
    *, person: User, current: str, reason: EndReason, now: datetime
) -> int:
    """End all sessions of the person but `current` (all, where it is empty); how many."""
    return _end(
        _live(person).exclude(code=current),
        reason=reason,
        now=now,
        ended_from=_live(person).filter(code=current).first() if current else None,
    )


@transaction.atomic
def settle_old_sessions(*, now: datetime) -> None:
    """Write the end of sessions that time has ended, and forget those of long ago."""
    for is_staff in (False, True):
        limits = _limits(is_staff=is_staff)
        live = PersonSession.objects.filter(
            ended_at__isnull=True, person__is_staff=is_staff
        )
        live.filter(started_at__lte=now - limits.total).update(
            ended_at=F("started_at") + limits.total, end_reason=EndReason.EXPIRED
        )
        live.filter(last_seen_at__lte=now - limits.idle).update(
            ended_at=F("last_seen_at") + limits.idle, end_reason=EndReason.IDLE
        )
    PersonSession.objects.filter(ended_at__lt=now - ROW_AGE).delete()


def _live(person: User) -> QuerySet[PersonSession]:
    return PersonSession.objects.filter(person=person, ended_at__isnull=True)


def _end(
    rows: QuerySet[PersonSession],
    *,
    reason: EndReason,
    now: datetime,
    ended_from: PersonSession | None = None,
) -> int:
    return rows.update(ended_at=now, end_reason=reason, ended_from=ended_from)
