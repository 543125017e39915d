"""Money that fits no order: noted here, decided by finance staff."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from orders.locks import find_locked_foreign_refund
from orders.models import (
    GatewayMessage,
    OrderLine,
    PaymentAttempt,
    PaymentException,
)


def record_exception(
    *,
    kind: PaymentException.Kind,
    gateway: str,
    attempt_number: str,
    attempt: PaymentAttempt | None,
    amount_fen: int | None,
    message: GatewayMessage | None,
    now: datetime,
    refund_number: str = "",
) -> None:
    """Note a thing for staff to decide, once: a repeated message, even after the decision,
    is not a second thing."""
    what = {
        "kind": kind,
        "gateway": gateway,
        "attempt_number": attempt_number,
        "refund_number": refund_number,
        "line": None,
    }
    if PaymentException.objects.filter(**what).exists():
        return
    try:
        with transaction.atomic():
            PaymentException.objects.create(
                **what,
                attempt=attempt,
                message=message,
                amount_fen=storable(amount_fen),
                raised_at=now,
            )
    except IntegrityError:
        # Another process has just noted the same; the constraint lets one through.
        return


def complete_foreign(
    gateway: str, attempt_number: str, refund_number: str, amount_fen: int | None
) -> bool:
    """Add the amount to what was noted of a foreign refund without one.

    A note may not even name the refund, only its payment; the bill names both. Tells whether
    there was something to complete.
    """
    amount = storable(amount_fen)
    if amount is None:
        return False
    number = refund_number[:64]
    row = find_locked_foreign_refund(gateway, attempt_number, number)
    if row is None:
        return False
    row.refund_number, row.amount_fen = number, amount
    row.save(update_fields=["refund_number", "amount_fen"])
    return True


def record_seat_exceptions(
    lines: Iterable[OrderLine],
    *,
    kind: PaymentException.Kind,
    attempt: PaymentAttempt,
    message: GatewayMessage | None,
    now: datetime,
) -> None:
    """Note single seats of an order whose money is to go back; the rest of it is settled."""
    PaymentException.objects.bulk_create(
        [
            PaymentException(
                kind=kind,
                gateway=attempt.gateway,
                attempt_number=attempt.number,
                attempt=attempt,
                line=line,
                message=message,
                amount_fen=line.price_fen * line.quantity,
                raised_at=now,
            )
            for line in lines
        ],
        batch_size=1000,
        ignore_conflicts=True,
    )


def end_unknown(attempt: PaymentAttempt, *, now: datetime) -> None:
    """Close what was noted about an attempt's number before its row could be seen."""
    PaymentException.objects.filter(
        kind=PaymentException.Kind.UNKNOWN_ATTEMPT,
        gateway=attempt.gateway,
        attempt_number=attempt.number,
        state=PaymentException.State.OPEN,
    ).update(
        state=PaymentException.State.RESOLVED,
        outcome=PaymentException.Outcome.ACCEPTED,
        attempt=attempt,
        resolution="支付记录随后出现，已自动核对入账",
        resolved_at=now,
    )


def is_resolved(kind: PaymentException.Kind, attempt: PaymentAttempt) -> bool:
    """Whether staff have already decided about this kind of thing with an attempt."""
    return PaymentException.objects.filter(
        kind=kind,
        gateway=attempt.gateway,
        attempt_number=attempt.number,
        # A single refund of it is another thing.
        refund_number="",
        line=None,
        state=PaymentException.State.RESOLVED,
    ).exists()


def storable(amount_fen: int | None) -> int | None:
    """Alipay allows 100 million yuan, a column 21 million; the message has the figure."""
    return None if amount_fen is None or amount_fen >= 2**31 else amount_fen
