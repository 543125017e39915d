"""The embedded provider: invoices that look like real ones and say that they are samples."""

import hashlib
from datetime import datetime
from xml.etree import ElementTree

from django.utils import timezone

from invoices.providers.base import InvoiceOrder, IssuedInvoice, Party
from portal.lib.money import format_yuan

# Chongqing's code, and a channel digit that the tax platform has not given out.
PROVINCE, SAMPLE_CHANNEL = "50", "0"
SERIAL_DIGITS = 15


class SampleInvoiceProvider:
    """Issues at once and without any network; the number follows from the request's."""

    is_sample = True

    def issue(self, order: InvoiceOrder, *, now: datetime) -> IssuedInvoice:
        number = make_sample_number(order.request_number, now)
        return IssuedInvoice(
            number=number, issued_at=now, xml=write_xml(order, number, now)
        )


def make_sample_number(request_number: str, now: datetime) -> str:
    """Return a number of the real shape; the same request always gets the same serial."""
    digest = hashlib.sha256(request_number.encode()).digest()
    serial = int.from_bytes(digest[:8]) % 10**SERIAL_DIGITS
    year = timezone.localdate(now).year % 100
    return f"{year:02d}{PROVINCE}{SAMPLE_CHANNEL}{serial:0{SERIAL_DIGITS}d}"


def write_xml(order: InvoiceOrder, number: str, now: datetime) -> bytes:
    """Return the invoice's data as XML, marked as a sample."""
    root = ElementTree.Element("SampleEInvoice", {"legal": "false"})
    header = {
        "InvoiceNumber": number,
        "IssueTime": timezone.localtime(now).isoformat(timespec="seconds"),
        "Notice": "样票，仅供演示，不得作为报销凭证",
    }
    if order.reverses:
        header["ReversedInvoiceNumber"] = order.reverses
    _add(root, "Header", header)
    _add(root, "Seller", _describe(order.seller))
    _add(root, "Buyer", _describe(order.buyer))
    sign = -1 if order.reverses else 1
    amounts = {
        "Name": order.item_name,
        "Amount": format_yuan(sign * order.net_fen),
        "TaxRatePermille": str(order.tax_rate_permille),
        "Tax": format_yuan(sign * order.tax_fen),
        "Total": format_yuan(sign * order.total_fen),
    }
    _add(root, "Item", amounts)
    _add(root, "Remark", {"Text": order.remark})
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _describe(party: Party) -> dict[str, str]:
    return {"Name": party.name, "TaxpayerId": party.credit_code}


def _add(root: ElementTree.Element, name: str, values: dict[str, str]) -> None:
    element = ElementTree.SubElement(root, name)
    for key, value in values.items():
        ElementTree.SubElement(element, key).text = value
