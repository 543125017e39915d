"""Providers that misbehave, for tests of what the portal makes of it."""

from datetime import datetime

from invoices.errors import ProviderError
from invoices.providers import InvoiceOrder, IssuedInvoice


class FakeProvider:
    """Answers what the test says; `orders` are those it was asked for."""

    is_sample = False

    def __init__(self) -> None:
        self.orders: list[InvoiceOrder] = []
        self.error: ProviderError | None = None
        self.number = "26502000000000000001"
        self.pdf = b"%PDF-1.7 of the provider"

    def issue(self, order: InvoiceOrder, *, now: datetime) -> IssuedInvoice:
        self.orders.append(order)
        if self.error is not None:
            raise self.error
        return IssuedInvoice(self.number, now, pdf=self.pdf, xml=b"<xml/>")
