"""Money that fits no order: noted here, decided by finance staff."""

from datetime import datetime

from django.db import IntegrityError, transaction

from orders.models import GatewayMessage, PaymentAttempt, PaymentException


def record_exception(
    *,
    kind: PaymentException.Kind,
    gateway: str,
    attempt_number: str,
    attempt: PaymentAttempt | None,
    amount_fen: int | None,
    message: GatewayMessage | None,
    now: datetime,
) -> None:
    """Note a thing for staff to decide, once: a repeated message, even after the decision,
    is not a second thing."""
    what = {"kind": kind, "gateway": gateway, "attempt_number": attempt_number}
    if PaymentException.objects.filter(**what).exists():
        return
    try:
        with transaction.atomic():
            PaymentException.objects.create(
                **what,
                attempt=attempt,
                message=message,
                amount_fen=_storable(amount_fen),
                raised_at=now,
            )
    except IntegrityError:
        # Another process has just noted the same; the constraint lets one through.
        return


def is_resolved(kind: PaymentException.Kind, attempt: PaymentAttempt) -> bool:
    """Whether staff have already decided about this kind of thing with an attempt."""
    return PaymentException.objects.filter(
        kind=kind,
        gateway=attempt.gateway,
        attempt_number=attempt.number,
        state=PaymentException.State.RESOLVED,
    ).exists()


def _storable(amount_fen: int | None) -> int | None:
    """Alipay allows 100 million yuan, a column 21 million; the message has the figure."""
    return None if amount_fen is None or amount_fen >= 2**31 else amount_fen
