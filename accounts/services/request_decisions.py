"""Decisions of the staff: approved by one or by two, returned or refused with a reason."""

from datetime import datetime

from django.db import transaction

from accounts.errors import DeciderRefusedError, RequestRefusedError
from accounts.locks import lock_request
from accounts.models import Message, PersonRequest, RequestEvent, User
from accounts.queries.requests import has_waiting_request
from accounts.rules.decisions import (
    PROOF_AGE,
    refuse_decider,
    refuse_second_approver,
    state_after_approval,
)
from accounts.rules.requests import OF_IDENTITY
from accounts.services.audit import record_audit
from accounts.services.decisions import (
    check_decider,
    mark_approver,
    mark_decided,
    mark_first_approval,
)
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


def has_right(*, actor: User, kind: str) -> bool:
    """Whether a member of the staff decides requests of this kind, and opens their proofs."""
    needed = [DECIDE, *([DECIDE_IDENTITY] if kind in OF_IDENTITY else [])]
    return actor.has_perms(needed)


def refuse_without_right(*, actor: User, kind: str) -> None:
    """Raise `DeciderRefusedError` for staff without the permission for this kind."""
    if not has_right(actor=actor, kind=kind):
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
    check_decider(row, seen_version=seen_version, actor=actor)
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
    mark_first_approval(row, actor=actor)
    write_event(row, RequestEvent.Kind.FIRST_APPROVED, actor=actor, now=now)
    if row.kind == Kind.PHONE_LOST and person.phone_index is not None:
        # Whoever still holds the old phone can speak up before the second decision.
        _send_sms(person.phone, "request_watched", {}, now=now)
    _record("request.first_approved", row, actor=actor, now=now)


def _approve(row: PersonRequest, person: User, *, actor: User, now: datetime) -> None:
    effect = apply_request(request=row, person=person, now=now)
    mark_approver(row, actor=actor)
    row.store_wanted(row.wanted | {"before": effect.before})
    mark_decided(row, State.APPROVED, proofs_kept=PROOF_AGE, now=now)
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
    mark_decided(row, state, proofs_kept=PROOF_AGE, now=now)
    write_event(row, state, actor=actor, now=now, reason=reason)
    _tell(row, now=now)
    _record(f"request.{state}", row, actor=actor, now=now)
    return row


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
