"""Reports of payments as gateways make them, and their application."""

from datetime import datetime
from typing import Any

from orders.models import (
    GatewayMessage,
    Order,
    OrderEvent,
    PaymentAttempt,
)
from orders.payments.protocol import Report, State
from orders.services.outcomes import Outcome
from orders.services.settlement import apply_report

NOTIFICATION = GatewayMessage.Source.NOTIFICATION


def paid(attempt: PaymentAttempt, **changes: Any) -> Report:
    fields = {
        "attempt_number": attempt.number,
        "state": State.PAID,
        "amount_fen": attempt.amount_fen,
        "seller": attempt.seller,
        "gateway_number": "2026061522001400000000000001",
    }
    return Report(**(fields | changes))


def apply(report: Report, now: datetime, source: Any = NOTIFICATION) -> Outcome:
    return apply_report(gateway="alipay", report=report, source=source, now=now)


def list_kinds(order: Order) -> list[str]:
    events = OrderEvent.objects.filter(order=order).order_by("pk")
    return list(events.values_list("kind", flat=True))
