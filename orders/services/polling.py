"""Asking gateways what has become of an attempt: notifications get lost."""

import json
import logging
from datetime import datetime

from django.db.models import Q

from orders.models import GatewayMessage, PaymentAttempt
from orders.payments.protocol import GatewayUnavailable, Report, State
from orders.payments.registry import get_gateway
from orders.rules import SHORTEST_POLL_PAUSE
from orders.services.payment import describe_charge
from orders.services.settlement import apply_report

logger = logging.getLogger(__name__)

# Answers that say nothing new are not kept: an unpaid attempt is asked about many times.
_WORTH_KEEPING = (State.PAID, State.CLOSED, State.REFUNDED, State.UNKNOWN)


def query_attempt(*, attempt_id: int, now: datetime) -> State | None:
    """Ask the gateway about a waiting attempt and apply what it says.

    Returns what it said; None when it did not say, when the attempt waits no more, or when it
    was asked a moment ago.
    """
    attempt = _claim(attempt_id, now)
    return None if attempt is None else ask_gateway(attempt, now=now)


def ask_last(*, attempt_id: int, now: datetime) -> State | None:
    """Ask about an attempt that we ended before its time was over at the gateway.

    Once: should the gateway not answer now, the bill of the day tells.
    """
    asked = PaymentAttempt.objects.filter(
        pk=attempt_id, state=PaymentAttempt.State.CLOSED
    ).update(polled_at=now)
    if not asked:
        return None
    return ask_gateway(PaymentAttempt.objects.get(pk=attempt_id), now=now)


def ask_gateway(attempt: PaymentAttempt, *, now: datetime) -> State | None:
    """Ask about an attempt whatever was asked before, and apply the answer.

    Holds no lock while the gateway thinks. None: it did not say.
    """
    answer = fetch_report(attempt, now=now)
    if answer is None:
        return None
    report, message = answer
    apply_report(
        gateway=attempt.gateway,
        report=report,
        source=GatewayMessage.Source.QUERY,
        now=now,
        message=message,
    )
    return report.state


def fetch_report(
    attempt: PaymentAttempt, *, now: datetime
) -> tuple[Report, GatewayMessage | None] | None:
    """Return what the gateway says about an attempt, and the row in which it is kept if it is
    worth that; None when it does not say. Nothing is applied. The caller holds no lock.
    """
    try:
        gateway = get_gateway(attempt.gateway)
        report = gateway.query(describe_charge(attempt))
    except (GatewayUnavailable, KeyError) as error:
        logger.warning("attempt %s: no answer: %s", attempt.number, error)
        return None
    message = _keep(attempt, report, now) if report.state in _WORTH_KEEPING else None
    return report, message


def _claim(attempt_id: int, now: datetime) -> PaymentAttempt | None:
    """Mark an attempt as asked about, so that others leave it alone for a moment."""
    free = Q(polled_at__isnull=True) | Q(polled_at__lte=now - SHORTEST_POLL_PAUSE)
    waiting = PaymentAttempt.objects.filter(
        pk=attempt_id, state=PaymentAttempt.State.WAITING
    )
    if not waiting.filter(free).update(polled_at=now):
        return None
    return PaymentAttempt.objects.get(pk=attempt_id)


def _keep(attempt: PaymentAttempt, report: Report, now: datetime) -> GatewayMessage:
    return GatewayMessage.objects.create(
        gateway=attempt.gateway,
        source=GatewayMessage.Source.QUERY,
        attempt=attempt,
        body=json.dumps(dict(report.raw), ensure_ascii=False),
        verdict=GatewayMessage.Verdict.VERIFIED,
        state=GatewayMessage.State.DONE,
        received_at=now,
        processed_at=now,
    )
