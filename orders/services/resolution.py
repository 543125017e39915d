"""What finance staff do about a payment exception."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services import record_audit
from orders.errors import ExceptionNotAcceptableError, ExceptionResolvedError
from orders.locks import lock_attempt, lock_exception, lock_order
from orders.models import Order, OrderEvent, PaymentAttempt, PaymentException
from orders.services.settlement import accept_reviewed
from orders.services.trace import add_event

Outcome = PaymentException.Outcome


@transaction.atomic
def resolve_exception(
    *, exception_id: int, outcome: Outcome, reason: str, actor: User, now: datetime
) -> PaymentException:
    """Close an exception with a reason; ACCEPTED also settles the order it is about.

    RETURNED says that the money went back by other means, NOTED that none has to: both let
    an attempt under review go, so that the order can be paid anew or expires.

    Raises `ExceptionResolvedError` and `ExceptionNotAcceptableError`.
    """
    unlocked = PaymentException.objects.get(pk=exception_id)
    attempt = lock_attempt(unlocked.attempt_number, unlocked.gateway)
    order = lock_order(attempt.order_id) if attempt is not None else None
    exception = lock_exception(exception_id)
    if exception.state == PaymentException.State.RESOLVED:
        raise ExceptionResolvedError
    exception.state = PaymentException.State.RESOLVED
    exception.outcome = outcome
    exception.resolution = reason
    exception.resolved_at = now
    exception.resolved_by = actor
    exception.save()
    if outcome == Outcome.ACCEPTED:
        _accept(attempt, order, now)
    elif attempt is not None and attempt.state == PaymentAttempt.State.REVIEW:
        attempt.state = PaymentAttempt.State.CLOSED
        attempt.closed_at = now
        attempt.save(update_fields=["state", "closed_at"])
    if order is not None:
        detail = f"{Outcome(outcome).label}：{reason}"[:200]
        kind = OrderEvent.Kind.EXCEPTION
        add_event(order, kind, now=now, actor=actor, detail=detail)
    record_audit(
        action="orders.payment_exception_resolved",
        target=f"attempt:{exception.attempt_number}",
        actor=actor,
        now=now,
        detail={"kind": exception.kind, "outcome": outcome, "reason": reason},
    )
    return exception


def _accept(attempt: PaymentAttempt | None, order: Order | None, now: datetime) -> None:
    if attempt is None or order is None:
        raise ExceptionNotAcceptableError("没有对应的订单，不能确认到账，请退回款项。")
    if attempt.state != PaymentAttempt.State.REVIEW:
        raise ExceptionNotAcceptableError("该笔款项不能再用于订单，请退回款项。")
    accept_reviewed(attempt, order, now=now)
    if order.state != Order.State.PAID:
        raise ExceptionNotAcceptableError("订单已关闭且不能再开通，请退回款项。")
