from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from accounts.models import Message
from invoices import tasks
from invoices.errors import ProviderError
from invoices.models import Invoice
from invoices.providers import InvoiceOrder, Party
from invoices.providers.embedded import SampleInvoiceProvider
from invoices.services import claim_due_invoices, issue_invoice, issue_requested
from tests.clock import at
from tests.factories.invoices import (
    ENTERPRISE,
    ask_at_checkout,
    make_invoice,
    make_paid_order,
)

pytestmark = pytest.mark.django_db
State = Invoice.State
BUSY = ProviderError("开票服务超时", is_permanent=False)
REFUSED = ProviderError("购买方税号不存在", is_permanent=True)


def read(file) -> bytes:
    with file.open("rb") as opened:
        content: bytes = opened.read()
    return content


def claim_and_issue(now) -> Invoice:
    (pk,) = claim_due_invoices(now=now, limit=10)
    issue_invoice(invoice_id=pk, now=now)
    return Invoice.objects.get(pk=pk)


def test_the_sample_provider_issues_what_was_asked_for_at_checkout(now):
    order = make_paid_order()
    ask_at_checkout(order, ENTERPRISE)

    assert issue_requested(now=now) == 1

    invoice = Invoice.objects.get()
    assert (invoice.state, invoice.issued_at, invoice.due_at) == ("issued", now, None)
    assert invoice.is_sample
    assert (invoice.tax_fen, invoice.tax_rate_permille) == (187, 60)
    assert invoice.number.startswith("26500")
    assert len(invoice.number) == 20
    assert read(invoice.file).startswith(b"%PDF")
    assert issue_requested(now=now) == 0


def test_the_xml_says_the_same_and_that_it_is_a_sample():
    invoice = make_invoice(details=ENTERPRISE, issued=True)

    root = ElementTree.fromstring(read(invoice.xml).decode())

    assert root.findtext("Header/InvoiceNumber") == invoice.number
    assert "不得作为报销凭证" in root.findtext("Header/Notice")
    assert root.findtext("Buyer/TaxpayerId") == "91110000600037341L"
    assert root.findtext("Item/Total") == "33.00"


def test_asked_twice_the_sample_provider_answers_the_same_number(now):
    order = InvoiceOrder("F1", Party("甲", ""), Party("乙", ""), "费", 90, 10, 60, "")
    provider = SampleInvoiceProvider()

    first = provider.issue(order, now=now)

    assert provider.issue(order, now=now + timedelta(days=1)).number == first.number


def test_the_rate_is_the_one_of_the_day_of_issue(settings):
    settings.INVOICE_SELLER = settings.INVOICE_SELLER | {"taxpayer": "small"}
    order = make_paid_order(paid_at=at("2028-02-01 10:00"))

    invoice = make_invoice(order, now=at("2028-02-01 11:00"), issued=True)

    assert (invoice.tax_rate_permille, invoice.tax_fen) == (30, 96)


def test_the_provider_is_told_everything_the_invoice_prints(provider, now):
    invoice = make_invoice(details=ENTERPRISE, now=now)

    claim_and_issue(now)

    (order,) = provider.orders
    assert order.request_number == invoice.request_number
    assert order.buyer == Party("示例科技有限公司", "91110000600037341L")
    assert order.seller == Party("重庆市人力资源开发服务中心", "12500000000000000A")
    assert (order.net_fen, order.tax_fen, order.total_fen) == (3113, 187, 3300)


def test_the_files_of_the_provider_are_kept_as_they_are(provider, now):
    make_invoice(now=now)

    invoice = claim_and_issue(now)

    assert (invoice.number, invoice.is_sample) == (provider.number, False)
    assert read(invoice.file) == provider.pdf
    assert read(invoice.xml) == b"<xml/>"


def test_a_provider_without_an_answer_is_asked_again_with_the_same_number(
    provider, now
):
    make_invoice(now=now)
    provider.error = BUSY

    invoice = claim_and_issue(now)
    assert (invoice.state, invoice.failure) == (State.ISSUING, "开票服务超时")
    assert invoice.due_at == now + timedelta(seconds=10)
    assert claim_due_invoices(now=now, limit=10) == []

    provider.error = None
    invoice = claim_and_issue(now + timedelta(seconds=10))
    assert (invoice.state, invoice.failure, invoice.tries) == (State.ISSUED, "", 2)
    assert len({order.request_number for order in provider.orders}) == 1


