"""Invoices issued through the provider; every step may run twice or be killed."""

import logging
from datetime import date, datetime, timedelta
from functools import cache

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.models import Message
from accounts.services import send_message
from invoices import documents, queries
from invoices.errors import ProviderError
from invoices.locks import lock_due_invoices, lock_invoice
from invoices.models import Invoice
from invoices.providers import InvoiceOrder, InvoiceProvider, IssuedInvoice, Party
from invoices.rules import (
    TaxRate,
    check_transition,
    find_rate,
    is_invoice_number,
    next_try,
    split_tax,
)
from invoices.services.requests import pull_requests
from invoices.services.reversal import adjust_refunded, finish_reversal
from portal.lib.pdf import PaperError

logger = logging.getLogger(__name__)

# How long a worker may be busy with an invoice; a provider answers within a minute.
LEASE = timedelta(seconds=120)
ISSUE_LIMIT = 200
FAILURE_LENGTH = 200


def issue_requested(*, now: datetime) -> int:
    """Pull the requests of paid orders, adjust those of refunded ones, and issue everything
    that is due; return how many."""
    pull_requests(now=now)
    adjust_refunded(now=now)
    due = claim_due_invoices(now=now, limit=ISSUE_LIMIT)
    for invoice_id in due:
        issue_invoice(invoice_id=invoice_id, now=now)
    return len(due)


@transaction.atomic
def claim_due_invoices(*, now: datetime, limit: int) -> list[int]:
    """Take up to `limit` due invoices for this worker and return their ids."""
    if not settings.INVOICE_PROVIDER:
        return []
    return [_claim(each, now).pk for each in lock_due_invoices(now, limit)]


def _claim(invoice: Invoice, now: datetime) -> Invoice:
    check_transition(invoice.state, Invoice.State.ISSUING)
    invoice.state, invoice.due_at = Invoice.State.ISSUING, now + LEASE
    invoice.tries += 1
    invoice.save(update_fields=["state", "due_at", "tries"])
    return invoice


def issue_invoice(*, invoice_id: int, now: datetime) -> Invoice | None:
    """Have a claimed invoice issued, and keep what the provider answered.

    The provider is called outside of any transaction; should the answer be lost, the next
    call with the same request number brings the same invoice.
    """
    invoice = queries.find_invoice(invoice_id)
    if invoice is None or invoice.state != Invoice.State.ISSUING:
        return invoice
    order = _describe_order(invoice, now)
    provider = load_provider(settings.INVOICE_PROVIDER)
    try:
        issued = provider.issue(order, now=now)
    except ProviderError as error:
        logger.warning("invoice not issued", extra={"invoice": invoice.request_number})
        if error.is_permanent:
            return _fail(invoice_id, str(error), is_refused=True)
        return _put_off(invoice_id, str(error), now)
    return _keep(invoice, order, issued, is_sample=provider.is_sample, now=now)


@cache
def load_provider(path: str) -> InvoiceProvider:
    provider: InvoiceProvider = import_string(path)()
    return provider


def list_tax_rates() -> list[TaxRate]:
    return [
        TaxRate(taxpayer, date.fromisoformat(day), permille, source)
        for taxpayer, day, permille, source in settings.INVOICE_TAX_RATES
    ]


def _describe_order(invoice: Invoice, now: datetime) -> InvoiceOrder:
    rate = find_rate(
        list_tax_rates(),
        taxpayer=settings.INVOICE_SELLER["taxpayer"],
        day=timezone.localdate(now),
    )
    permille = rate.permille
    net_fen, tax_fen = split_tax(invoice.amount_fen, permille)
    reversed_one = invoice.corrects if invoice.kind == Invoice.Kind.RED else None
    if reversed_one is not None:
        # A red invoice takes back exactly what the blue one said.
        permille = reversed_one.tax_rate_permille
        net_fen, tax_fen = reversed_one.net_fen, reversed_one.tax_fen
    return InvoiceOrder(
        request_number=invoice.request_number,
        seller=Party(invoice.seller_name, invoice.seller_credit_code),
        buyer=Party(invoice.title, invoice.credit_code),
        item_name=invoice.item_name,
        net_fen=net_fen,
        tax_fen=tax_fen,
        tax_rate_permille=permille,
        remark=invoice.remark,
        reverses=(reversed_one.number or "") if reversed_one is not None else "",
    )


