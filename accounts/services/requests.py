"""Requests of people: filed with proofs, sent again after a return, withdrawn."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.errors import (
    RequestRefusedError,
    RequestStateError,
    RequestThrottledError,
)
from accounts.locks import lock_person, lock_request
from accounts.models import (
    Message,
    PersonRequest,
    RequestEvent,
    ThrottleCounter,
    User,
)
from accounts.queries.requests import find_request_due_date, has_waiting_request
from accounts.rules.decisions import PROOF_AGE, UNFINISHED, WAITING
from accounts.rules.throttles import (
    REQUEST_ADDRESS,
    REQUEST_PERSON,
    REQUEST_PHONE,
    Limit,
)
from accounts.services.audit import record_audit
from accounts.services.decisions import mark_resent, mark_withdrawn, replace_proofs
from accounts.services.messages import send_message
from accounts.services.proofs import Proof, store_proofs
from accounts.services.request_effects import read_wanted
from accounts.services.throttling import Counter, take_tries, throttle_key

State = PersonRequest.State
# Forgetting goes through the table in small transactions.
FORGET_AT_ONCE = 200


def take_address_try(*, address: str, now: datetime) -> None:
    """Count a visitor's request, before any picture is read. Raises `RequestThrottledError`."""
    _take_try("address", address, REQUEST_ADDRESS, now=now)


def take_phone_try(*, phone: str, now: datetime) -> None:
    """Count a request for a phone that was proved. Raises `RequestThrottledError`.

    Not before the proof, or anybody could use up the tries of anybody's phone.
    """
    _take_try("phone", phone, REQUEST_PHONE, now=now)


def take_person_try(*, person: User, now: datetime) -> None:
    """Count a request of somebody logged in. Raises `RequestThrottledError`."""
    _take_try("person", person.code, REQUEST_PERSON, now=now)


def _take_try(what: str, whose: str, limit: Limit, *, now: datetime) -> None:
    key = throttle_key(f"request {what}", whose)
    counter = Counter(ThrottleCounter.Scope.REQUEST, key, limit)
    if not take_tries([counter], now=now):
        raise RequestThrottledError


@transaction.atomic
def file_phone_request(
    *, wanted: Mapping[str, str], proofs: Sequence[Proof], now: datetime
) -> PersonRequest:
    """File that a phone is out of use, for a visitor who has proved the new one.

    Whether there is an account with the stated ID number is not looked up: answer, time and
    rows are the same. Raises `PhoneTakenError` for a phone in use, to its holder.
    """
    values = read_wanted(
        kind=PersonRequest.Kind.PHONE_LOST, person=None, wanted=wanted, now=now
    )
    row = _write_request(
        PersonRequest.Kind.PHONE_LOST, values, proofs, person=None, actor=None, now=now
    )
    send_message(
        channel=Message.Channel.SMS,
        recipient=values["phone"],
        template="request_filed",
        context={"reference": row.code},
        now=now,
    )
    _record("request.filed", row, actor=None, now=now)
    return row


@transaction.atomic
def file_request(
    *,
    kind: str,
    person: User,
    wanted: Mapping[str, str],
    proofs: Sequence[Proof],
    actor: User,
    now: datetime,
) -> PersonRequest:
    """File a request of a person; `actor` is they themselves, or staff on their behalf.

    Raises `RequestRefusedError`, also while another of the kind is waiting, and what
    `read_wanted` raises.
    """
    person = lock_person(person.pk)
    if person.state == User.State.CLOSED:
        raise RequestRefusedError("该账号已注销，不能提交申请。")
    if has_waiting_request(person, kind):
        raise RequestRefusedError("您有一份同类申请正在办理，请等待结果或先撤回。")
    values = read_wanted(kind=kind, person=person, wanted=wanted, now=now)
    row = _write_request(kind, values, proofs, person=person, actor=actor, now=now)
    _record("request.filed", row, actor=actor, now=now)
    return row


