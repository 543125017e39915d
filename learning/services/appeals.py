"""Appeals: handed in by the learner, decided by one of the staff, forgotten in time."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.errors import (
    DeciderRefusedError,
    RequestStateError,
    RequestThrottledError,
)
from accounts.models import Message, ThrottleCounter, User
from accounts.queries.requests import find_request_due_date
from accounts.rules.decisions import PROOF_AGE
from accounts.rules.throttles import REQUEST_PERSON
from accounts.services.audit import record_audit
from accounts.services.decisions import (
    check_decider,
    mark_approver,
    mark_decided,
    mark_resent,
    replace_proofs,
)
from accounts.services.messages import send_message
from accounts.services.proofs import Proof, store_proofs
from accounts.services.throttling import Counter, take_tries, throttle_key
from learning.errors import AppealRefusedError
from learning.locks import find_locked_clock, lock_appeal, lock_enrolment
from learning.models import Appeal, AppealEvent, CreditDecision, RefusedTime
from learning.queries.appeals import (
    get_refused_for,
    list_appeals_to_forget,
    list_creditable,
)
from learning.rules.appeals import find_obstacle_to_appeal
from learning.rules.durations import show_time
from learning.services.completion import add_covered
from learning.services.stretches import add_granted_time
from learning.services.study import lock_progress

DECIDE = "learning.decide_appeal"
# Rows that one run forgets.
AT_ONCE = 500


def take_appeal_try(*, person: User, now: datetime) -> None:
    """Count an appeal of somebody, before any picture is read. Raises RequestThrottledError."""
    key = throttle_key("appeal person", person.code)
    counter = Counter(ThrottleCounter.Scope.REQUEST, key, REQUEST_PERSON)
    if not take_tries([counter], now=now):
        raise RequestThrottledError


@transaction.atomic
def file_appeal(
    *,
    person: User,
    stretch_id: int,
    text: str,
    proofs: Sequence[Proof],
    now: datetime,
) -> Appeal:
    """Hand in an appeal of an own refused stretch, once and in time.

    Raises StretchNotFoundError, also for another's, and AppealRefusedError.
    """
    # Under the clock: no beat makes the stretch longer meanwhile, and nobody appeals twice.
    find_locked_clock(person.pk)
    stretch = get_refused_for(person, stretch_id)
    obstacle = find_obstacle_to_appeal(
        stretch.reason,
        stretch.last_at,
        days=settings.LEARNING["appeal_days"],
        now=now,
    )
    if hasattr(stretch, "appeal"):
        obstacle = "该时段已提交过申诉，每个时段只能申诉一次。"
    if obstacle:
        raise AppealRefusedError(obstacle)
    appeal = Appeal(
        person=person,
        stretch=stretch,
        filed_by=person,
        filed_at=now,
        due_date=find_request_due_date(now=now),
    )
    appeal.store_wanted({"text": text.strip()})
    appeal.save(force_insert=True)
    appeal.files.set(store_proofs(proofs, owner=person, now=now))
    _write_event(appeal, AppealEvent.Kind.FILED, actor=person, now=now)
    _record("filed", appeal, actor=person, now=now)
    return appeal


def has_right(*, actor: User) -> bool:
    """Whether a member of the staff decides appeals, and opens their proofs."""
    return actor.has_perm(DECIDE)


def refuse_without_right(*, actor: User) -> None:
    """Raise DeciderRefusedError for staff without the permission."""
    if not has_right(actor=actor):
        raise DeciderRefusedError("您没有审批学时申诉的权限。")


@transaction.atomic
def approve_appeal(
    *, appeal_id: int, seen_version: int, actor: User, now: datetime
) -> Appeal:
    """Credit what was refused, as far as it is new and time passed for it.

    What that completes is completed. Raises DeciderRefusedError, RequestStateError and
    RequestMovedError, and AppealRefusedError when there is nothing to credit.
    """
    stretch = _get_stretch(appeal_id)
    progress = lock_progress(
        stretch.enrolment.person_id, stretch.enrolment_id, stretch.chapter_id
    )
    appeal = _lock_for(appeal_id, seen_version, actor=actor)
    enrolment = lock_enrolment(stretch.enrolment_id)
    if not enrolment.is_live:
        raise AppealRefusedError("该学习计划已撤销，不能计入。")
    media = list_creditable(stretch, progress)
    if progress is None or not media:
        raise AppealRefusedError("该时段没有可以计入的新内容，不能同意。")
    completed = add_covered(progress, media, now)
    credited_ms = add_granted_time(stretch, media).milliseconds
    CreditDecision.objects.create(
        kind=CreditDecision.Kind.ADDED,
        enrolment=enrolment,
        chapter_id=stretch.chapter_id,
        appeal=appeal,
        media=media,
        milliseconds=credited_ms,
        actor=actor,
        at=now,
    )
    mark_approver(appeal, actor=actor)
    mark_decided(appeal, Appeal.State.APPROVED, proofs_kept=PROOF_AGE, now=now)
    _write_event(appeal, AppealEvent.Kind.APPROVED, actor=actor, now=now)
    _tell(appeal, {"time": show_time(credited_ms)}, now=now)
    record_audit(
        action="appeal.approved",
        target=f"appeal:{appeal.code}",
        actor=actor,
        now=now,
        detail={"credited_ms": credited_ms, "completed": sorted(completed)},
    )
    return appeal


@transaction.atomic
def return_appeal(
    *, appeal_id: int, seen_version: int, reason: str, actor: User, now: datetime
) -> Appeal:
    """Give an appeal back with what is missing; the learner may send it again.

    Raises DeciderRefusedError, RequestStateError and RequestMovedError.
    """
    appeal = _lock_for(appeal_id, seen_version, actor=actor)
    return _turn_down(appeal, Appeal.State.RETURNED, reason, actor=actor, now=now)


@transaction.atomic
def refuse_appeal(
    *, appeal_id: int, seen_version: int, reason: str, actor: User, now: datetime
) -> Appeal:
    """Turn an appeal down for good; the learner reads the reason.

    Raises DeciderRefusedError, RequestStateError and RequestMovedError.
    """
    appeal = _lock_for(appeal_id, seen_version, actor=actor)
    return _turn_down(appeal, Appeal.State.REFUSED, reason, actor=actor, now=now)


def _turn_down(
    appeal: Appeal, state: str, reason: str, *, actor: User, now: datetime
) -> Appeal:
    mark_approver(appeal, actor=actor)
    mark_decided(appeal, state, proofs_kept=PROOF_AGE, now=now)
    _write_event(appeal, state, actor=actor, now=now, reason=reason)
    _tell(appeal, {}, now=now)
    _record(state, appeal, actor=actor, now=now)
    return appeal


@transaction.atomic
def resend_appeal(
    *, appeal_id: int, text: str, proofs: Sequence[Proof], person: User, now: datetime
) -> Appeal:
    """Send a returned appeal again, in other words; without new proofs the old ones stay.

    Raises RequestStateError.
    """
    appeal = lock_appeal(appeal_id)
    if appeal.state != Appeal.State.RETURNED:
        raise RequestStateError
    if proofs or appeal.files.exists():
        replace_proofs(appeal, proofs, person=person, now=now)
    appeal.store_wanted({"text": text.strip()})
    mark_resent(appeal, now=now)
    _write_event(appeal, AppealEvent.Kind.RESENT, actor=person, now=now)
    _record("resent", appeal, actor=person, now=now)
    return appeal


def _get_stretch(appeal_id: int) -> RefusedTime:
    """What an appeal is about, which never changes once it has been appealed."""
    return RefusedTime.objects.select_related("enrolment").get(appeal=appeal_id)


def _lock_for(appeal_id: int, seen_version: int, *, actor: User) -> Appeal:
    refuse_without_right(actor=actor)
    appeal = lock_appeal(appeal_id)
    check_decider(appeal, seen_version=seen_version, actor=actor)
    return appeal


def _write_event(
    appeal: Appeal, kind: str, *, actor: User, now: datetime, reason: str = ""
) -> None:
    AppealEvent.objects.create(
        appeal=appeal, kind=kind, actor=actor, reason=reason, at=now
    )


def _tell(appeal: Appeal, context: dict[str, str], *, now: datetime) -> None:
    if appeal.person.phone_index is None:
        return
    send_message(
        channel=Message.Channel.SMS,
        recipient=appeal.person.phone,
        template=f"appeal_{appeal.state}",
        context=context,
        now=now,
    )


def _record(action: str, appeal: Appeal, *, actor: User, now: datetime) -> None:
    record_audit(
        action=f"appeal.{action}",
        target=f"appeal:{appeal.code}",
        actor=actor,
        now=now,
        detail={"reason": appeal.stretch.reason},
    )


def forget_old_appeals(*, now: datetime) -> int:
    """Delete what decided appeals say, with their proofs' time; how many.

    Which stretch it was, when and how it was decided stays.
    """
    old = list_appeals_to_forget(before=now - PROOF_AGE)
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    return old.filter(pk__in=keys).update(wanted_cipher=b"")
