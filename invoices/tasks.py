"""Wake-up calls for invoices; the rows say what is to be done."""

from celery import shared_task
from django.utils import timezone

from invoices import services

INVOICES_PER_SWEEP = 100


@shared_task
def issue_invoice(invoice_id: int, **_kwargs: object) -> None:
    """Issue one claimed invoice."""
    services.issue_invoice(invoice_id=invoice_id, now=timezone.now())


@shared_task
def issue_requested_invoices(**_kwargs: object) -> None:
    """Pull the requests of paid orders, adjust the invoices of refunded ones; issue what is
    due, each in a task of its own."""
    now = timezone.now()
    services.pull_requests(now=now)
    services.adjust_refunded(now=now)
    for invoice_id in services.claim_due_invoices(now=now, limit=INVOICES_PER_SWEEP):
        issue_invoice.delay(invoice_id)
