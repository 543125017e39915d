"""Reads of invoices. A person's rows are reached through the `…_for` functions only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Case, Exists, F, OuterRef, Prefetch, QuerySet, Value, When
from django.utils import timezone

from accounts.models import User
from invoices.errors import InvoiceNotFoundError
from invoices.models import Invoice
from orders.models import InvoiceRequest, Order
from orders.queries import Item, list_items, list_paid_invoice_requests
from orders.rules import may_request_invoice


@dataclass(frozen=True)
class OrderRow:
    """A paid order on the page 我的发票, with its invoice if there is one."""

    order: Order
    items: list[Item]
    invoice: Invoice | None
    is_requested: bool
    may_request: bool

    @property
    def title(self) -> str:
        """What was bought, and for how many when it is more than one."""
        first = self.items[0].title if self.items else ""
        if len(self.items) > 1:
            return f"{first} 等 {len(self.items)} 项"
        count = self.items[0].count if self.items else 1
        return f"{first} × {count}" if count > 1 else first

    @property
    def is_entry_two(self) -> bool:
        """Whose words the button speaks: 申请票据 in place of 申请开票."""
        return bool(self.items) and self.items[0].is_entry_two

    @property
    def amount_fen(self) -> int:
        return invoiceable_fen(self.order)


def list_paid_orders_for(user: User) -> QuerySet[Order]:
    """The person's orders that were paid for, newest payment first."""
    live = Invoice.objects.live().order_by("-pk")
    return (
        Order.objects.filter(buyer=user, state=Order.State.PAID, total_fen__gt=0)
        .select_related("invoice_request")
        .prefetch_related(Prefetch("invoices", live, to_attr="live_invoices"))
        .order_by("-paid_at", "-pk")
    )


def describe_orders(orders: Sequence[Order], *, today: date) -> list[OrderRow]:
    """Say of each order of `list_paid_orders_for` what may be done about its invoice."""
    items = list_items(orders)
    return [_describe(order, items[order.pk], today) for order in orders]


def _describe(order: Order, items: list[Item], today: date) -> OrderRow:
    live: list[Invoice] = getattr(order, "live_invoices", [])
    invoice = live[0] if live else None
    requested = invoice is not None or hasattr(order, "invoice_request")
    refused = invoice is not None and invoice.is_refused
    in_time = order.paid_at is not None and may_request_invoice(
        paid_on=timezone.localdate(order.paid_at), today=today
    )
    may_request = in_time and (not requested or refused)
    return OrderRow(order, items, invoice, requested, may_request)


def get_paid_order_for(user: User, number: str) -> Order:
    """The person's paid order with its live invoice.

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


def invoiceable_fen(order: Order) -> int:
    """What of an order may be invoiced: what was paid and has not gone back."""
    is_paid = order.state == Order.State.PAID
    return order.total_fen - order.refunded_fen if is_paid else 0


def list_orders_to_adjust(limit: int) -> list[int]:
    """Orders of which money went back while their invoice still says otherwise."""
    right = Case(
        When(
            order__state=Order.State.PAID,
            then=F("order__total_fen") - F("order__refunded_fen"),
        ),
        default=Value(0),
    )
    reversing = Invoice.objects.filter(corrects=OuterRef("pk"), kind=Invoice.Kind.RED)
    wrong = (
        Invoice.objects.live()
        .filter(~Exists(reversing), order__refunded_fen__gt=0)
        .exclude(amount_fen=right)
        .exclude(state=Invoice.State.ISSUING)
        .exclude(state=Invoice.State.FAILED, order__state=Order.State.REFUNDED)
    )
    return list(wrong.order_by("pk").values_list("order_id", flat=True)[:limit])


def find_live_invoice(order: Order) -> Invoice | None:
    """The blue invoice of an order that stands, whatever its state."""
    return Invoice.objects.live().filter(order=order).order_by("-pk").first()


def find_invoice(invoice_id: int) -> Invoice | None:
    rows = Invoice.objects.select_related("order", "corrects")
    return rows.filter(pk=invoice_id).first()


def list_unpulled_requests(limit: int) -> list[InvoiceRequest]:
    """Requests of paid orders that have no invoice row yet, oldest first."""
    pulled = Invoice.objects.filter(order=OuterRef("order"))
    unpulled = list_paid_invoice_requests().filter(
        ~Exists(pulled), order__total_fen__gt=0
    )
    return list(unpulled[:limit])
