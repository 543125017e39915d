"""Giving codes to the people of a checked sheet, a step at a time, each whole or not at all."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services.audit import record_audit
from accounts.services.leases import Clock, LeaseLostError
from orders.errors import CodeOverError, ImportStateError, NoCodeLeftError
from orders.locks import lock_import, lock_people
from orders.models import CodeImport, CodeImportRow
from orders.queries.codes import list_import_rows, list_open_people, list_provided
from orders.rules import is_usable
from orders.services.codes.giving import mark_given, take_unused, tell_given
from orders.services.codes.importing import (
    NOT_FOUND,
    PROVIDED,
    compose_errors,
    store_errors,
)
from orders.services.codes.leases import ImportLease, take_lease

logger = logging.getLogger(__name__)

State = CodeImport.State
Outcome = CodeImportRow.Outcome
STEP = 500
NONE_LEFT = "激活码数量不足。"


@transaction.atomic
def confirm_import(*, import_id: int, now: datetime) -> CodeImport:
    """The owner's word that the codes shall be given; it cannot be taken back. Wake the
    worker: `orders.tasks.hand_out_codes`.

    Raises `ImportStateError`, `CodeOverError`, and `NoCodeLeftError` when the sheet has
    nobody to give to.
    """
    row = lock_import(import_id)
    if row.state != State.CHECKED:
        raise ImportStateError
    if not row.valid_count:
        raise NoCodeLeftError
    today = timezone.localdate(now)
    if not is_usable(training_end=row.plan.training_end, today=today):
        raise CodeOverError
    row.state, row.confirmed_at, row.tries = State.CONFIRMED, now, 0
    row.save(update_fields=["state", "confirmed_at", "tries"])
    record_audit(
        action="codes.import_confirmed",
        target=f"code_import:{row.code}",
        actor=row.owner,
        now=now,
        detail={"people": row.valid_count},
    )
    return row


def hand_out(*, import_id: int, clock: Clock, size: int = STEP) -> None:
    """Give codes to the people of a confirmed import, unless another worker is at it.

    Killed in between, what was given stays given and the next worker goes on behind it.
    """
    lease = take_lease(
        import_id, states=CodeImport.TO_GIVE, working=State.GIVING, clock=clock
    )
    if lease is None:
        return
    try:
        while hand_step(lease, size):
            pass
        _finish(lease)
    except LeaseLostError:
        logger.info("import left to another", extra={"reference": import_id})


def hand_step(lease: ImportLease, size: int) -> bool:
    """Give to the next `size` people; whether there were any."""
    with lease.hold() as row:
        waiting = list_import_rows(row).filter(outcome=Outcome.WAITING)
        rows = list(waiting[:size])
        if not rows:
            return False
        _give(row, rows, lease.clock())
        CodeImportRow.objects.bulk_update(rows, ["outcome", "problem"], batch_size=500)
        row.given_count += sum(each.outcome == Outcome.GIVEN for each in rows)
        row.failed_count += sum(each.outcome == Outcome.FAILED for each in rows)
    return True


def _give(row: CodeImport, rows: list[CodeImportRow], now: datetime) -> None:
    """Give to those who may still be given to, as far as the codes reach."""
    ids = [each.person_id for each in rows if each.person_id is not None]
    lock_people([row.owner_id, *ids])
    people = {user.pk: user for user in list_open_people().filter(pk__in=ids)}
    provided = list_provided(row.plan_id, ids)
    chosen: list[User] = []
    for each in rows:
        person = people.get(each.person_id or 0)
        if person is None:
            each.outcome, each.problem = Outcome.FAILED, NOT_FOUND
        elif person.pk in provided:
            each.outcome, each.problem = Outcome.FAILED, PROVIDED
        else:
            each.outcome = Outcome.GIVEN
            chosen.append(person)
    codes = take_unused(row.owner_id, row.plan_id, len(chosen))
    given = chosen[: len(codes)]
    without = {person.pk for person in chosen[len(codes) :]}
    for each in rows:
        if each.person_id in without:
            each.outcome, each.problem = Outcome.FAILED, NONE_LEFT
    mark_given(codes, [person.pk for person in given], now=now)
    tell_given(given, owner=row.owner, plan=row.plan, now=now)


def _finish(lease: ImportLease) -> None:
    row = CodeImport.objects.get(pk=lease.row_id)
    errors = compose_errors(row) if row.invalid_count or row.failed_count else b""
    with lease.hold() as row:
        row.state, row.ended_at = State.DONE, lease.clock()
        if errors:
            store_errors(row, errors, now=lease.clock())
