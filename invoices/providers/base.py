"""What a provider is asked and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Party:
    """Buyer or seller; `credit_code` is empty where none is needed."""

    name: str
    credit_code: str


@dataclass(frozen=True)
class InvoiceOrder:
    """One invoice to issue. All amounts in fen; `total_fen` is `net_fen` plus `tax_fen`.

    `request_number` is ours and stays the same over retries: by it a provider knows that
    it was asked before. With `reverses`, the number of an issued invoice, a red one (红字)
    is asked for that takes it back; the amounts are those of the reversed one, not negative.
    """

    request_number: str
    seller: Party
    buyer: Party
    item_name: str
    net_fen: int
    tax_fen: int
    tax_rate_permille: int
    remark: str
    reverses: str = ""

    @property
    def total_fen(self) -> int:
        return self.net_fen + self.tax_fen


@dataclass(frozen=True)
class IssuedInvoice:
    """What was issued. `xml` is the original data file (公告2024年第11号), `pdf` its picture.

    Either may be empty: a provider without a PDF of its own leaves it to the portal.
    """

    number: str
    issued_at: datetime
    pdf: bytes = b""
    xml: bytes = b""


class InvoiceProvider(Protocol):
    """Issues invoices at the tax platform, or as samples.

    `issue` raises `ProviderError` and comes back within a minute. Asked twice with one
    request number it must answer the same invoice and never issue a second one.
    """

    is_sample: bool

    def issue(self, order: InvoiceOrder, *, now: datetime) -> IssuedInvoice: ...
