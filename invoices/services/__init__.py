"""Use cases of invoices: requested, pulled from paid orders, issued."""

from invoices.services.issuing import claim_due_invoices, issue_invoice, issue_requested
from invoices.services.requests import pull_requests, request_invoice, retry_invoice
from invoices.services.reversal import adjust_refunded

__all__ = [
    "adjust_refunded",
    "claim_due_invoices",
    "issue_invoice",
    "issue_requested",
    "pull_requests",
    "request_invoice",
    "retry_invoice",
]
