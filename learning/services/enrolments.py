"""Enrolments: opened by whatever gives the right to study, revoked when it goes."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_audit
from catalog.models import Plan
from learning.errors import ReasonMissingError
from learning.locks import (
    find_locked_clock,
    lock_clocks,
    lock_enrolment,
    lock_enrolments,
)
from learning.models import Enrolment, FurtherRight, PlaySession
from learning.services.study import end_live_session

# Rows of one INSERT; SQLite takes 32,766 values in one statement.
BATCH = 1000


@transaction.atomic
def open_enrolments(
    *,
    plan: Plan,
    users: Iterable[User],
    source: str,
    source_number: str,
    now: datetime,
) -> list[Enrolment]:
    """Give these people the right to study `plan`; call it inside the paying transaction.

    Existing enrolments are returned as they are, so a repeat does nothing, and remember this
    as a further right; a revoked one is opened again with what was learnt kept. Returns one
    enrolment per person, by person id. People are taken in that order, so that two group
    orders never deadlock.
    """
    ids = sorted({user.pk for user in users})
    Enrolment.objects.bulk_create(
        [
            Enrolment(
                person_id=person_id,
                plan=plan,
                source=source,
                source_number=source_number,
                opened_at=now,
            )
            for person_id in ids
        ],
        batch_size=BATCH,
        ignore_conflicts=True,
    )
    opened: list[Enrolment] = []
    for start in range(0, len(ids), BATCH):
        opened += lock_enrolments(plan.pk, ids[start : start + BATCH])
    revoked = [each for each in opened if not each.is_live]
    for enrolment in revoked:
        _reopen(enrolment, source, source_number, now)
    _save_alike(revoked, ["state", "source", "source_number", "opened_at"])
    _add_further_rights(opened, source, source_number, now)
    return sorted(opened, key=lambda enrolment: enrolment.person_id)


def _add_further_rights(
    opened: Iterable[Enrolment], source: str, source_number: str, now: datetime
) -> None:
    FurtherRight.objects.bulk_create(
        [
            FurtherRight(
                enrolment=enrolment,
                source=source,
                source_number=source_number,
                given_at=now,
            )
            for enrolment in opened
            if (enrolment.source, enrolment.source_number) != (source, source_number)
        ],
        batch_size=BATCH,
        ignore_conflicts=True,
    )


def _reopen(
    enrolment: Enrolment, source: str, source_number: str, now: datetime
) -> None:
    was_completed = enrolment.completed_at is not None
    states = Enrolment.State
    enrolment.state = states.COMPLETED if was_completed else states.OPEN
    enrolment.source = source
    enrolment.source_number = source_number
    enrolment.opened_at = now


@transaction.atomic
def open_enrolment_by_staff(
    *, plan: Plan, person: User, reason: str, actor: User, now: datetime
) -> Enrolment:
    """Let staff open a plan for one person; who and why goes into the audit chain.

    Raises ReasonMissingError.
    """
    if not reason.strip():
        raise ReasonMissingError
    opened = open_enrolments(
        plan=plan,
        users=[person],
        source=Enrolment.Source.STAFF,
        source_number="",
        now=now,
    )
    record_audit(
        action="enrolment.opened_by_staff",
        target=f"user:{person.code}",
        actor=actor,
        now=now,
        detail={"plan": plan.code, "reason": reason.strip()},
    )
    return opened[0]


@transaction.atomic
def revoke_enrolment(*, enrolment: Enrolment, now: datetime) -> Enrolment:
    """Take every right to study away; what was learnt is kept.

    The caller records who did it and why. A session that is open on it ends.
    """
    row = find_locked_clock(enrolment.person_id)
    locked = lock_enrolment(enrolment.pk)
    locked.state = Enrolment.State.REVOKED
    locked.save(update_fields=["state"])
    FurtherRight.objects.filter(enrolment=locked).delete()
    if row is not None and row.session and row.enrolment_id == locked.pk:
        end_live_session(row, PlaySession.End.REVOKED, now)
        row.save(update_fields=["session"])
    return locked


@transaction.atomic
def withdraw_rights(
    *,
    plan: Plan,
    person_ids: Iterable[int],
    source: str,
    source_number: str,
    now: datetime,
) -> list[int]:
    """Take back one right of these people to study `plan`, as a refund does.

    Whoever has another right keeps studying by that one; what was learnt is kept in any case.
    A repeat does nothing. Returns the ids of those who may study no more. The caller records
    who did it and why.
    """
    ids = sorted(set(person_ids))
    ended: list[int] = []
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        clocks = {clock.person_id: clock for clock in lock_clocks(part)}
        enrolments = list(lock_enrolments(plan.pk, part))
        for enrolment in _drop_right(enrolments, source, source_number):
            ended.append(enrolment.person_id)
            clock = clocks.get(enrolment.person_id)
            if clock and clock.session and clock.enrolment_id == enrolment.pk:
                end_live_session(clock, PlaySession.End.REVOKED, now)
                clock.save(update_fields=["session"])
    return ended


def _drop_right(
    enrolments: list[Enrolment], source: str, source_number: str
) -> list[Enrolment]:
    """Drop a right of these enrolments; return those that have none left and are revoked."""
    further: dict[int, FurtherRight] = {}
    FurtherRight.objects.filter(
        enrolment__in=enrolments, source=source, source_number=source_number
    ).delete()
    rows = FurtherRight.objects.filter(enrolment__in=enrolments)
    for row in rows.order_by("-given_at", "-pk"):
        further[row.enrolment_id] = row
    changed, revoked = [], []
    for enrolment in enrolments:
        own = (enrolment.source, enrolment.source_number)
        if not enrolment.is_live or own != (source, source_number):
            continue
        changed.append(enrolment)
        successor = further.get(enrolment.pk)
        if successor is None:
            enrolment.state = Enrolment.State.REVOKED
            revoked.append(enrolment)
        else:
            enrolment.source = successor.source
            enrolment.source_number = successor.source_number
            successor.delete()
    _save_alike(changed, ["state", "source", "source_number"])
    return revoked


def _save_alike(enrolments: Iterable[Enrolment], fields: list[str]) -> None:
    """Save these fields of many rows of which most are alike: a statement for each kind.

    A statement that names every row's values, as `bulk_update` writes, takes seconds for a
    group of thousands.
    """
    by_values: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in enrolments:
        by_values[tuple(getattr(row, name) for name in fields)].append(row.pk)
    for values, keys in by_values.items():
        for start in range(0, len(keys), BATCH):
            Enrolment.objects.filter(pk__in=keys[start : start + BATCH]).update(
                **dict(zip(fields, values, strict=True))
            )
