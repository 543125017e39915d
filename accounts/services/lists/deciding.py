"""What people decide about a list: hand it over, take it back, approve it, return it."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.errors import (
    ListEmptyError,
    ListInvalidError,
    ListNotAllowedError,
    ListStateError,
    TwoPersonsError,
)
from accounts.locks import lock_list
from accounts.models import RegistrationList, User
from accounts.queries.calendar import read_working_calendar
from accounts.rules.lists import WORKING_DAYS
from accounts.services.audit import record_audit, type_of_detail
from accounts.services.lists.replying import announce_return
from accounts.services.lists.uploading import refuse_outsider
from portal.lib.working_days import find_due_date

State = RegistrationList.State


@transaction.atomic
def submit_list(
    *, list_id: int, leaves_out_invalid: bool, actor: User, now: datetime
) -> RegistrationList:
    """Put a checked list into the staff's queue, due within two working days.

    Rows with problems are left out only with the explicit choice. Raises `ListStateError`,
    `ListEmptyError`, `ListInvalidError`, `ListNotAllowedError`.
    """
    row = lock_list(list_id)
    refuse_outsider(actor, unit=row.unit, channel=row.channel)
    if row.state != State.CHECKED:
        raise ListStateError
    if row.valid_count == 0:
        raise ListEmptyError
    if row.invalid_count and not leaves_out_invalid:
        raise ListInvalidError
    row.received_at = row.received_at or now
    due = find_due_date(
        timezone.localtime(row.received_at),
        WORKING_DAYS,
        calendar=read_working_calendar(),
    )
    row.state = State.SUBMITTED
    row.submitted_at, row.submitted_by = now, actor
    row.leaves_out_invalid = bool(row.invalid_count)
    row.due_date, row.due_is_certain = due.date, due.is_certain
    row.save()
    _record(row, "submitted", actor, now, {"rows": row.valid_count})
    return row


@transaction.atomic
def withdraw_list(*, list_id: int, actor: User, now: datetime) -> RegistrationList:
    """Take a list back that staff have not decided on. Raises `ListStateError` and
    `ListNotAllowedError`."""
    row = lock_list(list_id)
    refuse_outsider(actor, unit=row.unit, channel=row.channel)
    if not row.may_be_withdrawn:
        raise ListStateError
    row.state, row.ended_at, row.lease_until = State.WITHDRAWN, now, None
    row.save(update_fields=["state", "ended_at", "lease_until"])
    _record(row, "withdrawn", actor, now, {})
    return row


@transaction.atomic
def approve_list(*, list_id: int, actor: User, now: datetime) -> RegistrationList:
    """Let the accounts be created. Wake the worker: `accounts.tasks.create_list_accounts`.

    Raises `ListStateError`, `ListNotAllowedError` and `TwoPersonsError`.
    """
    row = _lock_for_decision(list_id, actor)
    row.state, row.decided_by, row.decided_at = State.APPROVED, actor, now
    row.lease_until, row.tries = None, 0
    row.save(
        update_fields=["state", "decided_by", "decided_at", "lease_until", "tries"]
    )
    _record(row, "approved", actor, now, {"rows": row.valid_count})
    return row


@transaction.atomic
def return_list(
    *, list_id: int, reason: str, actor: User, now: datetime
) -> RegistrationList:
    """Send a list back with the reason; nothing of it is registered.

    Raises `ListStateError`, `ListNotAllowedError` and `TwoPersonsError`.
    """
    row = _lock_for_decision(list_id, actor)
    row.state, row.decided_by, row.decided_at = State.RETURNED, actor, now
    row.reason, row.ended_at = reason, now
    row.save(update_fields=["state", "decided_by", "decided_at", "reason", "ended_at"])
    announce_return(row, now=now)
    _record(row, "returned", actor, now, {})
    return row


def _lock_for_decision(list_id: int, actor: User) -> RegistrationList:
    if not actor.has_perm("accounts.decide_registrationlist"):
        raise ListNotAllowedError("您没有审核注册名单的权限。")
    row = lock_list(list_id)
    if row.state != State.SUBMITTED:
        raise ListStateError
    if actor.pk in (row.uploaded_by_id, row.submitted_by_id):
        raise TwoPersonsError
    return row


def _record(
    row: RegistrationList,
    verb: str,
    actor: User,
    now: datetime,
    detail: type_of_detail,
) -> None:
    record_audit(
        action=f"list.{verb}",
        target=f"list:{row.code}",
        actor=actor,
        now=now,
        detail=detail,
    )
