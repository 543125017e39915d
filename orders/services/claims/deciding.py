"""Decisions on claims: four eyes, and the plan opened with the second approval."""

from datetime import datetime

from django.db import transaction

from accounts.errors import DeciderRefusedError
from accounts.models import IntegrityRecord, Message, User
from accounts.rules.decisions import (
    FIRST_APPROVED,
    PROOF_AGE,
    refuse_second_approver,
    state_after_approval,
)
from accounts.services.decisions import (
    check_decider,
    mark_approver,
    mark_decided,
    mark_first_approval,
)
from accounts.services.integrity import add_integrity_record
from accounts.services.messages import send_message
from learning.models import Enrolment
from learning.services import open_enrolments
from orders.errors import ClaimRefusedError
from orders.locks import lock_claim, lock_people
from orders.models import Claim, ClaimEvent
from orders.rules.claims import APPROVED_KEPT
from orders.services.claims.checks import check_plan, record, write_event

State = Claim.State
DECIDE = "orders.decide_claim"


def has_right(*, actor: User) -> bool:
    """Whether a member of the staff decides claims, and opens their proofs."""
    return actor.has_perm(DECIDE)


def refuse_without_right(*, actor: User) -> None:
    """Raise `DeciderRefusedError` for staff without the permission."""
    if not has_right(actor=actor):
        raise DeciderRefusedError("您没有审批缴费凭证的权限。")


@transaction.atomic
def approve_claim(
    *, claim_id: int, seen_version: int, actor: User, now: datetime
) -> Claim:
    """Approve what was seen. The first approval does nothing yet; the second opens the plan.

    Raises `DeciderRefusedError`, `RequestStateError`, `RequestMovedError`, and
    `ClaimRefusedError` when the person has got the plan, or is buying it, meanwhile.
    """
    claim = _lock_for(claim_id, seen_version, actor=actor)
    state = state_after_approval(claim.standing)
    refuse_second_approver(claim.standing, actor.pk)
    lock_people([claim.person_id])
    # Read under the lock: an account may have been closed since.
    person = User.objects.get(pk=claim.person_id)
    check_plan(person=person, plan=claim.plan, now=now)
    if state == FIRST_APPROVED:
        mark_first_approval(claim, actor=actor)
        write_event(claim, ClaimEvent.Kind.FIRST_APPROVED, actor=actor, now=now)
        record("first_approved", claim, actor=actor, now=now)
        return claim
    _open_plan(claim, person, now=now)
    mark_approver(claim, actor=actor)
    mark_decided(claim, State.APPROVED, proofs_kept=APPROVED_KEPT, now=now)
    write_event(claim, ClaimEvent.Kind.APPROVED, actor=actor, now=now)
    _tell(claim, person, now=now)
    if claim.kind == Claim.Kind.COMMITMENT:
        add_integrity_record(
            person=person,
            kind=IntegrityRecord.Kind.COMMITMENT,
            text=claim.wanted["letter"],
            source=f"claim:{claim.code}",
            actor=actor,
            now=now,
        )
    record("approved", claim, actor=actor, now=now)
    return claim


def _lock_for(claim_id: int, seen_version: int, *, actor: User) -> Claim:
    claim = lock_claim(claim_id)
    refuse_without_right(actor=actor)
    check_decider(claim, seen_version=seen_version, actor=actor)
    return claim


def _open_plan(claim: Claim, person: User, *, now: datetime) -> None:
    (enrolment,) = open_enrolments(
        plan=claim.plan,
        users=[person],
        source=Enrolment.Source.VOUCHER,
        source_number=claim.code,
        now=now,
    )
    if enrolment.source_number != claim.code:
        # A payment that was settled a moment ago opened it: nothing is given for nothing.
        raise ClaimRefusedError("该学习计划刚刚通过订单开通，不能再凭缴费凭证开通。")


@transaction.atomic
def return_claim(
    *, claim_id: int, seen_version: int, reason: str, actor: User, now: datetime
) -> Claim:
    """Give a claim back with what is missing; the person may send it again."""
    claim = _lock_for(claim_id, seen_version, actor=actor)
    return _turn_down(claim, State.RETURNED, reason=reason, actor=actor, now=now)


@transaction.atomic
def refuse_claim(
    *, claim_id: int, seen_version: int, reason: str, actor: User, now: datetime
) -> Claim:
    """Turn a claim down for good; the person reads the reason."""
    claim = _lock_for(claim_id, seen_version, actor=actor)
    return _turn_down(claim, State.REFUSED, reason=reason, actor=actor, now=now)


def _turn_down(
    claim: Claim, state: str, *, reason: str, actor: User, now: datetime
) -> Claim:
    mark_decided(claim, state, proofs_kept=PROOF_AGE, now=now)
    write_event(claim, state, actor=actor, now=now, reason=reason)
    _tell(claim, claim.person, now=now)
    record(state, claim, actor=actor, now=now)
    return claim


def _tell(claim: Claim, person: User, *, now: datetime) -> None:
    if person.phone_index is None:
        return
    send_message(
        channel=Message.Channel.SMS,
        recipient=person.phone,
        template=f"claim_{claim.state}",
        context={"year": str(claim.plan.year), "title": claim.get_kind_display()},
        now=now,
    )
