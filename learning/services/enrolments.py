"""Enrolments: opened by whatever gives the right to study, revoked when it goes."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_audit
from catalog.models import Plan
from learning.errors import ReasonMissingError
from learning.locks import find_locked_clock, lock_enrolment, lock_enrolments
from learning.models import Enrolment, PlaySession
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

    Existing enrolments are returned as they are, so a repeat does nothing; a revoked one is
    opened again with what was learnt kept. Returns one enrolment per person, by person id.
    People are taken in that order, so that two group orders never deadlock.
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
    Enrolment.objects.bulk_update(
        revoked, ["state", "source", "source_number", "opened_at"], batch_size=BATCH
    )
    return sorted(opened, key=lambda enrolment: enrolment.person_id)


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
    """Take the right to study away (a refund, for one); what was learnt is kept.

    The caller records who did it and why. A session that is open on it ends.
    """
    row = find_locked_clock(enrolment.person_id)
    locked = lock_enrolment(enrolment.pk)
    locked.state = Enrolment.State.REVOKED
    locked.save(update_fields=["state"])
    if row is not None and row.session and row.enrolment_id == locked.pk:
        end_live_session(row, PlaySession.End.REVOKED, now)
        row.save(update_fields=["session"])
    return locked
