"""Requests for invoices: pulled from orders after checkout, or asked for later."""

from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services.audit import record_audit
from invoices import queries
from invoices.errors import (
    AlreadyRequestedError,
    NothingToInvoiceError,
    OrderNotPaidError,
    YearOverError,
)
from invoices.locks import lock_invoice, lock_order
from invoices.models import Invoice
from invoices.rules import check_transition
from orders.models import InvoiceRequest, Order
from orders.rules import InvoiceDetails, may_request_invoice
from orders.services.invoicing import note_invoice_request
from portal.lib.codes import random_code

# Orders pulled by one sweep; each takes one transaction.
PULL_LIMIT = 200
REMARK_LENGTH = 200


def pull_requests(*, now: datetime) -> int:
    """Make an invoice row for each paid order whose buyer asked for one; return how many.

    What was asked for at checkout is in time by itself, even if the sweep comes after
    midnight of New Year's Eve.
    """
    pulled = 0
    for request in queries.list_unpulled_requests(PULL_LIMIT):
        pulled += _pull(request, now)
    return pulled


@transaction.atomic
def _pull(request: InvoiceRequest, now: datetime) -> bool:
    order = lock_order(request.order_id)
    # A refund or a parallel sweep may have come in between.
    if order.state != Order.State.PAID or order.invoices.exists():
        return False
    _create(request, order, now)
    return True


@transaction.atomic
def request_invoice(
    *, order: Order, details: InvoiceDetails, actor: User, now: datetime
) -> Invoice:
    """Ask for the invoice of a paid order, in the calendar year of payment.

    One that the provider refused may be asked for again with other details: it was never
    issued. Raises `OrderNotPaidError`, `NothingToInvoiceError`, `YearOverError` and
    `AlreadyRequestedError`.
    """
    order = lock_order(order.pk)
    _check_request(order, today=timezone.localdate(now))
    existing = queries.find_live_invoice(order)
    if existing is not None and not existing.is_refused:
        raise AlreadyRequestedError
    request = note_invoice_request(order=order, invoice=details, now=now)
    invoice = (
        _create(request, order, now)
        if existing is None
        else _ask_again(existing, request, now)
    )
    record_audit(
        action="invoice.requested",
        target=f"invoice:{invoice.request_number}",
        actor=actor,
        now=now,
        detail={"order": order.number},
    )
    return invoice


@transaction.atomic
def retry_invoice(*, invoice: Invoice, actor: User, now: datetime) -> bool:
    """Let staff have a failed invoice issued once more; False if it did not fail, or if the
    order's money has gone back meanwhile."""
    order = lock_order(invoice.order_id)
    locked = lock_invoice(invoice.pk)
    is_blue = locked.kind == Invoice.Kind.BLUE
    if locked.state != Invoice.State.FAILED:
        return False
    if is_blue and queries.invoiceable_fen(order) == 0:
        return False
    _restart(locked, now)
    locked.save()
    record_audit(
        action="invoice.retried",
        target=f"invoice:{locked.request_number}",
        actor=actor,
        now=now,
    )
    return True


def _check_request(order: Order, *, today: date) -> None:
    if order.state != Order.State.PAID or order.paid_at is None:
        raise OrderNotPaidError
    if queries.invoiceable_fen(order) == 0:
        raise NothingToInvoiceError
    if not may_request_invoice(paid_on=timezone.localdate(order.paid_at), today=today):
        raise YearOverError


def _create(request: InvoiceRequest, order: Order, now: datetime) -> Invoice:
    """Copy everything the invoice will print; settings may change before it is issued."""
    return Invoice.objects.create(
        request_number=f"F{timezone.localdate(now):%y%m%d}{random_code(13)}",
        order=order,
        buyer_kind=request.buyer_kind,
        title=request.title,
        credit_code=request.credit_code,
        email=request.email,
        seller_name=settings.INVOICE_SELLER["name"],
        seller_credit_code=settings.INVOICE_SELLER["credit_code"],
        amount_fen=queries.invoiceable_fen(order),
        item_name=settings.INVOICE_ITEM,
        remark=write_remark(order),
        requested_at=now,
        due_at=now,
    )


def write_remark(order: Order) -> str:
    """Which order, which plans, and how many people of whom no money went back."""
    lines = order.lines.filter(refunded_at__isnull=True)
    titles = lines.order_by("plan_title").values_list("plan_title", flat=True)
    names = "、".join(titles.distinct())
    count = lines.count()
    people = f"，共 {count} 人" if count > 1 else ""
    return f"订单编号：{order.number}；{names}{people}"[:REMARK_LENGTH]


def _ask_again(invoice: Invoice, request: InvoiceRequest, now: datetime) -> Invoice:
    _restart(invoice, now)
    invoice.buyer_kind, invoice.title = request.buyer_kind, request.title
    invoice.credit_code, invoice.email = request.credit_code, request.email
    invoice.amount_fen = queries.invoiceable_fen(invoice.order)
    invoice.remark = write_remark(invoice.order)
    invoice.requested_at = now
    # Asked again under a new number, or the provider would answer its old refusal.
    invoice.request_number = f"F{timezone.localdate(now):%y%m%d}{random_code(13)}"
    invoice.save()
    return invoice


def _restart(invoice: Invoice, now: datetime) -> None:
    check_transition(invoice.state, Invoice.State.REQUESTED)
    invoice.state, invoice.failure = Invoice.State.REQUESTED, ""
    invoice.is_refused = False
    invoice.tries, invoice.due_at = 0, now
