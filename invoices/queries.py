"""Reads of invoices. A person's rows are reached through the `…_for` functions only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone

from accounts.models import User
from invoices.errors import InvoiceNotFoundError
from invoices.models import Invoice
from invoices.rules import may_request
from orders.models import InvoiceRequest, Order
from orders.queries import list_paid_invoice_requests


@dataclass(frozen=True)
class OrderRow:
    """A paid order on the page 我的发票, with its invoice if there is one."""

    order: Order
    invoice: Invoice | None
    is_requested: bool
    may_request: bool

    @property
    def title(self) -> str:
        lines = list(self.order.lines.all())
        first = lines[0].plan_title if lines else ""
        return f"{first} 等 {len(lines)} 项" if len(lines) > 1 else first


def list_paid_orders_for(user: User) -> QuerySet[Order]:
    """The person's orders that were paid for, newest payment first."""
    live = Invoice.objects.live().order_by("-pk")
    return (
        Order.objects.filter(buyer=user, state=Order.State.PAID, total_fen__gt=0)
        .select_related("invoice_request")
        .prefetch_related("lines", Prefetch("invoices", live, to_attr="live_invoices"))
        .order_by("-paid_at", "-pk")
    )


def describe_orders(orders: Sequence[Order], *, today: date) -> list[OrderRow]:
    """Say of each order of `list_paid_orders_for` what may be done about its invoice."""
    return [_describe(order, today) for order in orders]


def _describe(order: Order, today: date) -> OrderRow:
    live: list[Invoice] = getattr(order, "live_invoices", [])
    invoice = live[0] if live else None
    requested = invoice is not None or hasattr(order, "invoice_request")
    refused = invoice is not None and invoice.is_refused
    in_time = order.paid_at is not None and may_request(
        paid_on=timezone.localdate(order.paid_at), today=today
    )
    return OrderRow(order, invoice, requested, in_time and (not requested or refused))


def get_paid_order_for(user: User, number: str) -> Order:
    """The person's paid order with lines and its live invoice.

    Raises `InvoiceNotFoundError` as well for another person's number.
    """
    try:
        return list_paid_orders_for(user).get(number=number)
    except Order.DoesNotExist as error:
        raise InvoiceNotFoundError from error


def get_invoice_for(user: User, request_number: str) -> Invoice:
    """The person's invoice with its order. Raises `InvoiceNotFoundError`."""
    try:
        return Invoice.objects.select_related("order").get(
            order__buyer=user, request_number=request_number
        )
    except Invoice.DoesNotExist as error:
        raise InvoiceNotFoundError from error


def find_live_invoice(order: Order) -> Invoice | None:
    """The blue invoice of an order that stands, whatever its state."""
    return Invoice.objects.live().filter(order=order).order_by("-pk").first()


def find_invoice(invoice_id: int) -> Invoice | None:
    return Invoice.objects.select_related("order").filter(pk=invoice_id).first()


def list_unpulled_requests(limit: int) -> list[InvoiceRequest]:
    """Requests of paid orders that have no invoice row yet, oldest first."""
    pulled = Invoice.objects.filter(order=OuterRef("order"))
    unpulled = list_paid_invoice_requests().filter(
        ~Exists(pulled), order__total_fen__gt=0
    )
    return list(unpulled[:limit])
