"""Providers of electronic invoices behind one protocol; they know no rows."""

from invoices.providers.base import (
    InvoiceOrder,
    InvoiceProvider,
    IssuedInvoice,
    Party,
)

__all__ = ["InvoiceOrder", "InvoiceProvider", "IssuedInvoice", "Party"]
