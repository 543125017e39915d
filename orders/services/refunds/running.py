"""Sending refunds to the gateway, and asking what has become of them.

Killed at any line, a refund is taken up again: its number is written before it is sent, and
whatever was sent is asked about before it is sent once more under the same number.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from orders.locks import lock_refund
from orders.models import GatewayMessage, PaymentAttempt, Refund, RefundTry
from orders.payments.protocol import (
    Charge,
    GatewayRefused,
    GatewayUnavailable,
    Report,
    Return,
    State,
)
from orders.payments.registry import get_gateway
from orders.rules import REFUND_LEASE, make_refund_number, next_round
from orders.services.outcomes import Outcome
from orders.services.payment import describe_charge
from orders.services.refunds.hearing import ask_about_try
from orders.services.settlement import apply_report

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Claim:
    """A refund as this worker sends it. `was_sent`: somebody may have sent it before;
    `was_accepted`: the gateway has told us that it has it."""

    attempt: PaymentAttempt
    row: RefundTry
    charge: Charge
    back: Return
    was_sent: bool
    was_accepted: bool


def run_refund(*, refund_id: int, now: datetime) -> State | None:
    """Send an approved refund, or ask what has become of it.

    Returns what is known now; None when there was nothing to do or the gateway did not say.
    Holds no lock while the gateway thinks.
    """
    if not _look_back(refund_id, now):
        return None
    claim = _claim(refund_id, now)
    if claim is None:
        return None
    try:
        state, code = _ask(claim)
    except (GatewayUnavailable, KeyError) as error:
        logger.warning("refund %s: no answer: %s", claim.row.number, error)
        return None
    _settle(claim, state, code, now)
    return state


def _look_back(refund_id: int, now: datetime) -> bool:
    """Before another number is sent, ask what has become of those that had failed.

    A gateway may have taken its word back, or a refusal of a repetition hid that the first
    one went through. False: it did, or there is no answer yet, so nothing is sent now.
    """
    refund = Refund.objects.get(pk=refund_id)
    is_due = refund.due_at is None or refund.due_at <= now
    failed = refund.tries.filter(state=RefundTry.State.FAILED)
    if refund.state != Refund.State.APPROVED or not is_due:
        return True
    if refund.tries.exclude(state=RefundTry.State.FAILED).exists():
        return True
    for row in failed.select_related("refund__attempt").order_by("pk"):
        outcome = ask_about_try(row, now=now)
        if outcome is None:
            waiting = Refund.objects.filter(pk=refund_id, state=Refund.State.APPROVED)
            waiting.update(due_at=now + REFUND_LEASE)
        if outcome is not Outcome.UNCHANGED:
            return False
    return True


@transaction.atomic
def _claim(refund_id: int, now: datetime) -> _Claim | None:
    refund = lock_refund(refund_id)
    is_due = refund.due_at is None or refund.due_at <= now
    if refund.state != Refund.State.APPROVED or not is_due:
        return None
    attempt = refund.attempt
    row = refund.tries.exclude(state=RefundTry.State.FAILED).first()
    if row is None:
        row = RefundTry(
            refund=refund,
            number=_choose_number(refund, now),
            gateway=attempt.gateway,
            created_at=now,
        )
    was_sent = row.asked_at is not None
    row.asked_at = now
    row.save()
    refund.rounds += 1
    # A worker that dies here is followed by another one after the lease.
    refund.due_at = max(now + REFUND_LEASE, next_round(refund.rounds, now))
    refund.save(update_fields=["rounds", "due_at"])
    return _Claim(
        attempt=attempt,
        row=row,
        charge=describe_charge(attempt),
        back=Return(row.number, refund.amount_fen, row.created_at),
        was_sent=was_sent,
        was_accepted=row.state == RefundTry.State.UNKNOWN,
    )


def _choose_number(refund: Refund, now: datetime) -> str:
    """The refund's own number at first; another one after each definite failure."""
    if not refund.tries.exists():
        return refund.number
    return make_refund_number(timezone.localdate(now))


def _ask(claim: _Claim) -> tuple[State, str]:
    """What the gateway says, and its own code where it refuses.

    What may have been sent is asked about first. It is sent again where the gateway has
    never heard of it, or has never said that it has it: the same number pays once. A
    repetition may be refused because the first one is being worked on, or has grown too old
    to be repeated (UnionPay): only when it is unknown after that as well, it has failed.
    """
    gateway = get_gateway(claim.attempt.gateway)
    state = State.NOT_FOUND
    if claim.was_sent:
        state = gateway.query_refund(claim.charge, claim.back)
        is_certain = state in (State.REFUNDED, State.CLOSED, State.STUCK)
        if is_certain or (state is State.UNKNOWN and claim.was_accepted):
            return state, ""
    notify_url = settings.SITE_URL + reverse("orders:notify", args=[gateway.code])
    try:
        return gateway.refund(claim.charge, claim.back, notify_url), ""
    except GatewayRefused as refusal:
        if not claim.was_sent:
            return State.CLOSED, str(refusal)
        after = gateway.query_refund(claim.charge, claim.back)
        is_definite = state is after is State.NOT_FOUND
        return (State.CLOSED if is_definite else after), str(refusal)


@transaction.atomic
def _settle(claim: _Claim, state: State, code: str, now: datetime) -> None:
    """Keep what was said and let it change the refund, as a notification would."""
    row, attempt = claim.row, claim.attempt
    message = GatewayMessage.objects.create(
        gateway=row.gateway,
        source=GatewayMessage.Source.REFUND,
        attempt=attempt,
        event_id=row.number,
        body=json.dumps({"refund": row.number, "state": state, "code": code}),
        verdict=GatewayMessage.Verdict.VERIFIED,
        state=GatewayMessage.State.DONE,
        received_at=now,
        processed_at=now,
    )
    apply_report(
        gateway=row.gateway,
        report=Report(
            attempt_number=attempt.number,
            state=state,
            amount_fen=claim.back.amount_fen,
            refund_number=row.number,
            raw={"code": code} if code else {},
        ),
        source=GatewayMessage.Source.REFUND,
        now=now,
        message=message,
    )
    waiting = Refund.objects.filter(pk=row.refund_id, state=Refund.State.APPROVED)
    rounds = Refund.objects.values_list("rounds", flat=True).get(pk=row.refund_id)
    waiting.update(due_at=next_round(rounds, now))
