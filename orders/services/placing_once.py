"""Placing an order once, however often an app on a bad line asks for it."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from accounts.personal_data import blind_index
from catalog.models import Plan
from orders.errors import IdempotencyKeyReusedError
from orders.models import IdempotencyKey, Order
from orders.rules import InvoiceDetails
from orders.services.checkout import place_personal_order

# Longer than any app keeps trying; a key forgotten is a new key.
KEY_LIFETIME = timedelta(hours=24)


@transaction.atomic
def place_personal_order_once(
    *,
    key: str,
    buyer: User,
    plan: Plan,
    invoice: InvoiceDetails | None = None,
    shown_fen: int,
    now: datetime,
) -> tuple[Order, bool]:
    """Place an order under the key of the buyer's own making; the order, and whether it is new.

    `shown_fen` is the price that the buyer has seen. The same key with the same wish gives the
    order that was placed, whatever has become of it. What was refused leaves no key behind and
    may be tried again.

    Raises `IdempotencyKeyReusedError` for the same key with another wish, and whatever
    `place_personal_order` raises.
    """
    body_index = _index_of("body", _describe(plan, invoice, shown_fen))
    row = _claim(buyer, _index_of("key", key), body_index, now)
    if row.body_index != body_index:
        raise IdempotencyKeyReusedError
    if row.order is not None:
        return row.order, False
    row.order = place_personal_order(
        buyer=buyer, plan=plan, invoice=invoice, shown_fen=shown_fen, now=now
    )
    row.save(update_fields=["order"])
    return row.order, True


def forget_idempotency_keys(*, now: datetime) -> int:
    """Delete keys that have run out; how many."""
    gone, _ = IdempotencyKey.objects.filter(expires_at__lte=now).delete()
    return gone


def _claim(
    buyer: User, key_index: str, body_index: str, now: datetime
) -> IdempotencyKey:
    """The row of a key. Of two requests at once the second waits here for the first."""
    IdempotencyKey.objects.filter(
        person=buyer, key_index=key_index, expires_at__lte=now
    ).delete()
    row, _ = IdempotencyKey.objects.select_related("order").get_or_create(
        person=buyer,
        key_index=key_index,
        defaults={"body_index": body_index, "expires_at": now + KEY_LIFETIME},
    )
    return row


def _index_of(kind: str, text: str) -> str:
    return blind_index().of(f"idempotency_{kind}", text)


def _describe(plan: Plan, invoice: InvoiceDetails | None, shown_fen: int) -> str:
    wish = {
        "plan": plan.code,
        "invoice": asdict(invoice) if invoice else None,
        "price_fen": shown_fen,
    }
    return json.dumps(wish, sort_keys=True, ensure_ascii=False)
