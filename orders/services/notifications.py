"""Notifications: stored with a verdict, answered, and applied afterwards."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import CharField

from orders.errors import GatewayDownError
from orders.models import GatewayMessage, PaymentAttempt, RefundTry
from orders.payments.protocol import (
    Acknowledgement,
    Inbound,
    NotifyRejected,
    Report,
    State,
)
from orders.queries.refunds import find_try
from orders.rules import FIRST_POLL_AFTER, POLL_EVERY
from orders.services.outcomes import Outcome
from orders.services.payment import open_gateway
from orders.services.polling import fetch_report
from orders.services.refunds.hearing import ask_about_foreign, ask_about_try
from orders.services.settlement import apply_report
from portal.lib.kept_reads import KeptRead, Parameter

logger = logging.getLogger(__name__)

# More than any gateway sends; Alipay's are about 1.5 kB.
BODY_LIMIT = 64 * 1024
# Of a message that cannot be believed enough is kept to look into it.
_REJECTED_BODY_LIMIT = 4096
# Whoever floods the address with forgeries shall not fill the disk.
_REJECTED_PER_MINUTE = 60
# WeChat signs by headers: with them a stored message can be verified again.
_KEPT_HEADERS = (
    *("content-type", "user-agent", "wechatpay-serial", "wechatpay-timestamp"),
    *("wechatpay-nonce", "wechatpay-signature", "wechatpay-signature-type"),
)
_HEADER_LIMIT = 512
_MOMENTS = ("paid_at", "refund_sent_at")
# How long a note about a refund waits for the gateway's word; UnionPay's bill can be had two
# days after.
REFUND_NOTES_WAIT = timedelta(days=3)

_ATTEMPT_ID = KeptRead(
    lambda: PaymentAttempt.objects.filter(
        number=Parameter("number", CharField()),
        gateway=Parameter("gateway", CharField()),
    ).values_list("pk")
)

# To every vendor a refusal: some look at the text, some at the status.
TOO_LARGE = Acknowledgement(413, "text/plain", b"failure")
_UNREADABLE = Acknowledgement(503, "text/plain", b"failure")


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
        return Receipt(_UNREADABLE)
    try:
        report = gateway.parse_notification(inbound)
    except NotifyRejected as rejection:
        _keep_rejected(gateway_code, inbound, str(rejection), now)
        return Receipt(gateway.acknowledge(accepted=False))
    message = _keep_verified(gateway_code, inbound, report, now)
    return Receipt(gateway.acknowledge(accepted=True), message.pk)


def process_message(*, message_id: int, now: datetime) -> Outcome:
    """Apply a stored message; a message that was applied before changes nothing.

    Where the vendor demands a query first, the gateway's answer is applied in place of what it
    has sent; until there is one the message waits for the sweep.
    """
    message = GatewayMessage.objects.get(pk=message_id)
    if message.state != GatewayMessage.State.WAITING:
        return Outcome.UNCHANGED
    report = load_report(message.report or {})
    if report.refund_number:
        known = find_try(message.gateway, report.refund_number)
        if known is not None:
            return _ask_about_ours(message, known, now)
    confirmed = _confirm(message, report, now) if report.needs_query else report
    if confirmed is None:
        return Outcome.UNCHANGED
    with transaction.atomic():
        outcome = apply_report(
            gateway=message.gateway,
            report=confirmed,
            source=GatewayMessage.Source.NOTIFICATION,
            now=now,
            message=message,
        )
        _finish(message, now)
    return outcome


def _finish(message: GatewayMessage, now: datetime) -> None:
    message.state, message.processed_at = GatewayMessage.State.DONE, now
    message.save(update_fields=["state", "processed_at"])


def _ask_about_ours(message: GatewayMessage, row: RefundTry, now: datetime) -> Outcome:
    """A note about a refund of ours is a reason to ask, whatever it says: of some vendors it
    names a running sum, of others it counts only when a query confirms it.

    A refund that is still on its way is asked about again in its own rounds. One whose number
    had failed is asked about by nobody else, so its note waits until the gateway answers.
    """
    answer = ask_about_try(row, message=message, now=now)
    has_own_rounds = row.state in (RefundTry.State.SENDING, RefundTry.State.UNKNOWN)
    if answer is None and not has_own_rounds and not _is_stale(message, now):
        return Outcome.UNCHANGED
    _finish(message, now)
    return answer or Outcome.UNCHANGED


def _is_stale(message: GatewayMessage, now: datetime) -> bool:
    """By now the bill of the day has told what a note about a refund was to tell."""
    return now - message.received_at > REFUND_NOTES_WAIT


def _confirm(message: GatewayMessage, report: Report, now: datetime) -> Report | None:
    """Return what may be applied in the place of an unconfirmed report, None for not yet.

    What is paid already needs no word more, and a number that we do not know cannot be asked
    about: both go on as they came.
    """
    if report.refund_number:
        return _confirm_refund(message, report, now)
    attempt = PaymentAttempt.objects.filter(
        number=report.attempt_number, gateway=message.gateway
    ).first()
    if attempt is None or attempt.state == PaymentAttempt.State.PAID:
        return report
    return _confirm_payment(message, attempt, report, now)


def _confirm_payment(
    message: GatewayMessage, attempt: PaymentAttempt, report: Report, now: datetime
) -> Report | None:
    if not _may_ask(message, attempt, now):
        return None
    PaymentAttempt.objects.filter(pk=attempt.pk).update(polled_at=now)
    answer = fetch_report(attempt, now=now)
    reply = answer[0] if answer is not None else None
    if reply is None or reply.state is State.UNKNOWN:
        return None
    is_contradiction = report.state is State.PAID and reply.state is not State.PAID
    if is_contradiction and attempt.state == PaymentAttempt.State.WAITING:
        # Asked again until the attempt has ended. Then the gateway's answer counts, and the
        # daily bill would show money that it has taken after all.
        logger.warning("attempt %s: notified as paid, queried as not", attempt.number)
        return None
    return reply


def _confirm_refund(
    message: GatewayMessage, report: Report, now: datetime
) -> Report | None:
    """The same of a refund that is not ours: asked about by the number and time of its note,
    and left to the bill when the gateway does not say for days."""
    said = ask_about_foreign(message.gateway, report)
    if said is None and _is_stale(message, now):
        return replace(report, state=State.UNKNOWN)
    return said


def _may_ask(message: GatewayMessage, attempt: PaymentAttempt, now: datetime) -> bool:
    """At once, and while the sweep comes again at the pace of the other queries."""
    is_fresh = now - message.received_at < FIRST_POLL_AFTER
    asked_at = attempt.polled_at
    return is_fresh or asked_at is None or now - asked_at >= POLL_EVERY


def dump_report(report: Report) -> dict[str, Any]:
    """Return a report as JSON; `raw` is in the message's body already."""
    moments = {
        name: moment.isoformat() if (moment := getattr(report, name)) else None
        for name in _MOMENTS
    }
    return asdict(report) | {"raw": {}} | moments


def load_report(document: Mapping[str, Any]) -> Report:
    moments = {
        name: datetime.fromisoformat(text) if (text := document.get(name)) else None
        for name in _MOMENTS
    }
    return Report(**{**document, **moments, "state": State(document["state"])})


def _keep_verified(
    gateway_code: str, inbound: Inbound, report: Report, now: datetime
) -> GatewayMessage:
    found = _ATTEMPT_ID.rows(number=report.attempt_number, gateway=gateway_code)
    return GatewayMessage.objects.create(
        gateway=gateway_code,
        source=GatewayMessage.Source.NOTIFICATION,
        attempt_id=found[0][0] if found else None,
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
        name: inbound.headers[name].replace("\x00", "")[:_HEADER_LIMIT]
        for name in _KEPT_HEADERS
        if name in inbound.headers
    }
