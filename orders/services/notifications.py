"""Notifications: stored with a verdict, answered, and applied afterwards."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from orders.errors import GatewayDownError
from orders.models import GatewayMessage, PaymentAttempt
from orders.payments.protocol import (
    Acknowledgement,
    Inbound,
    NotifyRejected,
    Report,
    State,
)
from orders.services.payment import open_gateway
from orders.services.settlement import Outcome, apply_report

logger = logging.getLogger(__name__)

# More than any gateway sends; Alipay's are about 1.5 kB.
BODY_LIMIT = 64 * 1024
# Of a message that cannot be believed enough is kept to look into it.
_REJECTED_BODY_LIMIT = 4096
# Whoever floods the address with forgeries shall not fill the disk.
_REJECTED_PER_MINUTE = 60
_KEPT_HEADERS = ("content-type", "user-agent")

_FAILURE = Acknowledgement(200, "text/plain", b"failure")


@dataclass(frozen=True)
class Receipt:
    """What became of a notification: the answer, and the row to process if any."""

    acknowledgement: Acknowledgement
    message_id: int | None = None


def store_notification(
    *, gateway_code: str, inbound: Inbound, now: datetime
) -> Receipt:
    """Verify a notification and keep it; nothing is decided yet.

    Only what cannot be verified is answered in the negative: a genuine message about a wrong
    amount or an unknown number is acknowledged and becomes an exception for staff.
    """
    try:
        gateway = open_gateway(gateway_code)
    except GatewayDownError:
        logger.exception("notification for gateway %s not readable", gateway_code)
        return Receipt(_FAILURE)
    try:
        report = gateway.parse_notification(inbound)
    except NotifyRejected as rejection:
        _keep_rejected(gateway_code, inbound, str(rejection), now)
        return Receipt(gateway.acknowledge(accepted=False))
    message = _keep_verified(gateway_code, inbound, report, now)
    return Receipt(gateway.acknowledge(accepted=True), message.pk)


def process_message(*, message_id: int, now: datetime) -> Outcome:
    """Apply a stored message; a message that was applied before changes nothing."""
    message = GatewayMessage.objects.get(pk=message_id)
    if message.state != GatewayMessage.State.WAITING:
        return Outcome.UNCHANGED
    with transaction.atomic():
        outcome = apply_report(
            gateway=message.gateway,
            report=load_report(message.report or {}),
            source=GatewayMessage.Source.NOTIFICATION,
            now=now,
            message=message,
        )
        message.state = GatewayMessage.State.DONE
        message.processed_at = now
        message.save(update_fields=["state", "processed_at"])
    return outcome


def dump_report(report: Report) -> dict[str, Any]:
    """Return a report as JSON; `raw` is in the message's body already."""
    paid_at = report.paid_at.isoformat() if report.paid_at else None
    return asdict(report) | {"raw": {}, "paid_at": paid_at}


def load_report(document: Mapping[str, Any]) -> Report:
    paid_at = document.get("paid_at")
    read = {
        "state": State(document["state"]),
        "paid_at": datetime.fromisoformat(paid_at) if paid_at else None,
    }
    return Report(**{**document, **read})


def _keep_verified(
    gateway_code: str, inbound: Inbound, report: Report, now: datetime
) -> GatewayMessage:
    attempt = PaymentAttempt.objects.filter(
        number=report.attempt_number, gateway=gateway_code
    ).first()
    return GatewayMessage.objects.create(
        gateway=gateway_code,
        source=GatewayMessage.Source.NOTIFICATION,
        attempt=attempt,
        event_id=report.event_id[:80],
        headers=_keep_headers(inbound),
        body=inbound.body.decode(),
        verdict=GatewayMessage.Verdict.VERIFIED,
        report=dump_report(report),
        state=GatewayMessage.State.WAITING,
        received_at=now,
    )


def _keep_rejected(
    gateway_code: str, inbound: Inbound, reason: str, now: datetime
) -> None:
    logger.warning("notification of %s rejected: %s", gateway_code, reason)
    recent = GatewayMessage.objects.filter(
        state=GatewayMessage.State.IGNORED,
        received_at__gt=now - timedelta(minutes=1),
    )
    if recent.count() >= _REJECTED_PER_MINUTE:
        return
    # PostgreSQL text cannot hold NUL.
    body = inbound.body[:_REJECTED_BODY_LIMIT].decode(errors="replace")
    GatewayMessage.objects.create(
        gateway=gateway_code,
        source=GatewayMessage.Source.NOTIFICATION,
        headers=_keep_headers(inbound),
        body=body.replace("\x00", "\ufffd"),
        verdict=GatewayMessage.Verdict.REJECTED,
        reason=reason[:200],
        state=GatewayMessage.State.IGNORED,
        received_at=now,
    )


def _keep_headers(inbound: Inbound) -> dict[str, str]:
    return {
        name: inbound.headers[name].replace("\x00", "")[:200]
        for name in _KEPT_HEADERS
        if name in inbound.headers
    }
