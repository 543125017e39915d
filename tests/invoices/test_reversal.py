"""Invoices of refunded orders: reversed once, the rest invoiced anew, nothing twice."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest

from accounts.models import Message
from invoices.errors import AlreadyRequestedError, OrderNotPaidError, ProviderError
from invoices.models import Invoice
from invoices.services import (
    adjust_refunded,
    issue_requested,
    pull_requests,
    request_invoice,
    retry_invoice,
)
from orders.models import Order
from tests.factories.accounts import UserFactory
from tests.factories.invoices import (
    ENTERPRISE,
    PERSON,
    ask_at_checkout,
    make_invoice,
    make_paid_order,
)
from tests.factories.orders import OrderLineFactory

pytestmark = pytest.mark.django_db


def give_back(order: Order, fen: int = 3300) -> None:
    """What a finished refund leaves behind."""
    order.refunded_fen = fen
    if fen == order.total_fen:
        order.state = Order.State.REFUNDED
    order.save()


def list_invoices() -> list[tuple[str, str, int]]:
    rows = Invoice.objects.order_by("pk")
    return [(row.kind, row.state, row.amount_fen) for row in rows]


def test_the_invoice_of_a_refunded_order_is_reversed(now):
    blue = make_invoice(details=ENTERPRISE, issued=True)
    give_back(blue.order)

    for _ in range(3):
        issue_requested(now=now)

    red = Invoice.objects.get(kind=Invoice.Kind.RED)
    assert list_invoices() == [("blue", "reversed", 3300), ("red", "issued", 3300)]
    assert (red.corrects, red.title) == (blue, blue.title)
    assert (red.tax_fen, red.tax_rate_permille) == (187, 60)
    assert red.number != blue.number
    assert red.file
    root = ElementTree.fromstring(red.xml.open("rb").read().decode())
    assert root.findtext("Header/ReversedInvoiceNumber") == blue.number
    assert root.findtext("Item/Total") == "-33.00"


def test_what_is_left_is_invoiced_anew(now):
    order = make_paid_order(total_fen=6600)
    blue = make_invoice(order, details=ENTERPRISE, issued=True)
    give_back(order, 3300)

    for _ in range(3):
        issue_requested(now=now)

    assert list_invoices() == [
        ("blue", "reversed", 6600),
        ("red", "issued", 6600),
        ("blue", "issued", 3300),
    ]
    rest = Invoice.objects.latest("pk")
    assert (rest.title, rest.credit_code) == (blue.title, blue.credit_code)
    # And once more: the second seat goes back later.
    give_back(order, 6600)
    for _ in range(3):
        issue_requested(now=now)
    assert list_invoices()[2:] == [("blue", "reversed", 3300), ("red", "issued", 3300)]


@pytest.mark.parametrize("is_issued", [True, False])
def test_what_is_left_names_the_people_who_are_left(now, is_issued):
    order = make_paid_order(total_fen=9900)
    plan = order.lines.get().plan
    for _ in range(2):
        OrderLineFactory(order=order, plan=plan, person=UserFactory())
    ask_at_checkout(order)
    if is_issued:
        issue_requested(now=now)
    else:
        pull_requests(now=now)
    assert Invoice.objects.get().remark.endswith("，共 3 人")
    order.lines.filter(pk=order.lines.last().pk).update(refunded_at=now, is_live=False)
    give_back(order, 3300)

    for _ in range(3):
        issue_requested(now=now)

    remarks = [row.remark for row in Invoice.objects.order_by("pk")]
    counts = [remark.rpartition("，")[2] for remark in remarks]
    assert counts == (["共 3 人", "共 3 人", "共 2 人"] if is_issued else ["共 2 人"])


def test_an_order_without_refund_is_left_alone(now):
    make_invoice(issued=True)

    assert adjust_refunded(now=now) == 0
    assert list_invoices() == [("blue", "issued", 3300)]


def test_the_rate_of_the_reversed_one_counts(now, settings):
    blue = make_invoice(issued=True)
    settings.INVOICE_SELLER = settings.INVOICE_SELLER | {"taxpayer": "small"}
    give_back(blue.order)

    issue_requested(now=now)

    red = Invoice.objects.get(kind=Invoice.Kind.RED)
    assert (red.tax_rate_permille, red.tax_fen) == (60, 187)


def test_a_reversal_without_answer_is_asked_for_under_the_same_number(provider, now):
    blue = make_invoice(issued=True)
    give_back(blue.order)
    provider.error = ProviderError("超时", is_permanent=False)
    issue_requested(now=now)
    assert list_invoices() == [("blue", "issued", 3300), ("red", "issuing", 3300)]

    provider.error, provider.number = None, "26502000000000000002"
    issue_requested(now=now + timedelta(minutes=5))

    asked = [order for order in provider.orders if order.reverses]
    assert {order.reverses for order in asked} == {blue.number}
    assert len({order.request_number for order in asked}) == 1
    assert list_invoices() == [("blue", "reversed", 3300), ("red", "issued", 3300)]


def test_what_was_not_issued_yet_is_not_issued_any_more(provider, now):
    invoice = make_invoice(now=now)
    give_back(invoice.order)

    issue_requested(now=now)

    invoice.refresh_from_db()
    assert provider.orders == []
    assert (invoice.state, invoice.failure) == ("failed", "订单已退款，不再开具")
    assert adjust_refunded(now=now) == 0
    assert retry_invoice(invoice=invoice, actor=invoice.order.buyer, now=now) is False


def test_what_was_not_issued_yet_is_issued_for_the_rest(now):
    order = make_paid_order(total_fen=6600)
    make_invoice(order, now=now)
    give_back(order, 3300)

    issue_requested(now=now)

    assert list_invoices() == [("blue", "issued", 3300)]


def test_a_wish_pulled_after_the_refund_is_for_the_rest(now):
    order = make_paid_order(total_fen=6600)
    OrderLineFactory(order=order, refunded_at=now, is_live=False)
    ask_at_checkout(order)
    give_back(order, 3300)

    issue_requested(now=now)

    invoice = Invoice.objects.get()
    assert invoice.amount_fen == 3300
    assert "人" not in invoice.remark.replace("个人", "")


def test_no_invoice_for_what_went_back(now):
    order = make_paid_order()
    ask_at_checkout(order)
    give_back(order)

    issue_requested(now=now)

    assert Invoice.objects.count() == 0
    with pytest.raises(OrderNotPaidError):
        request_invoice(order=order, details=PERSON, actor=order.buyer, now=now)


def test_one_being_issued_is_reversed_afterwards(provider, now):
    invoice = make_invoice(now=now)
    provider.error = ProviderError("超时", is_permanent=False)
    issue_requested(now=now)
    give_back(invoice.order)
    assert adjust_refunded(now=now) == 0

    provider.error = None
    for minutes, number in ((5, "26502000000000000001"), (10, "26502000000000000002")):
        provider.number = number
        issue_requested(now=now + timedelta(minutes=minutes))

    assert list_invoices() == [("blue", "reversed", 3300), ("red", "issued", 3300)]


def test_the_rest_cannot_be_asked_for_while_the_reversal_runs(now):
    order = make_paid_order(total_fen=6600)
    make_invoice(order, issued=True)
    give_back(order, 3300)
    adjust_refunded(now=now)

    with pytest.raises(AlreadyRequestedError):
        request_invoice(order=order, details=PERSON, actor=order.buyer, now=now)


def test_nobody_is_mailed_a_red_invoice(now):
    blue = make_invoice(issued=True)
    Invoice.objects.update(email="someone@example.com")
    before = Message.objects.count()
    give_back(blue.order)

    issue_requested(now=now)

    assert Message.objects.count() == before


def test_a_refused_reversal_is_for_staff_and_can_be_tried_again(provider, now, staff):
    blue = make_invoice(issued=True)
    give_back(blue.order)
    provider.error = ProviderError("税务平台拒绝", is_permanent=True)
    issue_requested(now=now)
    red = Invoice.objects.get(kind=Invoice.Kind.RED)
    assert (red.state, adjust_refunded(now=now)) == ("failed", 0)

    provider.error, provider.number = None, "26502000000000000002"
    assert retry_invoice(invoice=red, actor=staff, now=now) is True
    issue_requested(now=now)

    assert list_invoices() == [("blue", "reversed", 3300), ("red", "issued", 3300)]
