"""Who belongs to which unit: memberships begin and end, and ended ones stay."""

from datetime import datetime

from django.db import transaction

from accounts.errors import NoMembershipError
from accounts.models import Unit, UnitMember, User
from accounts.services.audit import record_audit


def join_unit(*, unit: Unit, person: User, source: str, now: datetime) -> UnitMember:
    """The person's live membership of the unit, begun now where there is none.

    Of parallel calls one begins it, by the unique constraint; `source` is one of
    `UnitMember.Source`. To be called in the transaction of what causes it, which also writes
    the audit entry.
    """
    member, _ = UnitMember.objects.get_or_create(
        unit=unit,
        person=person,
        ended_at=None,
        defaults={"source": source, "joined_at": now},
    )
    return member


def move_member(
    *,
    person: User,
    before: Unit | None,
    after: Unit | None,
    source: str,
    now: datetime,
) -> None:
    """Follow a person who names another unit: the old membership ends, a new one begins."""
    if before == after:
        return
    if before is not None:
        _end_membership(unit=before, person=person, now=now)
    if after is not None:
        join_unit(unit=after, person=person, source=source, now=now)


@transaction.atomic
def end_membership(*, unit: Unit, person: User, actor: User, now: datetime) -> None:
    """End the membership: a coordinator's removal, or the person's own leaving.

    What the profile says stays the person's own affair. Raises `NoMembershipError`.
    """
    if not _end_membership(unit=unit, person=person, now=now):
        raise NoMembershipError
    record_audit(
        action="unit.left" if actor == person else "unit.member_removed",
        target=f"unit:{unit.code}",
        actor=actor,
        now=now,
        detail={"person": person.code},
    )


def end_memberships_of(*, person: User, now: datetime) -> None:
    """End all of a person whose account closes."""
    person.memberships.filter(ended_at=None).update(ended_at=now)


def _end_membership(*, unit: Unit, person: User, now: datetime) -> bool:
    """Whether there was one to end; of parallel calls one says so."""
    ended = UnitMember.objects.filter(unit=unit, person=person, ended_at=None).update(
        ended_at=now
    )
    return ended == 1
