"""What a gateway says about a refund, and what follows when the money has gone back.

The counterpart of `orders.services.settlement`, which calls it: whoever reports, any number of
times, the money is counted once.
"""

import logging
from datetime import datetime

from orders.locks import lock_attempt, lock_order, lock_refund
from orders.models import (
    GatewayMessage,
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
    PaymentException,
    Refund,
    RefundTry,
)
from orders.payments.protocol import Report, State
from orders.queries.refunds import count_left, find_try
from orders.rules import ORDER_TRANSITIONS, REFUND_TRANSITIONS, check_transition
from orders.services.codes.voiding import void_codes
from orders.services.exceptions import complete_foreign, record_exception
from orders.services.outcomes import Outcome
from orders.services.trace import add_event
from portal.lib.money import format_yuan

logger = logging.getLogger(__name__)

_FAILURE_LENGTH = 200
STUCK_REASON = "银行未能退回，请在渠道商户平台处理这笔退款，完成后自动入账"


def apply_refund_report(
    *,
    gateway: str,
    report: Report,
    now: datetime,
    message: GatewayMessage | None = None,
) -> Outcome:
    """Let a verified report about a refund change it; called inside a transaction.

    A refund that we did not make becomes an exception: somebody paid back at the vendor's
    console.
    """
    known = find_try(gateway, report.refund_number)
    if known is None:
        return _note_foreign(gateway, report, now, message)
    attempt = lock_attempt(known.refund.attempt.number, gateway)
    assert attempt is not None  # noqa: S101 - refunds protect their attempt
    order = lock_order(attempt.order_id)
    refund = lock_refund(known.refund_id)
    row = RefundTry.objects.get(pk=known.pk)
    if report.state is State.REFUNDED:
        return _finish(row, refund, attempt, order, report, now, message)
    if report.state is State.CLOSED:
        return fail_try(row, refund, order, report.raw.get("code", ""), now)
    if report.state is State.STUCK:
        return fail_try(row, refund, order, STUCK_REASON, now)
    if row.state == RefundTry.State.SENDING and report.state is State.UNKNOWN:
        row.state = RefundTry.State.UNKNOWN
        row.save(update_fields=["state"])
    return Outcome.UNCHANGED


def _finish(
    row: RefundTry,
    refund: Refund,
    attempt: PaymentAttempt,
    order: Order,
    report: Report,
    now: datetime,
    message: GatewayMessage | None,
) -> Outcome:
    if row.state == RefundTry.State.DONE:
        return Outcome.UNCHANGED
    live = refund.tries.exclude(state=RefundTry.State.FAILED).exclude(pk=row.pk)
    if (
        refund.state not in (Refund.State.APPROVED, Refund.State.FAILED)
        or live.exists()
    ):
        # Said to have failed, so given up or tried anew: this money went back beside it.
        return _note_foreign(attempt.gateway, report, now, message)
    row.state, row.finished_at = RefundTry.State.DONE, now
    row.save(update_fields=["state", "finished_at"])
    complete_refund(refund, attempt, order, now=now)
    return Outcome.REFUNDED


def complete_refund(
    refund: Refund, attempt: PaymentAttempt, order: Order, *, now: datetime
) -> None:
    """Book that the money of a refund has gone back. The caller holds the locks of all."""
    check_transition(REFUND_TRANSITIONS, refund.state, Refund.State.DONE)
    refund.state, refund.finished_at, refund.due_at = Refund.State.DONE, now, None
    refund.save(update_fields=["state", "finished_at", "due_at"])
    _book_return(attempt, order, refund.amount_fen)
    if attempt.pays_order:
        _end_lines(refund, now=now)
        _end_empty_order(attempt, order, refund, now=now)
    add_event(
        order,
        OrderEvent.Kind.REFUNDED,
        now=now,
        detail=f"{format_yuan(refund.amount_fen)}元",
    )


def _end_lines(refund: Refund, *, now: datetime) -> None:
    """End the lines of which everything has gone back; of codes a part may be left."""
    lines = OrderLine.objects.filter(refund_lines__refund=refund)
    lines.filter(person__isnull=False).update(is_live=False, refunded_at=now)
    for row in refund.lines.filter(line__person__isnull=True).select_related("line"):
        if count_left(row.line) == 0:
            row.line.is_live, row.line.refunded_at = False, now
            row.line.save(update_fields=["is_live", "refunded_at"])
        else:
            row.is_live = False
            row.save(update_fields=["is_live"])


