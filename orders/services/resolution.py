"""What finance staff do about a payment exception."""

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import record_audit
from orders.errors import ExceptionNotAcceptableError, ExceptionResolvedError
from orders.locks import lock_attempt, lock_exception, lock_order, lock_people
from orders.models import (
    Order,
    OrderEvent,
    OrderLine,
    PaymentAttempt,
    PaymentException,
)
from orders.services.delivery import deliver_lines
from orders.services.refunds.returning import book_foreign_refund, return_exception
from orders.services.settlement import accept_reviewed, pay_order
from orders.services.trace import add_event

Kind = PaymentException.Kind
Outcome = PaymentException.Outcome


@transaction.atomic
def resolve_exception(
    *,
    exception_id: int,
    outcome: Outcome,
    reason: str,
    actor: User,
    now: datetime,
    amount_fen: int | None = None,
) -> PaymentException:
    """Close an exception with a reason.

    ACCEPTED settles the order the money came for, or books a refund made at the vendor's
    console; where its note named no amount, `amount_fen` is what finance read there.
    RETURNED starts a refund of the money at its gateway. NOTED says that nothing is to be
    done. The last two let an attempt under review go, so that the order can be paid anew or
    expires.

    Raises `ExceptionResolvedError`, `ExceptionNotAcceptableError` and `RefundRefusedError`.
    """
    unlocked = PaymentException.objects.get(pk=exception_id)
    attempt = lock_attempt(unlocked.attempt_number, unlocked.gateway)
    order = lock_order(attempt.order_id) if attempt is not None else None
    exception = lock_exception(exception_id)
    if exception.state == PaymentException.State.RESOLVED:
        raise ExceptionResolvedError
    if exception.amount_fen is None and exception.kind == Kind.FOREIGN_REFUND:
        exception.amount_fen = amount_fen
    _close(exception, outcome, reason, actor, now)
    if attempt is not None and order is not None:
        _follow(exception, attempt, order, actor, now)
        detail = f"{Outcome(outcome).label}：{reason}"[:200]
        kind = OrderEvent.Kind.EXCEPTION
        add_event(order, kind, now=now, actor=actor, detail=detail)
    elif outcome != Outcome.NOTED:
        raise ExceptionNotAcceptableError(
            "没有对应的支付记录，请在渠道后台核对处理后选择“无需处理”。"
        )
    record_audit(
        action="orders.payment_exception_resolved",
        target=f"attempt:{exception.attempt_number}",
        actor=actor,
        now=now,
        detail={
            "kind": exception.kind,
            "outcome": outcome,
            "reason": reason,
        }
        | ({} if amount_fen is None else {"amount_fen": amount_fen}),
    )
    return exception


def _close(
    exception: PaymentException,
    outcome: Outcome,
    reason: str,
    actor: User,
    now: datetime,
) -> None:
    exception.state = PaymentException.State.RESOLVED
    exception.outcome = outcome
    exception.resolution = reason[:200]
    exception.resolved_at = now
    exception.resolved_by = actor
    exception.save()


def _follow(
    exception: PaymentException,
    attempt: PaymentAttempt,
    order: Order,
    actor: User,
    now: datetime,
) -> None:
    """Do to attempt and order what the outcome says. The caller holds the locks."""
    reason = exception.resolution
    if exception.outcome == Outcome.ACCEPTED:
        if exception.kind == Kind.FOREIGN_REFUND:
            _accept_foreign(exception, attempt, order, actor, now)
        elif exception.line is not None:
            _accept_seat(exception.line, order, now)
        else:
            _accept(attempt, order, now)
        return
    if exception.outcome == Outcome.RETURNED:
        if exception.kind == Kind.FOREIGN_REFUND:
            raise ExceptionNotAcceptableError("该笔款项已在渠道侧退回，不能再次退款。")
        return_exception(exception, attempt, order, reason=reason, actor=actor, now=now)
    if attempt.state == PaymentAttempt.State.REVIEW:
        _let_go(attempt, now)


def _accept_foreign(
    exception: PaymentException,
    attempt: PaymentAttempt,
    order: Order,
    actor: User,
    now: datetime,
) -> None:
    """Book what went back at the vendor's console; of a payment that came and went without
    our hearing, that it came as well, so that the books of both sides agree."""
    is_unheard = (
        attempt.state == PaymentAttempt.State.REVIEW and attempt.received_fen is None
    )
    if is_unheard:
        attempt.received_fen, attempt.paid_at = exception.amount_fen, now
        attempt.save(update_fields=["received_fen", "paid_at"])
    book_foreign_refund(
        exception,
        attempt,
        order,
        reason=exception.resolution,
        actor=actor,
        now=now,
    )
    if is_unheard:
        _let_go(attempt, now)


def _let_go(attempt: PaymentAttempt, now: datetime) -> None:
    attempt.state, attempt.closed_at = PaymentAttempt.State.CLOSED, now
    attempt.save(update_fields=["state", "closed_at"])


def _accept(attempt: PaymentAttempt, order: Order, now: datetime) -> None:
    """Use money for its order: an odd amount as it is, or late money once the plan is free."""
    if attempt.state == PaymentAttempt.State.REVIEW:
        accept_reviewed(attempt, order, now=now)
    elif (
        attempt.state == PaymentAttempt.State.PAID
        and order.state in (Order.State.CANCELLED, Order.State.EXPIRED)
        and not attempt.refunds.exists()
    ):
        pay_order(order, attempt, now=now)
    else:
        raise ExceptionNotAcceptableError("该笔款项不能再用于订单，请退回款项。")
    if not attempt.pays_order:
        raise ExceptionNotAcceptableError("订单已关闭且不能再开通，请退回款项。")


def _accept_seat(line: OrderLine, order: Order, now: datetime) -> None:
    """Let a seat stand: its person may study by this order as well."""
    if line.refunded_at is not None or line.refund_lines.filter(is_live=True).exists():
        raise ExceptionNotAcceptableError("该人员的款项已退回或正在退款。")
    lock_people([line.person_id] if line.person_id is not None else [])
    try:
        with transaction.atomic():
            OrderLine.objects.filter(pk=line.pk).update(is_live=True)
    except IntegrityError as error:
        raise ExceptionNotAcceptableError("该人员另有有效订单，请退回款项。") from error
    deliver_lines(order, [line], now=now)
