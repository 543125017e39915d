"""Asking a gateway about a refund that somebody has told us of. Nothing is ever sent from
here, and no lock is held while the gateway thinks."""

import logging
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from orders.locks import lock_refund
from orders.models import GatewayMessage, Refund, RefundTry
from orders.payments.protocol import (
    Charge,
    GatewayUnavailable,
    Report,
    Return,
    State,
)
from orders.payments.registry import get_gateway
from orders.rules import REFUND_LEASE
from orders.services.outcomes import Outcome
from orders.services.payment import describe_charge
from orders.services.settlement import apply_report

logger = logging.getLogger(__name__)

_CERTAIN = (State.REFUNDED, State.CLOSED, State.STUCK)


def ask_about_try(
    row: RefundTry, *, now: datetime, message: GatewayMessage | None = None
) -> Outcome | None:
    """Ask what has become of a number of ours, also one that had failed, and apply it.

    None when the gateway does not say; a refund on its way is then asked about soon. A number
    that the gateway does not know changes nothing here, nor does doubt about one that a
    definite no or a member of the staff has ended.
    """
    if row.state == RefundTry.State.DONE:
        return Outcome.UNCHANGED
    attempt, amount = row.refund.attempt, row.refund.amount_fen
    back = Return(row.number, amount, row.created_at)
    state = _query(row.gateway, describe_charge(attempt), back)
    is_ended = row.state == RefundTry.State.FAILED
    if state is State.NOT_FOUND or (state is State.UNKNOWN and is_ended):
        return Outcome.UNCHANGED
    if state is None or state not in _CERTAIN:
        _ask_soon(row.refund_id, now)
        return None
    return apply_report(
        gateway=row.gateway,
        report=Report(
            attempt_number=attempt.number,
            state=state,
            amount_fen=amount,
            gateway_number=attempt.gateway_number,
            refund_number=row.number,
        ),
        source=GatewayMessage.Source.REFUND,
        now=now,
        message=message,
    )


def ask_about_foreign(gateway: str, report: Report) -> Report | None:
    """Return what may be applied of an unconfirmed note about a refund that is not ours, None
    for not yet.

    Without amount and time such a refund cannot be asked about; then the bill tells of it.
    """
    if report.amount_fen is None or report.refund_sent_at is None:
        return replace(report, state=State.UNKNOWN)
    back = Return(report.refund_number, report.amount_fen, report.refund_sent_at)
    # Of its payment we know what the note says, which may be none of ours.
    charge = Charge(
        number=report.attempt_number,
        amount_fen=0,
        title="",
        created_at=report.refund_sent_at,
        expires_at=report.refund_sent_at,
        gateway_number=report.gateway_number,
    )
    state = _query(gateway, charge, back)
    if state is None or state is State.UNKNOWN:
        return None
    return replace(report, state=state)


def _query(gateway: str, charge: Charge, back: Return) -> State | None:
    try:
        return get_gateway(gateway).query_refund(charge, back)
    except (GatewayUnavailable, KeyError) as error:
        logger.warning("refund %s: no answer: %s", back.number, error)
        return None


@transaction.atomic
def _ask_soon(refund_id: int, now: datetime) -> None:
    """Bring the next round forward, never into the time a worker has for itself."""
    refund = lock_refund(refund_id)
    soon = now + REFUND_LEASE
    if refund.state == Refund.State.APPROVED and refund.due_at is not None:
        refund.due_at = min(refund.due_at, soon)
        refund.save(update_fields=["due_at"])