def _keep(
    invoice: Invoice,
    order: InvoiceOrder,
    issued: IssuedInvoice,
    *,
    is_sample: bool,
    now: datetime,
) -> Invoice:
    if not is_invoice_number(issued.number):
        return _fail(invoice.pk, "开票服务返回的发票号码无效", is_refused=False)
    _fill(invoice, order, issued, is_sample)
    # Drawn before the transaction: laying out takes long enough to keep others waiting.
    pdf = issued.pdf or _draw(invoice)
    try:
        with transaction.atomic():
            return _store(invoice, pdf, issued.xml, now)
    except IntegrityError:
        return _fail(invoice.pk, "开票服务返回的发票号码重复", is_refused=False)


def _fill(
    invoice: Invoice, order: InvoiceOrder, issued: IssuedInvoice, is_sample: bool
) -> None:
    check_transition(invoice.state, Invoice.State.ISSUED)
    invoice.state, invoice.failure = Invoice.State.ISSUED, ""
    invoice.due_at = None
    invoice.number, invoice.issued_at = issued.number, issued.issued_at
    invoice.tax_fen = order.tax_fen
    invoice.tax_rate_permille = order.tax_rate_permille
    invoice.is_sample = is_sample


def _draw(invoice: Invoice) -> bytes:
    try:
        return documents.draw_invoice(invoice)
    except PaperError as error:
        # Issued is issued, with or without a picture.
        invoice.failure = f"版式文件制作失败：{error}"[:FAILURE_LENGTH]
        return b""


def _store(invoice: Invoice, pdf: bytes, xml: bytes, now: datetime) -> Invoice:
    """Save what was filled in and tell the buyer, unless another worker was quicker."""
    locked = lock_invoice(invoice.pk)
    if locked.state != Invoice.State.ISSUING:
        return locked
    # The row first: a number that is taken must not leave files behind.
    invoice.save()
    folder = f"invoices/{invoice.request_number[1:5]}/{invoice.request_number}"
    if xml:
        invoice.xml.save(f"{folder}.xml", ContentFile(xml), save=False)
    if pdf:
        invoice.file.save(f"{folder}.pdf", ContentFile(pdf), save=False)
    invoice.save(update_fields=["file", "xml"])
    if invoice.kind == Invoice.Kind.RED:
        finish_reversal(invoice, now=now)
    else:
        _tell_buyer(invoice, now)
    return invoice


def _tell_buyer(invoice: Invoice, now: datetime) -> None:
    """Mail the address that was given with the request where the invoice can be fetched.

    A link behind the login, not the file: an address may be mistyped.
    """
    if not invoice.email:
        return
    path = reverse("invoices:detail", args=[invoice.request_number])
    send_message(
        channel=Message.Channel.MAIL,
        recipient=invoice.email,
        template="invoice_issued",
        context={
            "order": invoice.order.number,
            "number": invoice.number or "",
            "address": f"{settings.SITE_URL}{path}",
        },
        now=now,
    )


@transaction.atomic
def _put_off(invoice_id: int, reason: str, now: datetime) -> Invoice:
    """Ask again later: the provider has not said whether it issued anything."""
    invoice = lock_invoice(invoice_id)
    if invoice.state == Invoice.State.ISSUING:
        invoice.failure = reason[:FAILURE_LENGTH]
        invoice.due_at = next_try(invoice.tries, now)
        invoice.save(update_fields=["failure", "due_at"])
    return invoice


@transaction.atomic
def _fail(invoice_id: int, reason: str, *, is_refused: bool) -> Invoice:
    """Leave it to staff, and to the buyer where nothing was issued for certain."""
    invoice = lock_invoice(invoice_id)
    if invoice.state == Invoice.State.ISSUING:
        check_transition(invoice.state, Invoice.State.FAILED)
        invoice.state, invoice.is_refused = Invoice.State.FAILED, is_refused
        invoice.failure, invoice.due_at = reason[:FAILURE_LENGTH], None
        invoice.save(update_fields=["state", "is_refused", "failure", "due_at"])
    return invoice
