import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from invoices.models import Invoice
from tests.factories.accounts import UserFactory
from tests.factories.invoices import make_invoice

pytestmark = pytest.mark.django_db
LIST = reverse("admin:invoices_invoice_changelist")


def change_page(invoice: Invoice) -> str:
    return reverse("admin:invoices_invoice_change", args=[invoice.pk])


def test_staff_find_an_invoice_by_its_numbers_and_title(client_of, staff):
    invoice = make_invoice(issued=True)
    make_invoice()
    client = client_of(staff)

    for words in (invoice.number, invoice.request_number, invoice.order.number):
        assert client.get(LIST, {"q": words}).context["cl"].result_count == 1
    assert client.get(LIST, {"q": "赵一"}).context["cl"].result_count == 2


def test_nothing_can_be_written(client_of, staff):
    invoice = make_invoice(issued=True)
    client = client_of(staff)

    page = client.get(change_page(invoice)).content.decode()

    assert 'name="_save"' not in page
    assert "所更正的发票" in page
    assert "33.00" in page
    delete = reverse("admin:invoices_invoice_delete", args=[invoice.pk])
    assert client.get(delete).status_code == 403
    assert client.get(reverse("admin:invoices_invoice_add")).status_code == 403


def test_staff_open_the_file(client_of, staff, stranger):
    invoice, waiting = make_invoice(issued=True), make_invoice()

    def file_of(each: Invoice) -> str:
        return reverse("admin:invoices_invoice_file", args=[each.pk])

    assert client_of(staff).get(file_of(invoice)).status_code == 200
    assert client_of(staff).get(file_of(waiting)).status_code == 404
    assert client_of(stranger).get(file_of(invoice)).status_code == 302


def test_staff_have_a_failed_invoice_issued_again(
    client_of, staff, django_capture_on_commit_callbacks
):
    failed, issued = make_invoice(), make_invoice(issued=True)
    Invoice.objects.filter(pk=failed.pk).update(state="failed", due_at=None)
    number = issued.number

    with django_capture_on_commit_callbacks(execute=True):
        client_of(staff).post(
            LIST, {"action": "retry", "_selected_action": [failed.pk, issued.pk]}
        )

    failed.refresh_from_db()
    issued.refresh_from_db()
    assert failed.state == Invoice.State.ISSUED
    assert issued.number == number


def test_looking_is_not_retrying(client_of):
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_invoice"))
    failed = make_invoice()
    Invoice.objects.filter(pk=failed.pk).update(state="failed", due_at=None)

    client_of(clerk).post(LIST, {"action": "retry", "_selected_action": [failed.pk]})

    failed.refresh_from_db()
    assert failed.state == Invoice.State.FAILED