def _write_request(
    kind: str,
    values: Mapping[str, str],
    proofs: Sequence[Proof],
    *,
    person: User | None,
    actor: User | None,
    now: datetime,
) -> PersonRequest:
    row = PersonRequest(
        kind=kind,
        person=person,
        filed_by=actor,
        filed_at=now,
        due_date=find_request_due_date(now=now),
    )
    row.store_wanted(values)
    row.save(force_insert=True)
    row.files.set(store_proofs(proofs, owner=person, now=now))
    write_event(row, RequestEvent.Kind.FILED, actor=actor, now=now)
    return row


@transaction.atomic
def resend_request(
    *,
    request: PersonRequest,
    wanted: Mapping[str, str],
    proofs: Sequence[Proof],
    actor: User,
    now: datetime,
) -> PersonRequest:
    """Send a returned request again, corrected; new proofs take the place of the old ones.

    Without new ones the old stay. Raises `RequestStateError`, and like `file_request`.
    """
    row = lock_request(request.pk)
    is_lost_phone = row.kind == PersonRequest.Kind.PHONE_LOST
    if row.state != State.RETURNED or row.person_id is None or is_lost_phone:
        raise RequestStateError
    person = lock_person(row.person_id)
    if has_waiting_request(person, row.kind):
        raise RequestRefusedError("您有一份同类申请正在办理，请等待结果或先撤回。")
    values = read_wanted(kind=row.kind, person=person, wanted=wanted, now=now)
    replace_proofs(row, proofs, person=person, now=now)
    row.store_wanted(values)
    mark_resent(row, now=now)
    write_event(row, RequestEvent.Kind.RESENT, actor=actor, now=now)
    _record("request.resent", row, actor=actor, now=now)
    return row


@transaction.atomic
def withdraw_request(
    *, request: PersonRequest, actor: User, now: datetime
) -> PersonRequest:
    """End a waiting or returned request at the person's wish; its proofs are deleted at once.

    Raises `RequestStateError`.
    """
    row = lock_request(request.pk)
    if row.state not in UNFINISHED:
        raise RequestStateError
    _withdraw(row, actor=actor, now=now)
    return row


@transaction.atomic
def withdraw_requests_of(*, person: User, actor: User, now: datetime) -> int:
    """End whatever a person still asks for, when the account is closed; how many.

    They are locked already where the caller has locked the person: requests come first
    (`locks.py`).
    """
    rows = PersonRequest.objects.filter(person=person, state__in=UNFINISHED)
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    # All of them before the first audit entry, whose lock comes last; some are decided by now.
    locked = [lock_request(key) for key in keys]
    unfinished = [row for row in locked if row.state in UNFINISHED]
    for row in unfinished:
        _withdraw(row, actor=actor, now=now)
    return len(unfinished)


def _withdraw(row: PersonRequest, *, actor: User, now: datetime) -> None:
    mark_withdrawn(row, now=now)
    write_event(row, RequestEvent.Kind.WITHDRAWN, actor=actor, now=now)
    _record("request.withdrawn", row, actor=actor, now=now)


def write_event(
    row: PersonRequest,
    kind: str,
    *,
    actor: User | None,
    now: datetime,
    reason: str = "",
) -> None:
    """Note a step in the history that the person reads."""
    RequestEvent.objects.create(
        request=row, kind=kind, actor=actor, reason=reason, at=now
    )


def _record(
    action: str, row: PersonRequest, *, actor: User | None, now: datetime
) -> None:
    record_audit(
        action=action,
        target=f"request:{row.code}",
        actor=actor,
        now=now,
        detail={"kind": row.kind},
    )


def forget_old_requests(*, now: datetime) -> int:
    """Delete what decided requests asked for, with the proofs' time; how many.

    Which request it was, when and how it was decided stays.
    """
    old = PersonRequest.objects.filter(
        Q(decided_at__lte=now - PROOF_AGE), ~Q(wanted_cipher=b"")
    ).exclude(state__in=WAITING)
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:FORGET_AT_ONCE])
    # What was sent again since the list was read is old no more.
    return old.filter(pk__in=keys).update(wanted_cipher=b"")
