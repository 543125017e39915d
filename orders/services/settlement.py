"""The one place where payment changes state, whoever reports it.

Gateways report by notification, query or bill; `apply_report` compares the report with our own
record under row locks and decides. It may be called with the same report any number of times,
from any number of processes at once.
"""

import logging
from collections import defaultdict
from datetime import datetime
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from learning.queries import list_holders
from learning.services import open_enrolments
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
from orders.services.exceptions import is_resolved, record_exception
from orders.services.trace import add_event

logger = logging.getLogger(__name__)

Source = GatewayMessage.Source

_KIND_OF_MISMATCH = {
    Mismatch.AMOUNT: PaymentException.Kind.AMOUNT,
    Mismatch.SELLER: PaymentException.Kind.SELLER,
}


class Outcome(StrEnum):
    """What came of a report."""

    SETTLED = "settled"
    CLOSED = "closed"
    EXCEPTION = "exception"
    UNCHANGED = "unchanged"


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
    if report.refund_number or report.state not in (State.PAID, State.CLOSED):
        return Outcome.UNCHANGED
    attempt = lock_attempt(report.attempt_number, gateway)
    if attempt is None:
        return _report_unknown(gateway, report, now, message)
    order = lock_order(attempt.order_id)
    if report.state is State.CLOSED:
        return _close_attempt(attempt, now)
    _trace_report(order, source, now, message)
    if attempt.state == attempt.State.PAID:
        return Outcome.UNCHANGED
    return _apply_payment(attempt, order, report, now, message)


def _apply_payment(
    attempt: PaymentAttempt,
    order: Order,
    report: Report,
    now: datetime,
    message: GatewayMessage | None,
) -> Outcome:
    """Compare reported money with what was asked for, and take it or hold it."""
    mismatch = find_mismatch(
        expected_fen=attempt.amount_fen,
        expected_seller=attempt.seller,
        paid_fen=report.amount_fen,
        currency=report.currency,
        seller=report.seller,
    )
    if mismatch is not None:
        return _hold_for_review(attempt, order, report, mismatch, now, message)
    # The gateway's own time decides to which day and year the money belongs.
    paid_at = min(report.paid_at or now, now)
    _mark_attempt_paid(attempt, report.gateway_number, paid_at)
    return pay_order(order, attempt, now=now, message=message)


def pay_order(
    order: Order,
    attempt: PaymentAttempt,
    *,
    now: datetime,
    message: GatewayMessage | None = None,
) -> Outcome:
    """Turn the money of a paid attempt into a paid order and open enrolments.

    The caller holds the locks of both. Late money on a closed order is accepted when the
    plan is still free for everybody on it; money that cannot be used becomes an exception.
    """
    if order.state in (Order.State.PAID, Order.State.REFUNDED):
        kind = PaymentException.Kind.DUPLICATE
        return _make_exception(kind, attempt, order, now, message)
    if order.state != Order.State.PENDING and not _reopen_lines(order, now):
        kind = PaymentException.Kind.LATE
        return _make_exception(kind, attempt, order, now, message)
    check_transition(ORDER_TRANSITIONS, order.state, Order.State.PAID)
    order.state = Order.State.PAID
    order.paid_at = attempt.paid_at
    order.closed_at = None
    order.save(update_fields=["state", "paid_at", "closed_at"])
    add_event(order, OrderEvent.Kind.PAID, now=now)
    if not _enrol(order, now):
        # Enrolled meanwhile by a code, a voucher or staff: this money is a second payment.
        kind = PaymentException.Kind.DUPLICATE
        return _make_exception(kind, attempt, order, now, message)
    return Outcome.SETTLED


def _enrol(order: Order, now: datetime) -> bool:
    """Open the plans of an order; tell whether all of them are open because of it."""
    people: dict[Plan, list[User]] = defaultdict(list)
    for line in order.lines.select_related("plan", "person").order_by("pk"):
        people[line.plan].append(line.person)
    opened_here = True
    for plan, users in people.items():
        enrolments = open_enrolments(
            plan=plan,
            users=users,
            source=Enrolment.Source.ORDER,
            source_number=order.number,
            now=now,
        )
        opened_here &= all(row.source_number == order.number for row in enrolments)
    add_event(order, OrderEvent.Kind.ENROLLED, now=now)
    return opened_here


def _reopen_lines(order: Order, now: datetime) -> bool:
    """Take the lines of a closed order back if the plan can still be studied by all of them
    and none has got it another way."""
    people: dict[Plan, list[int]] = defaultdict(list)
    for line in order.lines.select_related("plan").order_by("pk"):
        people[line.plan].append(line.person_id)
    today = timezone.localdate(now)
    if any(plan.training_end < today for plan in people):
        return False
    if any(list_holders(plan.pk, ids) for plan, ids in people.items()):
        return False
    try:
        with transaction.atomic():
            OrderLine.objects.filter(order=order).update(is_live=True)
    except IntegrityError:
        # Another order for one of these people waits or is paid.
        return False
    return True


def _close_attempt(attempt: PaymentAttempt, now: datetime) -> Outcome:
    """Note that nobody can pay an attempt any more. Alipay calls a fully refunded payment
    closed as well, so only a waiting attempt is touched."""
    if attempt.state != attempt.State.WAITING:
        return Outcome.UNCHANGED
    _change_attempt(attempt, attempt.State.CLOSED)
    attempt.closed_at = now
    attempt.save(update_fields=["state", "closed_at"])
    return Outcome.CLOSED


def _mark_attempt_paid(
    attempt: PaymentAttempt, gateway_number: str, paid_at: datetime
) -> None:
    _change_attempt(attempt, attempt.State.PAID)
    attempt.paid_at = paid_at
    attempt.gateway_number = gateway_number
    attempt.save(update_fields=["state", "paid_at", "gateway_number"])


def accept_reviewed(attempt: PaymentAttempt, order: Order, *, now: datetime) -> Outcome:
    """Accept what came for an attempt under review, as staff decided. The caller holds the
    locks of both."""
    _mark_attempt_paid(attempt, attempt.gateway_number, now)
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
        attempt.gateway_number = report.gateway_number
        attempt.save(update_fields=["state", "gateway_number"])
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


def _trace_exception(order: Order, kind: PaymentException.Kind, now: datetime) -> None:
    detail = str(PaymentException.Kind(kind).label)
    add_event(order, OrderEvent.Kind.EXCEPTION, now=now, detail=detail, once=True)
    logger.warning("order %s: payment exception %s", order.number, kind)
