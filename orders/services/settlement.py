"""The one place where payment changes state, whoever reports it.

Gateways report by notification, query or bill; `apply_report` compares the report with our own
record under row locks and decides. It may be called with the same report any number of times,
from any number of processes at once.
"""

import logging
from datetime import datetime

from django.db import transaction

from orders.locks import lock_attempt, lock_order
from orders.models import (
    GatewayMessage,
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
    PaymentException,
)
from orders.payments.protocol import Report, State
from orders.rules import (
    ATTEMPT_TRANSITIONS,
    ORDER_TRANSITIONS,
    Mismatch,
    check_transition,
    find_mismatch,
)
from orders.services.delivery import deliver_order, reclaim_lines
from orders.services.exceptions import (
    end_unknown,
    is_resolved,
    record_exception,
    record_seat_exceptions,
    storable,
)
from orders.services.outcomes import Outcome
from orders.services.refunds.settling import apply_refund_report
from orders.services.trace import add_event

logger = logging.getLogger(__name__)

Source = GatewayMessage.Source

_KIND_OF_MISMATCH = {
    Mismatch.AMOUNT: PaymentException.Kind.AMOUNT,
    Mismatch.SELLER: PaymentException.Kind.SELLER,
}


# Columns of an attempt that say what has come.
_MONEY = ("paid_at", "gateway_number", "received_fen")


@transaction.atomic
def apply_report(
    *,
    gateway: str,
    report: Report,
    source: Source,
    now: datetime,
    message: GatewayMessage | None = None,
) -> Outcome:
    """Let a verified report change the attempt and order it is about.

    Paid is final. Money that fits no order becomes a `PaymentException`; nothing is dropped.
    """
    # A report about money going back is never one of a payment, whatever its trade state.
    if report.refund_number:
        return apply_refund_report(
            gateway=gateway, report=report, now=now, message=message
        )
    if report.state not in (State.PAID, State.CLOSED, State.REFUNDED):
        return Outcome.UNCHANGED
    attempt = lock_attempt(report.attempt_number, gateway)
    if attempt is None:
        return _report_unknown(gateway, report, now, message)
    order = lock_order(attempt.order_id)
    if report.state is State.PAID:
        _trace_report(order, source, now, message)
        return _apply_payment(attempt, order, report, now, message)
    if report.state is State.REFUNDED:
        return _hold_refunded(attempt, order, report, now, message)
    return _close_attempt(attempt, now)


def _apply_payment(
    attempt: PaymentAttempt,
    order: Order,
    report: Report,
    now: datetime,
    message: GatewayMessage | None,
) -> Outcome:
    """Compare reported money with what was asked for, and take it or hold it."""
    if attempt.state == attempt.State.PAID:
        return Outcome.UNCHANGED
    if attempt.refunds.exclude(state="cancelled").exists():
        # Staff have sent back what came; whatever differs, the bill of the day will show.
        return Outcome.UNCHANGED
    mismatch = find_mismatch(
        expected_fen=attempt.amount_fen,
        expected_seller=attempt.seller,
        paid_fen=report.amount_fen,
        currency=report.currency,
        seller=report.seller,
    )
    if mismatch is not None:
        return _hold_for_review(attempt, order, report, mismatch, now, message)
    _note_money(attempt, report, now)
    _mark_attempt_paid(attempt, now)
    end_unknown(attempt, now=now)
    return pay_order(order, attempt, now=now, message=message)


def pay_order(
    order: Order,
    attempt: PaymentAttempt,
    *,
    now: datetime,
    message: GatewayMessage | None = None,
) -> Outcome:
    """Turn the money of a paid attempt into a paid order and open enrolments.

    The caller holds the locks of both. Late money on a closed order is accepted for
    everybody on it for whom the plan is still free. Seats that cannot be used become
    exceptions of their own and hold up nobody else; money none of which can be used is one.
    """
    if order.state in (Order.State.PAID, Order.State.REFUNDED):
        kind = PaymentException.Kind.DUPLICATE
        return _make_exception(kind, attempt, order, now, message)
    lost: list[OrderLine] = []
    if order.state != Order.State.PENDING:
        lost = reclaim_lines(order, now=now)
        if len(lost) == order.lines.count():
            kind = PaymentException.Kind.LATE
            return _make_exception(kind, attempt, order, now, message)
    check_transition(ORDER_TRANSITIONS, order.state, Order.State.PAID)
    order.state = Order.State.PAID
    order.paid_at = attempt.paid_at
    order.closed_at = None
    order.save(update_fields=["state", "paid_at", "closed_at"])
    attempt.pays_order = True
    attempt.save(update_fields=["pays_order"])
    add_event(order, OrderEvent.Kind.PAID, now=now)
    # Enrolled meanwhile by a code, a voucher or staff: this money is a second payment.
    doubled = deliver_order(order, now=now)
    seats = {PaymentException.Kind.LATE: lost, PaymentException.Kind.DUPLICATE: doubled}
    for kind, lines in seats.items():
        record_seat_exceptions(
            lines, kind=kind, attempt=attempt, message=message, now=now
        )
        if lines:
            _trace_exception(order, kind, now, seats=len(lines))
    return Outcome.EXCEPTION if lost or doubled else Outcome.SETTLED


