"""Invoices follow refunds: what was issued is reversed (红冲), the rest invoiced anew.

Pulled from orders, which know nothing of invoices; a sweep finds what a dead worker left.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from invoices import queries
from invoices.locks import lock_invoice, lock_order
from invoices.models import Invoice
from invoices.rules import check_transition
from invoices.services.requests import write_remark
from orders.models import Order
from portal.lib.codes import random_code

# Orders looked at by one sweep; each takes one transaction.
REVERSAL_LIMIT = 200
# What an invoice copies from the one it reverses or takes the place of.
_COPIED = (
    *("buyer_kind", "title", "credit_code", "email"),
    *("seller_name", "seller_credit_code", "item_name"),
)


def adjust_refunded(*, now: datetime) -> int:
    """Adjust the invoices of orders of which money went back; return how many changed."""
    return sum(
        _adjust(order_id, now)
        for order_id in queries.list_orders_to_adjust(REVERSAL_LIMIT)
    )


@transaction.atomic
def _adjust(order_id: int, now: datetime) -> bool:
    order = lock_order(order_id)
    known = queries.find_live_invoice(order)
    if known is None or known.amount_fen == queries.invoiceable_fen(order):
        return False
    invoice = lock_invoice(known.pk)
    if invoice.state == Invoice.State.ISSUED:
        return _ask_for_reversal(invoice, now)
    if invoice.state == Invoice.State.REQUESTED or invoice.is_refused:
        return _change_unissued(invoice, order)
    # Being issued, or in doubt: once it is issued, it is reversed.
    return False


def _ask_for_reversal(invoice: Invoice, now: datetime) -> bool:
    """Ask for the red invoice of a blue one, once."""
    if invoice.corrections.filter(kind=Invoice.Kind.RED).exists():
        return False
    _copy(invoice, Invoice.Kind.RED, invoice.amount_fen, invoice.remark, now)
    return True


def _change_unissued(invoice: Invoice, order: Order) -> bool:
    """Of an invoice that does not exist yet the amount can simply be another."""
    rest = queries.invoiceable_fen(order)
    if rest:
        invoice.amount_fen, invoice.remark = rest, write_remark(order)
        invoice.save(update_fields=["amount_fen", "remark"])
        return True
    if invoice.is_refused:
        return False
    # Nothing is left to be invoiced, and nobody shall try.
    invoice.state, invoice.is_refused = Invoice.State.FAILED, True
    invoice.failure, invoice.due_at = "订单已退款，不再开具", None
    invoice.save(update_fields=["state", "is_refused", "failure", "due_at"])
    return True


def finish_reversal(red: Invoice, *, now: datetime) -> None:
    """Mark what a red invoice reversed, and ask for an invoice of what is left.

    Called in the transaction that stores the red invoice.
    """
    assert red.corrects_id is not None  # noqa: S101 - red ones are made above only
    blue = lock_invoice(red.corrects_id)
    check_transition(blue.state, Invoice.State.REVERSED)
    blue.state = Invoice.State.REVERSED
    blue.save(update_fields=["state"])
    order = Order.objects.get(pk=blue.order_id)
    rest = queries.invoiceable_fen(order)
    if rest:
        _copy(blue, Invoice.Kind.BLUE, rest, write_remark(order), now)


def _copy(
    invoice: Invoice, kind: Invoice.Kind, amount_fen: int, remark: str, now: datetime
) -> Invoice:
    """Ask for an invoice with the same parties; `corrects` names the one it is about."""
    return Invoice.objects.create(
        request_number=f"F{timezone.localdate(now):%y%m%d}{random_code(13)}",
        order_id=invoice.order_id,
        kind=kind,
        corrects=invoice,
        amount_fen=amount_fen,
        remark=remark,
        requested_at=now,
        due_at=now,
        **{name: getattr(invoice, name) for name in _COPIED},
    )
