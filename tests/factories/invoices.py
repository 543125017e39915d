"""Invoices for tests: paid orders and what was asked for about them."""

from datetime import datetime

from accounts.models import User
from invoices.models import Invoice
from invoices.services import claim_due_invoices, issue_invoice, request_invoice
from orders.models import InvoiceRequest, Order
from orders.rules import InvoiceDetails
from tests.clock import at
from tests.factories.orders import OrderFactory, OrderLineFactory

PAID_AT = at("2026-06-15 09:52")
PERSON = InvoiceDetails(buyer_kind="person", title="赵一")
ENTERPRISE = InvoiceDetails(
    buyer_kind="enterprise", title="示例科技有限公司", credit_code="91110000600037341L"
)


def make_paid_order(
    buyer: User | None = None, *, paid_at: datetime = PAID_AT, **fields: object
) -> Order:
    """A paid order of 33.00 yuan with one line."""
    if buyer is not None:
        fields["buyer"] = buyer
    order: Order = OrderFactory(
        state=Order.State.PAID, paid_at=paid_at, created_at=paid_at, **fields
    )
    OrderLineFactory(order=order, plan_title="2026 年度公需科目培训")
    return order


def ask_at_checkout(order: Order, details: InvoiceDetails = PERSON) -> InvoiceRequest:
    """What checkout writes when 立即申请 is chosen."""
    return InvoiceRequest.objects.create(
        order=order,
        buyer_kind=details.buyer_kind,
        title=details.title,
        credit_code=details.credit_code,
        email=details.email,
        requested_at=order.created_at,
    )


def make_invoice(
    order: Order | None = None,
    *,
    details: InvoiceDetails = PERSON,
    now: datetime = PAID_AT,
    issued: bool = False,
) -> Invoice:
    """An invoice that was asked for after the purchase, and with `issued` issued as a sample."""
    order = order or make_paid_order()
    invoice = request_invoice(order=order, details=details, actor=order.buyer, now=now)
    if issued:
        claim_due_invoices(now=now, limit=100)
        issue_invoice(invoice_id=invoice.pk, now=now)
        invoice.refresh_from_db()
        assert invoice.state == Invoice.State.ISSUED, invoice.failure
    return invoice
