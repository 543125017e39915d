"""Sending back money that fits no order, and noting what went back without us."""

from datetime import datetime

from django.utils import timezone

from accounts.models import User
from orders.errors import RefundRefusedError
from orders.models import (
    Order,
    PaymentAttempt,
    PaymentException,
    Refund,
    RefundLine,
    RefundTry,
)
from orders.queries.refunds import (
    Part,
    count_left,
    count_left_fen,
    list_refundable_lines,
)
from orders.rules import make_refund_number
from orders.services.delivery import take_back
from orders.services.refunds.deciding import approve
from orders.services.refunds.settling import complete_refund
from portal.lib.money import format_yuan


def return_exception(
    exception: PaymentException,
    attempt: PaymentAttempt,
    order: Order,
    *,
    reason: str,
    actor: User,
    now: datetime,
) -> Refund:
    """Send back the money of an exception: of a seat, or of an attempt that pays nothing.

    The caller holds the locks of all three. Raises `RefundRefusedError`.
    """
    if exception.line is None and attempt.pays_order:
        raise RefundRefusedError("该笔款项已用于支付订单，请从订单发起退款。")
    left = count_left_fen(attempt)
    # Of an attempt without use everything that came goes back.
    amount = left if exception.line is None else min(exception.amount_fen or 0, left)
    if amount == 0:
        raise RefundRefusedError("该笔款项没有可退的金额，请核对渠道后台。")
    refund = _create(exception, attempt, order, amount, Refund.Origin.EXCEPTION, now)
    refund.requested_by, refund.reason = actor, reason[:200]
    line = exception.line
    if line is not None:
        if not list_refundable_lines(order).filter(pk=line.pk).exists():
            raise RefundRefusedError("该人员的款项已退回或正在退款。")
        RefundLine.objects.create(
            refund=refund, line=line, quantity=line.quantity, amount_fen=amount
        )
    approve(refund, attempt, order, actor=actor, now=now, decision=reason[:200])
    return refund


def book_foreign_refund(
    exception: PaymentException,
    attempt: PaymentAttempt,
    order: Order,
    *,
    reason: str,
    actor: User,
    now: datetime,
) -> Refund:
    """Book what was paid back at the vendor's console, as finance confirm it.

    When all that was left of an order's money has gone, its plans go as well; of a part
    nobody knows whose it was, so the access of nobody ends. The caller holds the locks.
    Raises `RefundRefusedError`.
    """
    amount = exception.amount_fen
    if amount is None:
        raise RefundRefusedError("渠道未告知退款金额，请在渠道后台核对后填写。")
    left = count_left_fen(attempt)
    if not 0 < amount <= left:
        raise RefundRefusedError(
            f"渠道退款金额与可退金额（{format_yuan(left)}元）不符，请核对后选择无需处理。"
        )
    lines = list(list_refundable_lines(order)) if attempt.pays_order else []
    parts = [Part(line, count_left(line)) for line in lines]
    refund = _create(exception, attempt, order, amount, Refund.Origin.GATEWAY, now)
    refund.state, refund.reason = Refund.State.APPROVED, reason[:200]
    refund.decided_by, refund.decided_at = actor, now
    refund.save()
    RefundTry.objects.create(
        refund=refund,
        number=exception.refund_number or refund.number,
        gateway=attempt.gateway,
        state=RefundTry.State.DONE,
        created_at=now,
        finished_at=now,
    )
    if amount == left and parts:
        RefundLine.objects.bulk_create(
            [
                RefundLine(
                    refund=refund,
                    line=part.line,
                    quantity=part.quantity,
                    amount_fen=min(part.price_fen, amount),
                )
                for part in parts
            ],
            batch_size=1000,
        )
        # Codes that somebody has stay with their people.
        take_back(order, parts, reference=refund.number, now=now, all_codes=True)
    complete_refund(refund, attempt, order, now=now)
    return refund


def _create(
    exception: PaymentException,
    attempt: PaymentAttempt,
    order: Order,
    amount_fen: int,
    origin: Refund.Origin,
    now: datetime,
) -> Refund:
    return Refund.objects.create(
        number=make_refund_number(timezone.localdate(now)),
        order=order,
        attempt=attempt,
        exception=exception,
        origin=origin,
        amount_fen=amount_fen,
        reason=str(exception.get_kind_display()),
        requested_at=now,
    )