def _book_return(attempt: PaymentAttempt, order: Order, amount_fen: int) -> None:
    """Count money of an attempt as gone back; of the order too if it had paid that."""
    attempt.refunded_fen += amount_fen
    attempt.save(update_fields=["refunded_fen"])
    if attempt.pays_order:
        # More than its price came in when staff accepted an odd amount.
        order.refunded_fen = min(order.total_fen, order.refunded_fen + amount_fen)
        order.save(update_fields=["refunded_fen"])


def _end_empty_order(
    attempt: PaymentAttempt, order: Order, refund: Refund, *, now: datetime
) -> None:
    """An order of which nothing is left is refunded, and lets its plans go, and the codes that
    nobody has."""
    is_empty = attempt.refunded_fen == attempt.received_fen
    if not is_empty and order.refunded_fen < order.total_fen:
        return
    check_transition(ORDER_TRANSITIONS, order.state, Order.State.REFUNDED)
    order.state = Order.State.REFUNDED
    order.save(update_fields=["state"])
    left = OrderLine.objects.filter(order=order, refunded_at__isnull=True)
    for line in left.filter(person__isnull=True).select_related("order"):
        void_codes(line=line, count=None, reference=refund.number, now=now)
    left.update(is_live=False, refunded_at=now)


def fail_try(
    row: RefundTry, refund: Refund, order: Order, reason: str, now: datetime
) -> Outcome:
    """The gateway said no for good: staff try under another number, or otherwise."""
    if row.state not in (RefundTry.State.SENDING, RefundTry.State.UNKNOWN):
        return _fail_again(row, refund, reason)
    row.state, row.finished_at = RefundTry.State.FAILED, now
    row.failure = reason[:_FAILURE_LENGTH]
    row.save(update_fields=["state", "finished_at", "failure"])
    check_transition(REFUND_TRANSITIONS, refund.state, Refund.State.FAILED)
    refund.state, refund.due_at = Refund.State.FAILED, None
    refund.save(update_fields=["state", "due_at"])
    add_event(order, OrderEvent.Kind.REFUND_FAILED, now=now)
    logger.warning("refund %s: failed at the gateway: %s", row.number, reason)
    return Outcome.CLOSED


def _fail_again(row: RefundTry, refund: Refund, reason: str) -> Outcome:
    """A number that had failed is still stuck at the vendor's: nothing may be sent under
    another one, so the refund is before the eyes of finance again."""
    has_other = refund.tries.exclude(state=RefundTry.State.FAILED).exists()
    is_waiting = refund.state == Refund.State.APPROVED and not has_other
    if reason != STUCK_REASON or not is_waiting:
        return Outcome.UNCHANGED
    row.failure = reason
    row.save(update_fields=["failure"])
    refund.state, refund.due_at = Refund.State.FAILED, None
    refund.save(update_fields=["state", "due_at"])
    return Outcome.CLOSED


def _find_attempt(gateway: str, report: Report) -> PaymentAttempt | None:
    """The payment a report is about, by our number or, where that is missing, by the
    gateway's."""
    attempts = PaymentAttempt.objects.select_related("order").filter(gateway=gateway)
    if report.attempt_number:
        return attempts.filter(number=report.attempt_number).first()
    if report.gateway_number:
        return attempts.filter(gateway_number=report.gateway_number).first()
    return None


def _note_foreign(
    gateway: str, report: Report, now: datetime, message: GatewayMessage | None
) -> Outcome:
    if report.state is not State.REFUNDED:
        return Outcome.UNCHANGED
    attempt = _find_attempt(gateway, report)
    kind = PaymentException.Kind.FOREIGN_REFUND
    number = attempt.number if attempt is not None else report.attempt_number
    if complete_foreign(gateway, number, report.refund_number, report.amount_fen):
        return Outcome.EXCEPTION
    record_exception(
        kind=kind,
        gateway=gateway,
        attempt_number=number,
        attempt=attempt,
        amount_fen=report.amount_fen,
        message=message,
        now=now,
        refund_number=report.refund_number[:64],
    )
    if attempt is not None:
        add_event(
            attempt.order,
            OrderEvent.Kind.EXCEPTION,
            now=now,
            detail=str(kind.label),
            once=True,
        )
    return Outcome.EXCEPTION
