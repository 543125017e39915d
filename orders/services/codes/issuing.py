"""Codes come into being with the payment, in its transaction."""

from datetime import datetime

from orders.models import ActivationCode, Order, OrderEvent
from orders.rules import make_secret
from orders.services.trace import add_event
from portal.lib.bulk_insert import insert_rows

_EACH = ("number", "secret_cipher", "secret_index")


def issue_codes(order: Order, *, now: datetime) -> None:
    """Make the codes that a paid order is for. The caller holds the lock of the order and
    has just turned it to paid, which happens once."""
    count = 0
    for line in order.lines.filter(person__isnull=True).order_by("pk"):
        insert_rows(
            ActivationCode,
            same={
                "line_id": line.pk,
                "owner_id": order.buyer_id,
                "plan_id": line.plan_id,
                "issued_at": now,
            },
            each=_EACH,
            rows=(_make_code() for _ in range(line.quantity)),
        )
        count += line.quantity
    add_event(order, OrderEvent.Kind.CODES_ISSUED, now=now, detail=f"{count}个")


def _make_code() -> tuple[str | bytes, ...]:
    code = ActivationCode()
    code.store_secret(make_secret())
    return code.number, bytes(code.secret_cipher), code.secret_index
