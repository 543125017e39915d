"""The buyer's wish for an invoice, as it is asked for after the purchase."""

from datetime import datetime

from orders.models import InvoiceRequest, Order
from orders.rules import InvoiceDetails


def note_invoice_request(
    *, order: Order, invoice: InvoiceDetails, now: datetime
) -> InvoiceRequest:
    """Write down to whom the order's invoice shall be made out; the last word counts.

    Whether it may still be asked for, or changed, is decided by the invoices app.
    """
    request, _ = InvoiceRequest.objects.update_or_create(
        order=order,
        defaults={
            "buyer_kind": invoice.buyer_kind,
            "title": invoice.title,
            "credit_code": invoice.credit_code,
            "email": invoice.email,
            "requested_at": now,
        },
    )
    return request