def test_nobody_gives_up_while_it_is_unknown_whether_it_was_issued(provider, now):
    make_invoice(now=now)
    provider.error = BUSY

    for _ in range(12):
        invoice = claim_and_issue(now)
        now = invoice.due_at

    assert invoice.state == State.ISSUING
    assert invoice.tries == 12


def test_a_refusal_ends_it_and_lets_the_buyer_ask_anew(provider, now):
    make_invoice(now=now)
    provider.error = REFUSED

    invoice = claim_and_issue(now)

    assert (invoice.state, invoice.is_refused) == (State.FAILED, True)
    assert invoice.failure == "购买方税号不存在"
    assert claim_due_invoices(now=now + timedelta(days=1), limit=10) == []


@pytest.mark.parametrize("number", ["123", "2650012345678901234X", ""])
def test_dom_15_a_number_of_the_wrong_shape_is_staffs_task(provider, now, number):
    make_invoice(now=now)
    provider.number = number

    invoice = claim_and_issue(now)

    assert (invoice.state, invoice.is_refused) == (State.FAILED, False)
    assert invoice.failure == "开票服务返回的发票号码无效"
    assert (invoice.number, invoice.file.name) == (None, "")


def test_dom_15_a_number_that_is_taken_is_staffs_task(provider, now):
    make_invoice(now=now)
    first = claim_and_issue(now)
    make_invoice(now=now)

    second = claim_and_issue(now)

    assert (second.state, second.is_refused) == (State.FAILED, False)
    assert second.failure == "开票服务返回的发票号码重复"
    assert (second.number, second.file.name) == (None, "")
    first.refresh_from_db()
    assert first.state == State.ISSUED


def test_a_title_that_cannot_be_printed_leaves_the_invoice_issued(provider, now):
    invoice = make_invoice(now=now)
    Invoice.objects.filter(pk=invoice.pk).update(title="示例ไ公司")
    provider.pdf = b""

    invoice = claim_and_issue(now)

    assert (invoice.state, invoice.number) == (State.ISSUED, provider.number)
    assert invoice.file.name == ""
    assert invoice.failure.startswith("版式文件制作失败")


def test_a_dead_workers_invoice_is_taken_up_again(provider, now):
    make_invoice(now=now)
    (pk,) = claim_due_invoices(now=now, limit=10)

    assert claim_due_invoices(now=now + timedelta(seconds=119), limit=10) == []
    assert claim_due_invoices(now=now + timedelta(seconds=120), limit=10) == [pk]


def test_an_answer_that_comes_second_changes_nothing(provider, now):
    make_invoice(now=now)
    invoice = claim_and_issue(now)
    provider.number = "26502000000000000002"

    issue_invoice(invoice_id=invoice.pk, now=now)

    invoice.refresh_from_db()
    assert invoice.number == "26502000000000000001"
    assert len(provider.orders) == 1
    assert issue_invoice(invoice_id=-1, now=now) is None


def test_without_a_provider_requests_wait(settings, now):
    settings.INVOICE_PROVIDER = ""
    ask_at_checkout(make_paid_order())

    assert issue_requested(now=now) == 0
    assert Invoice.objects.get().state == State.REQUESTED


def test_the_sweep_task_pulls_and_issues(provider):
    ask_at_checkout(make_paid_order())

    tasks.issue_requested_invoices()

    assert Invoice.objects.get().state == State.ISSUED


def test_the_buyer_is_told_by_mail_once_where_the_invoice_is(provider, now, settings):
    order = make_paid_order()
    ask_at_checkout(order, replace(ENTERPRISE, email="caiwu@portal.example"))

    issue_requested(now=now)
    issue_requested(now=now)

    invoice = Invoice.objects.get()
    message = Message.objects.get()
    assert message.channel == Message.Channel.MAIL
    assert message.recipient == "caiwu@portal.example"
    assert order.number in message.text
    assert f"{settings.SITE_URL}/invoices/{invoice.request_number}/" in message.text


def test_without_an_address_nobody_is_told(provider, now):
    ask_at_checkout(make_paid_order(), ENTERPRISE)

    issue_requested(now=now)

    assert Invoice.objects.get().state == State.ISSUED
    assert Message.objects.count() == 0
