"""What finance staff and buyers decide about a refund.

Access goes first, the money afterwards: whoever waits for a refund cannot finish the plan and
have both. A refund that is given up gives the access back.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services import record_audit
from orders.errors import (
    ReasonMissingError,
    RefundNotOpenError,
    RefundRefusedError,
    SamePersonError,
)
from orders.locks import lock_attempt, lock_order, lock_refund
from orders.models import (
    Order,
    OrderEvent,
    PaymentAttempt,
    PaymentException,
    Refund,
    RefundTry,
)
from orders.queries.refunds import list_parts_of
from orders.rules import REFUND_TRANSITIONS, check_transition
from orders.services.delivery import give_again, take_back
from orders.services.refunds.policy import list_policy_obstacles
from orders.services.refunds.settling import complete_refund, fail_try
from orders.services.trace import add_event
from portal.lib.money import format_yuan

State = Refund.State

# A gateway that has not said for so many rounds what became of a refund is asked by hand.
ROUNDS_BEFORE_DOUBT = 5


def approve(
    refund: Refund,
    attempt: PaymentAttempt,
    order: Order,
    *,
    actor: User | None,
    now: datetime,
    decision: str = "",
) -> None:
    """Let the money of a refund go. The caller holds the locks of attempt, order, refund."""
    check_transition(REFUND_TRANSITIONS, refund.state, State.APPROVED)
    refund.state, refund.due_at = State.APPROVED, now
    refund.decided_by, refund.decided_at, refund.decision = actor, now, decision
    refund.save()
    parts = list_parts_of(refund)
    # A seat that was to go back by itself goes back with the others.
    PaymentException.objects.filter(
        line__in=[part.line for part in parts], state=PaymentException.State.OPEN
    ).update(
        state=PaymentException.State.RESOLVED,
        outcome=PaymentException.Outcome.RETURNED,
        resolution=_name_way_back(refund),
        resolved_at=now,
        resolved_by=actor,
    )
    if attempt.pays_order:
        take_back(order, parts, reference=refund.number, now=now)
    add_event(
        order,
        OrderEvent.Kind.REFUND_STARTED,
        now=now,
        actor=actor,
        detail=f"{format_yuan(refund.amount_fen)}元",
    )


@transaction.atomic
def approve_refund(
    *, refund_id: int, decision: str, actor: User, now: datetime
) -> Refund:
    """Let one member of the staff approve what a buyer, or another member, asked for; nobody
    approves a refund of an own order.

    The policy is asked again: whoever has begun to study since is refused. Raises
    `RefundNotOpenError`, `SamePersonError`, `RefundRefusedError`, and `CodesTakenError` when
    codes were given or used meanwhile.
    """
    refund, attempt, order = _lock_requested(refund_id)
    if actor.pk in (refund.requested_by_id, refund.proposed_by_id, order.buyer_id):
        raise SamePersonError
    if not refund.is_override:
        obstacles = list_policy_obstacles(order, list_parts_of(refund), now=now)
        if obstacles:
            raise RefundRefusedError(
                "；".join(obstacles) + "。请不予通过，或提出超规则退款由另一人审批。"
            )
    approve(refund, attempt, order, actor=actor, now=now, decision=decision[:200])
    _audit("orders.refund_approved", refund, actor, now, decision)
    return refund


@transaction.atomic
def propose_override(
    *, refund_id: int, reason: str, actor: User, now: datetime
) -> Refund:
    """Ask another member of the staff to approve a refund although the policy is against it.

    Raises `RefundNotOpenError`, `SamePersonError` and `ReasonMissingError`.
    """
    refund, _, _ = _lock_requested(refund_id)
    if actor.pk == refund.requested_by_id:
        raise SamePersonError
    if refund.is_override:
        raise RefundNotOpenError
    refund.is_override, refund.proposed_by = True, actor
    refund.override_reason = _require(reason)
    refund.save(update_fields=["is_override", "proposed_by", "override_reason"])
    _audit("orders.refund_override_proposed", refund, actor, now, reason)
    return refund


@transaction.atomic
def refuse_refund(
    *, refund_id: int, decision: str, actor: User, now: datetime
) -> Refund:
    """Refuse a refund with a reason the buyer reads. Raises `RefundNotOpenError` and
    `ReasonMissingError`."""
    refund, _, order = _lock_requested(refund_id)
    _end(refund, State.REFUSED, actor, _require(decision), now)
    kind = OrderEvent.Kind.REFUND_REFUSED
    add_event(order, kind, now=now, actor=actor, detail=refund.decision)
    _audit("orders.refund_refused", refund, actor, now, decision)
    return refund


@transaction.atomic
def withdraw_refund(*, refund_id: int, buyer: User, now: datetime) -> Refund:
    """Let a buyer take back a wish nobody has decided yet. Raises `RefundNotOpenError`."""
    refund, _, order = _lock_requested(refund_id)
    if refund.requested_by_id != buyer.pk or refund.is_override:
        raise RefundNotOpenError
    _end(refund, State.CANCELLED, buyer, "本人撤回", now)
    add_event(order, OrderEvent.Kind.REFUND_CANCELLED, now=now, actor=buyer)
    return refund


@transaction.atomic
def retry_refund(*, refund_id: int, actor: User, now: datetime) -> Refund:
    """Ask the gateway anew, under another number: the last one has failed for good.

    Raises `RefundNotOpenError`.
    """
    refund, _, _ = _lock_failed(refund_id)
    check_transition(REFUND_TRANSITIONS, refund.state, State.APPROVED)
    refund.state, refund.due_at, refund.rounds = State.APPROVED, now, 0
    refund.save(update_fields=["state", "due_at", "rounds"])
    _audit("orders.refund_retried", refund, actor, now)
    return refund


@transaction.atomic
def note_paid_back(
    *, refund_id: int, reason: str, actor: User, now: datetime
) -> Refund:
    """Note that a refund the gateway refuses was paid back by other means.

    Raises `RefundNotOpenError` and `ReasonMissingError`.
    """
    refund, attempt, order = _lock_failed(refund_id)
    refund.is_manual, refund.decision = True, _require(reason)
    refund.save(update_fields=["is_manual", "decision"])
    complete_refund(refund, attempt, order, now=now)
    _audit("orders.refund_paid_back_otherwise", refund, actor, now, reason)
    return refund


@transaction.atomic
def give_up_refund(
    *, refund_id: int, reason: str, actor: User, now: datetime
) -> Refund:
    """Give up a refund that failed: the money stays, and so does what it paid for.

    Of a seat that nobody can use the exception is open again. A refund of an exception cannot
    be given up, its money belongs to nothing else. Raises
    `RefundNotOpenError`, `RefundRefusedError` and `ReasonMissingError`.
    """
    refund, attempt, order = _lock_failed(refund_id)
    if refund.exception_id is not None:
        raise RefundRefusedError("支付异常的款项必须退回，不能撤销。")
    _end(refund, State.CANCELLED, actor, _require(reason), now)
    PaymentException.objects.filter(
        line__refund_lines__refund=refund, resolution=_name_way_back(refund)
    ).update(
        state=PaymentException.State.OPEN,
        outcome="",
        resolution="",
        resolved_at=None,
        resolved_by=None,
    )
    if attempt.pays_order:
        give_again(order, list_parts_of(refund), reference=refund.number, now=now)
    add_event(order, OrderEvent.Kind.REFUND_CANCELLED, now=now, actor=actor)
    _audit("orders.refund_given_up", refund, actor, now, reason)
    return refund


@transaction.atomic
def declare_failed(
    *, refund_id: int, reason: str, actor: User, now: datetime
) -> Refund:
    """Note that the vendor's console shows no such refund, when its interface never said.

    Raises `RefundNotOpenError` and `ReasonMissingError`.
    """
    refund, _, order = _lock(refund_id)
    if refund.state != State.APPROVED or refund.rounds < ROUNDS_BEFORE_DOUBT:
        raise RefundNotOpenError
    row = refund.tries.exclude(state=RefundTry.State.FAILED).get()
    fail_try(row, refund, order, _require(reason), now)
    _audit("orders.refund_declared_failed", refund, actor, now, reason)
    return refund


def _lock(refund_id: int) -> tuple[Refund, PaymentAttempt, Order]:
    known = Refund.objects.select_related("attempt").get(pk=refund_id)
    attempt = lock_attempt(known.attempt.number, known.attempt.gateway)
    assert attempt is not None  # noqa: S101 - refunds protect their attempt
    order = lock_order(attempt.order_id)
    return lock_refund(refund_id), attempt, order


def _lock_requested(refund_id: int) -> tuple[Refund, PaymentAttempt, Order]:
    rows = _lock(refund_id)
    if rows[0].state != State.REQUESTED:
        raise RefundNotOpenError
    return rows


def _lock_failed(refund_id: int) -> tuple[Refund, PaymentAttempt, Order]:
    rows = _lock(refund_id)
    if rows[0].state != State.FAILED:
        raise RefundNotOpenError
    return rows


def _end(
    refund: Refund, state: Refund.State, actor: User, decision: str, now: datetime
) -> None:
    """End a refund without any money: its lines may be asked for anew."""
    check_transition(REFUND_TRANSITIONS, refund.state, state)
    refund.state, refund.due_at = state, None
    refund.decided_by, refund.decided_at, refund.decision = actor, now, decision
    refund.save()
    refund.lines.update(is_live=False)


def _name_way_back(refund: Refund) -> str:
    """What is written on the exception of a seat whose money this refund takes along."""
    return f"随退款 {refund.number} 退回"


def _require(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissingError
    return reason.strip()[:200]


def _audit(
    action: str, refund: Refund, actor: User, now: datetime, reason: str = ""
) -> None:
    record_audit(
        action=action,
        target=f"refund:{refund.number}",
        actor=actor,
        now=now,
        detail={"amount_fen": refund.amount_fen, "reason": reason.strip()[:200]},
    )
