"""Decisions of the staff: approved by one or by two, returned or refused with a reason."""

from datetime import datetime

from django.db import transaction

from accounts.errors import (
    DeciderRefusedError,
    RequestMovedError,
    RequestRefusedError,
)
from accounts.locks import lock_request
from accounts.models import Message, PersonRequest, RequestEvent, User
from accounts.queries.requests import has_waiting_request
from accounts.rules.requests import (
    OF_IDENTITY,
    PROOF_AGE,
    refuse_decider,
    refuse_second_approver,
    refuse_unless_waiting,
    state_after_approval,
)
from accounts.services.audit import record_audit
from accounts.services.messages import send_message
from accounts.services.request_effects import (
    Effect,
    apply_request,
    lock_person_to_change,
)
from accounts.services.requests import write_event

Kind, State = PersonRequest.Kind, PersonRequest.State
DECIDE = "accounts.decide_personrequest"
DECIDE_IDENTITY = "accounts.decide_identity"
# The words of the SMS; the full names of the kinds are too long for one.
TITLES = {
    Kind.NAME_CHANGE: "姓名变更",
    Kind.NUMBER_CHANGE: "证件号码变更",
    Kind.APPOINTMENT: "单位经办人",
}


def refuse_without_right(*, actor: User, kind: str) -> None:
    """Raise `DeciderRefusedError` for staff without the permission for this kind."""
    needed = [DECIDE, *([DECIDE_IDENTITY] if kind in OF_IDENTITY else [])]
    if not actor.has_perms(needed):
        raise DeciderRefusedError("您没有审批该类申请的权限。")


@transaction.atomic
def approve_request(
    *, request_id: int, seen_version: int, actor: User, now: datetime
) -> PersonRequest:
    """Approve what was seen; of the kinds that two decide, the first approval does nothing yet.

    Raises `DeciderRefusedError`, `RequestStateError`, `RequestMovedError` when the request
    is not what `actor` looked at, and `RequestRefusedError` when it cannot be done.
    """
    row = _lock_for(request_id, seen_version, actor=actor)
    state = state_after_approval(row.standing)
    refuse_second_approver(row.standing, actor.pk)
    person = lock_person_to_change(row)
    if row.person_id is None:
        _find_its_person(row, person, actor=actor)
    if state == State.FIRST_APPROVED:
        _approve_first(row, person, actor=actor, now=now)
    else:
        _approve(row, person, actor=actor, now=now)
    return row


def _lock_for(request_id: int, seen_version: int, *, actor: User) -> PersonRequest:
    row = lock_request(request_id)
    refuse_without_right(actor=actor, kind=row.kind)
    refuse_decider(row.standing, actor.pk)
    refuse_unless_waiting(row.standing)
    if row.version != seen_version:
        raise RequestMovedError
    return row


def _find_its_person(row: PersonRequest, person: User, *, actor: User) -> None:
    """Bind a stranger's request to the account it means, which may be that of `actor`."""
    if has_waiting_request(person, row.kind):
        raise RequestRefusedError("该账号的另一份手机号码变更申请正在复核，请先办理。")
    row.person = person
    refuse_decider(row.standing, actor.pk)


def _approve_first(
    row: PersonRequest, person: User, *, actor: User, now: datetime
) -> None:
    row.state = State.FIRST_APPROVED
    row.first_decider = actor
    row.version += 1
    row.save(update_fields=["person", "state", "first_decider", "version"])
    write_event(row, RequestEvent.Kind.FIRST_APPROVED, actor=actor, now=now)
    if row.kind == Kind.PHONE_LOST and person.phone_index is not None:
        # Whoever still holds the old phone can speak up before the second decision.
        _send_sms(person.phone, "request_watched", {}, now=now)
    _record("request.first_approved", row, actor=actor, now=now)


def _approve(row: PersonRequest, person: User, *, actor: User, now: datetime) -> None:
    effect = apply_request(request=row, person=person, now=now)
    if row.first_decider_id is None:
        row.first_decider = actor
    else:
        row.second_decider = actor
    row.store_wanted(row.wanted | {"before": effect.before})
    _close(row, State.APPROVED, now=now)
    write_event(row, RequestEvent.Kind.APPROVED, actor=actor, now=now)
    _tell(row, now=now)
    _record_effect(effect, row, person, actor=actor, now=now)
    _record("request.approved", row, actor=actor, now=now)


@transaction.atomic
def return_request(
    *, request_id: int, seen_version: int, reason: str, actor: User, now: datetime
) -> PersonRequest:
    """Give a request back with what is missing; the person may send it again.

    Raises like `approve_request`.
    """
    return _turn_down(
        _lock_for(request_id, seen_version, actor=actor),
        State.RETURNED,
        reason=reason,
        actor=actor,
        now=now,
    )


@transaction.atomic
def refuse_request(
    *, request_id: int, seen_version: int, reason: str, actor: User, now: datetime
) -> PersonRequest:
    """Turn a request down for good; the person reads the reason. Raises like `approve_request`."""
    return _turn_down(
        _lock_for(request_id, seen_version, actor=actor),
        State.REFUSED,
        reason=reason,
        actor=actor,
        now=now,
    )


def _turn_down(
    row: PersonRequest, state: str, *, reason: str, actor: User, now: datetime
) -> PersonRequest:
    _close(row, state, now=now)
    write_event(row, state, actor=actor, now=now, reason=reason)
    _tell(row, now=now)
    _record(f"request.{state}", row, actor=actor, now=now)
    return row


def _close(row: PersonRequest, state: str, *, now: datetime) -> None:
    row.state = state
    row.decided_at = now
    row.version += 1
    row.save()
    row.files.update(expires_at=now + PROOF_AGE)


def _tell(row: PersonRequest, *, now: datetime) -> None:
    """Tell the person by SMS; of a lost phone the new one, whose change tells itself."""
    if row.kind == Kind.PHONE_LOST:
        if row.state != State.APPROVED:
            context = {"reference": row.code}
            _send_sms(row.wanted["phone"], "phone_request_closed", context, now=now)
        return
    person = row.person
    if person is not None and person.phone_index is not None:
        title = {"title": TITLES[Kind(row.kind)]}
        _send_sms(person.phone, f"request_{row.state}", title, now=now)


def _send_sms(
    phone: str, template: str, context: dict[str, str], *, now: datetime
) -> None:
    send_message(
        channel=Message.Channel.SMS,
        recipient=phone,
        template=template,
        context=context,
        now=now,
    )


def _record(action: str, row: PersonRequest, *, actor: User, now: datetime) -> None:
    record_audit(
        action=action,
        target=f"request:{row.code}",
        actor=actor,
        now=now,
        detail={"kind": row.kind},
    )


def _record_effect(
    effect: Effect, row: PersonRequest, person: User, *, actor: User, now: datetime
) -> None:
    detail: dict[str, str | int | bool | list[str] | None] = {"request": row.code}
    if effect.unit is not None:
        detail["unit"] = effect.unit
    record_audit(
        action=effect.action,
        target=f"user:{person.code}",
        actor=actor,
        now=now,
        detail=detail,
    )