def _close_attempt(attempt: PaymentAttempt, now: datetime) -> Outcome:
    """Note that nobody can pay an attempt any more. Alipay calls a fully refunded payment
    closed as well, so only a waiting attempt is touched."""
    if attempt.state != attempt.State.WAITING:
        return Outcome.UNCHANGED
    _change_attempt(attempt, attempt.State.CLOSED)
    attempt.closed_at = now
    attempt.save(update_fields=["state", "closed_at"])
    return Outcome.CLOSED


def _note_money(attempt: PaymentAttempt, report: Report, now: datetime) -> None:
    """Write down what has come, whether it can be used or not; the caller saves."""
    attempt.gateway_number = report.gateway_number
    attempt.received_fen = storable(report.amount_fen)
    # The gateway's own time decides to which day and year the money belongs.
    attempt.paid_at = min(report.paid_at or now, now)


def _mark_attempt_paid(attempt: PaymentAttempt, now: datetime) -> None:
    _change_attempt(attempt, attempt.State.PAID)
    attempt.paid_at = attempt.paid_at or now
    attempt.save(update_fields=["state", *_MONEY])


def accept_reviewed(attempt: PaymentAttempt, order: Order, *, now: datetime) -> Outcome:
    """Accept what came for an attempt under review, as staff decided. The caller holds the
    locks of both."""
    _mark_attempt_paid(attempt, now)
    return pay_order(order, attempt, now=now)


def _change_attempt(attempt: PaymentAttempt, state: PaymentAttempt.State) -> None:
    check_transition(ATTEMPT_TRANSITIONS, attempt.state, state)
    attempt.state = state


def _hold_for_review(
    attempt: PaymentAttempt,
    order: Order,
    report: Report,
    mismatch: Mismatch,
    now: datetime,
    message: GatewayMessage | None,
) -> Outcome:
    kind = _KIND_OF_MISMATCH[mismatch]
    if is_resolved(kind, attempt):
        # A repetition of what staff have decided must not hold the order again.
        return Outcome.UNCHANGED
    if attempt.state != attempt.State.REVIEW:
        _change_attempt(attempt, attempt.State.REVIEW)
    _note_money(attempt, report, now)
    attempt.save(update_fields=["state", *_MONEY])
    record_exception(
        kind=kind,
        gateway=attempt.gateway,
        attempt_number=attempt.number,
        attempt=attempt,
        amount_fen=report.amount_fen,
        message=message,
        now=now,
    )
    _trace_exception(order, kind, now)
    return Outcome.EXCEPTION


def _hold_refunded(
    attempt: PaymentAttempt,
    order: Order,
    report: Report,
    now: datetime,
    message: GatewayMessage | None,
) -> Outcome:
    """Of a payment we know, this is our own refund or becomes a note about one. One that we
    never heard of has come and gone again without us: staff look at it."""
    kind = PaymentException.Kind.FOREIGN_REFUND
    untouched = (attempt.State.WAITING, attempt.State.CLOSED)
    if attempt.state not in untouched or attempt.received_fen is not None:
        return Outcome.UNCHANGED
    if is_resolved(kind, attempt):
        return Outcome.UNCHANGED
    _change_attempt(attempt, attempt.State.REVIEW)
    attempt.save(update_fields=["state"])
    return _make_exception(kind, attempt, order, now, message)


def _make_exception(
    kind: PaymentException.Kind,
    attempt: PaymentAttempt,
    order: Order,
    now: datetime,
    message: GatewayMessage | None,
) -> Outcome:
    record_exception(
        kind=kind,
        gateway=attempt.gateway,
        attempt_number=attempt.number,
        attempt=attempt,
        amount_fen=attempt.amount_fen,
        message=message,
        now=now,
    )
    _trace_exception(order, kind, now)
    return Outcome.EXCEPTION


def _report_unknown(
    gateway: str, report: Report, now: datetime, message: GatewayMessage | None
) -> Outcome:
    if report.state is not State.PAID:
        return Outcome.UNCHANGED
    record_exception(
        kind=PaymentException.Kind.UNKNOWN_ATTEMPT,
        gateway=gateway,
        attempt_number=report.attempt_number,
        attempt=None,
        amount_fen=report.amount_fen,
        message=message,
        now=now,
    )
    return Outcome.EXCEPTION


def _trace_report(
    order: Order, source: Source, now: datetime, message: GatewayMessage | None
) -> None:
    kind = (
        OrderEvent.Kind.NOTIFIED
        if source == Source.NOTIFICATION
        else OrderEvent.Kind.QUERIED
    )
    at = message.received_at if message is not None else now
    add_event(order, kind, now=at, once=True)


def _trace_exception(
    order: Order, kind: PaymentException.Kind, now: datetime, *, seats: int = 0
) -> None:
    detail = str(PaymentException.Kind(kind).label)
    if seats and seats < order.lines.count():
        detail = f"{detail}（{seats}人）"
    add_event(order, OrderEvent.Kind.EXCEPTION, now=now, detail=detail, once=True)
    logger.warning("order %s: payment exception %s", order.number, kind)
