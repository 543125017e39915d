"""Every row lock of the app. Order: the order, then its invoice."""

from datetime import datetime

from invoices.models import Invoice
from orders.locks import lock_order as lock_order_row
from orders.models import Order


def lock_order(order_id: int) -> Order:
    """The order, locked: two requests for its invoice wait for each other here."""
    return lock_order_row(order_id)


def lock_invoice(invoice_id: int) -> Invoice:
    return Invoice.objects.select_for_update(of=("self",)).get(pk=invoice_id)


def lock_due_invoices(now: datetime, limit: int) -> list[Invoice]:
    """Invoices to issue now, oldest first, skipping those just being claimed."""
    return list(
        Invoice.objects.select_for_update(skip_locked=True)
        .due(now)
        .order_by("due_at", "pk")[:limit]
    )
