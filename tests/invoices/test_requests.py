import pytest

from accounts.models import AuditEntry
from invoices.errors import (
    AlreadyRequestedError,
    NothingToInvoiceError,
    OrderNotPaidError,
    YearOverError,
)
from invoices.models import Invoice
from invoices.services import pull_requests, request_invoice, retry_invoice
from orders.models import InvoiceRequest, Order
from tests.clock import at
from tests.factories.invoices import (
    ENTERPRISE,
    PERSON,
    ask_at_checkout,
    make_invoice,
    make_paid_order,
)
from tests.factories.orders import OrderFactory

pytestmark = pytest.mark.django_db


def ask(order: Order, now, details=PERSON) -> Invoice:
    return request_invoice(order=order, details=details, actor=order.buyer, now=now)


def test_what_was_asked_for_at_checkout_is_pulled_once_the_order_is_paid(now):
    order = make_paid_order()
    request = ask_at_checkout(order, ENTERPRISE)

    assert pull_requests(now=now) == 1

    invoice = Invoice.objects.get()
    assert invoice.order == order
    assert (invoice.kind, invoice.state) == ("blue", Invoice.State.REQUESTED)
    assert (invoice.title, invoice.credit_code) == (request.title, request.credit_code)
    assert (invoice.amount_fen, invoice.item_name) == (3300, "*非学历教育服务*培训费")
    assert invoice.seller_name == "重庆市人力资源开发服务中心"
    assert invoice.remark == f"订单编号：{order.number}；2026 年度公需科目培训"
    assert pull_requests(now=now) == 0
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize("state", ["pending", "cancelled", "expired", "refunded"])
def test_dom_20_an_order_that_is_not_paid_sends_no_request(now, state):
    order = OrderFactory(state=state, paid_at=now if state == "refunded" else None)
    ask_at_checkout(order)

    assert pull_requests(now=now) == 0
    assert Invoice.objects.count() == 0


def test_a_paid_order_without_a_request_is_left_alone(now):
    make_paid_order()

    assert pull_requests(now=now) == 0


def test_a_free_order_gives_no_invoice(now):
    ask_at_checkout(make_paid_order(total_fen=0))

    assert pull_requests(now=now) == 0


def test_a_request_of_new_years_eve_is_pulled_in_the_new_year():
    ask_at_checkout(make_paid_order(paid_at=at("2026-12-31 23:59")))

    assert pull_requests(now=at("2027-01-01 00:00")) == 1


def test_a_group_order_gives_one_invoice_that_says_for_how_many(now):
    order = make_paid_order()
    line = order.lines.get()
    for _ in range(2):
        line.pk, line.person = None, OrderFactory().buyer
        line.save()
    ask_at_checkout(order)

    pull_requests(now=now)

    assert Invoice.objects.get().remark.endswith("2026 年度公需科目培训，共 3 人")


def test_an_invoice_can_be_asked_for_later(now):
    order = make_paid_order()

    invoice = ask(order, now, ENTERPRISE)

    assert (invoice.state, invoice.due_at) == (Invoice.State.REQUESTED, now)
    assert (invoice.title, invoice.buyer_kind) == ("示例科技有限公司", "enterprise")
    assert InvoiceRequest.objects.get().title == "示例科技有限公司"
    assert pull_requests(now=now) == 0
    entry = AuditEntry.objects.get(action="invoice.requested")
    assert entry.target == f"invoice:{invoice.request_number}"


def test_not_after_the_year_of_payment_by_the_clock_of_chongqing():
    order = make_paid_order(paid_at=at("2026-12-31 10:00"))

    with pytest.raises(YearOverError):
        ask(order, at("2027-01-01 00:00"))
    assert Invoice.objects.count() == 0
    assert InvoiceRequest.objects.count() == 0

    assert ask(order, at("2026-12-31 23:59")).state == Invoice.State.REQUESTED


def test_the_first_hours_of_the_year_belong_to_it_although_utc_says_otherwise():
    order = make_paid_order(paid_at=at("2027-01-01 07:00"))

    assert ask(order, at("2027-06-01 10:00")).state == Invoice.State.REQUESTED


@pytest.mark.parametrize("state", ["pending", "cancelled", "expired"])
def test_an_unpaid_order_is_refused(now, state):
    with pytest.raises(OrderNotPaidError):
        ask(OrderFactory(state=state), now)
    assert Invoice.objects.count() == 0


def test_a_refunded_order_is_refused(now):
    with pytest.raises(OrderNotPaidError):
        ask(OrderFactory(state="refunded", paid_at=now), now)


def test_a_free_order_is_refused(now):
    with pytest.raises(NothingToInvoiceError):
        ask(make_paid_order(total_fen=0), now)


@pytest.mark.parametrize("issued", [False, True])
def test_an_order_has_one_live_invoice(now, issued):
    invoice = make_invoice(issued=issued)

    with pytest.raises(AlreadyRequestedError):
        ask(invoice.order, now, ENTERPRISE)

    assert Invoice.objects.get().title == "赵一"
    assert InvoiceRequest.objects.get().title == "赵一"


def test_a_refused_invoice_can_be_asked_for_again_with_other_details(now):
    invoice = make_invoice(details=ENTERPRISE)
    Invoice.objects.filter(pk=invoice.pk).update(
        state="failed", is_refused=True, failure="税号不存在", tries=1, due_at=None
    )

    again = ask(invoice.order, now, PERSON)

    assert again.pk == invoice.pk
    assert (again.state, again.tries, again.due_at) == ("requested", 0, now)
    assert (again.title, again.credit_code, again.failure) == ("赵一", "", "")
    assert not again.is_refused
    assert again.request_number != invoice.request_number


def test_an_invoice_that_failed_otherwise_is_staffs_alone(now, staff):
    """It may have been issued after all: the same number has to be asked again."""
    invoice = make_invoice()
    Invoice.objects.filter(pk=invoice.pk).update(state="failed", due_at=None)

    with pytest.raises(AlreadyRequestedError):
        ask(invoice.order, now)
    assert retry_invoice(invoice=invoice, actor=staff, now=now) is True

    invoice.refresh_from_db()
    assert (invoice.state, invoice.due_at) == ("requested", now)
    assert invoice.request_number == make_number(invoice)
    assert retry_invoice(invoice=invoice, actor=staff, now=now) is False


def make_number(invoice: Invoice) -> str:
    return Invoice.objects.get(pk=invoice.pk).request_number
