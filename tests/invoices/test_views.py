import pytest
from django.urls import reverse

from catalog.models import Plan
from invoices.models import Invoice
from tests.clock import at
from tests.factories.invoices import ask_at_checkout, make_invoice, make_paid_order
from tests.factories.orders import OrderFactory, OrderLineFactory

pytestmark = pytest.mark.django_db
LIST = reverse("invoices:list")
ENTERPRISE = {
    "buyer_kind": "enterprise",
    "title": "示例科技有限公司",
    "credit_code": "9111 0000 6000 37341l",
    "is_checked": "on",
}


@pytest.fixture(autouse=True)
def _in_the_year_of_payment(time_machine_at):
    time_machine_at("2026-06-15 10:00")


@pytest.fixture
def time_machine_at(monkeypatch):
    """Set the clock of the views, which read it once."""

    def set_clock(text: str) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: at(text))

    return set_clock


def address(name: str, number: str) -> str:
    return reverse(f"invoices:{name}", args=[number])


def pages_of(invoice: Invoice) -> list[str]:
    number = invoice.request_number
    return [address("detail", number), address("file", number), address("xml", number)]


def test_the_owner_sees_every_page(client_of, owner):
    invoice = make_invoice(make_paid_order(owner), issued=True)
    client = client_of(owner)

    for page in (LIST, *pages_of(invoice)):
        response = client.get(page)
        assert response.status_code == 200
        assert "no-store" in response.headers["Cache-Control"]


def test_a_stranger_and_staff_find_nothing(client_of, owner, stranger, staff):
    order = make_paid_order(owner)
    invoice = make_invoice(order, issued=True)
    unasked = make_paid_order(owner)

    for person in (stranger, staff):
        client = client_of(person)
        for page in (*pages_of(invoice), address("request", order.number)):
            assert client.get(page).status_code == 404
        page = address("request", unasked.number)
        assert client.post(page, ENTERPRISE).status_code == 404
        assert order.number not in client.get(LIST).content.decode()
    assert Invoice.objects.count() == 1


def test_nobody_is_sent_to_the_login(client, owner):
    invoice = make_invoice(make_paid_order(owner), issued=True)

    for page in (LIST, *pages_of(invoice), address("request", invoice.order.number)):
        response = client.get(page)
        assert response.status_code == 302
        assert response.url.startswith(reverse("accounts:login"))


def test_the_list_offers_what_can_be_done(client_of, owner):
    make_invoice(make_paid_order(owner), issued=True)
    make_paid_order(owner)
    ask_at_checkout(make_paid_order(owner))
    make_paid_order(owner, paid_at=at("2025-11-30 10:00"))
    OrderFactory(buyer=owner)
    refused = make_invoice(make_paid_order(owner))
    Invoice.objects.filter(pk=refused.pk).update(state="failed", is_refused=True)

    page = client_of(owner).get(LIST).content.decode()

    assert page.count("查看发票") == 1
    assert page.count("申请开票") == 1
    assert page.count("重新申请") == 1
    assert page.count("已过缴费当年") == 1
    assert page.count("已申请") == 1
    assert page.count('data-label="订单"') == 5


def test_the_list_takes_the_same_queries_for_any_number_of_orders(
    client_of, owner, django_assert_num_queries
):
    client = client_of(owner)
    make_invoice(make_paid_order(owner), issued=True)
    with django_assert_num_queries(6):
        client.get(LIST)
    for _ in range(8):
        make_invoice(make_paid_order(owner))

    with django_assert_num_queries(6):
        client.get(LIST)


def test_asking_later_issues_the_invoice(
    client_of, owner, django_capture_on_commit_callbacks
):
    order = make_paid_order(owner)
    page = address("request", order.number)
    client = client_of(owner)
    assert "赵一" in client.get(page).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(page, ENTERPRISE)

    invoice = Invoice.objects.get()
    assert response.url == address("detail", invoice.request_number)
    assert (invoice.title, invoice.credit_code) == (
        "示例科技有限公司",
        "91110000600037341L",
    )
    assert invoice.state == Invoice.State.ISSUED
    shown = client.get(response.url).content.decode()
    assert invoice.number in shown
    assert "不得作为报销凭证" in shown
    assert client.get(page).url == response.url


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"credit_code": ""}, "credit_code"),
        ({"credit_code": "91110000600037341M"}, "credit_code"),
        ({"title": ""}, "title"),
        ({"buyer_kind": ""}, "buyer_kind"),
        ({"is_checked": ""}, "is_checked"),
        ({"email": "nobody"}, "email"),
        ({"buyer_kind": "institution", "credit_code": "12"}, "credit_code"),
    ],
)
def test_dom_16_what_is_wrong_is_said_beside_its_field(
    client_of, owner, changes, field
):
    page = address("request", make_paid_order(owner).number)

    response = client_of(owner).post(page, ENTERPRISE | changes)

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert Invoice.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"buyer_kind": "person", "title": "赵一", "credit_code": "whatever"}, ""),
        ({"buyer_kind": "institution", "credit_code": ""}, ""),
        (
            {"buyer_kind": "institution", "credit_code": "12500000000000000a"},
            "12500000000000000A",
        ),
        # A taxpayer number of before 2015.
        (
            {"buyer_kind": "institution", "credit_code": "500105123456789"},
            "500105123456789",
        ),
    ],
)
def test_dom_16_persons_and_institutions_need_no_code(client_of, owner, changes, code):
    page = address("request", make_paid_order(owner).number)

    response = client_of(owner).post(page, ENTERPRISE | changes)

    assert response.status_code == 302
    assert Invoice.objects.get().credit_code == code


def test_in_the_next_year_the_form_is_gone(client_of, owner, time_machine_at):
    order = make_paid_order(owner)
    page = address("request", order.number)
    time_machine_at("2027-01-01 00:00")
    client = client_of(owner)

    shown = client.get(page).content.decode()
    response = client.post(page, ENTERPRISE, follow=True)

    assert "不能跨年补开" in shown
    assert "提交申请" not in shown
    assert "不能跨年补开" in response.content.decode()
    assert Invoice.objects.count() == 0


def test_an_invoice_on_its_way_asks_again_by_itself(client_of, owner):
    invoice = make_invoice(make_paid_order(owner))
    page = address("detail", invoice.request_number)
    client = client_of(owner)

    assert f'hx-get="{page}"' in client.get(page).content.decode()
    assert client.get(address("file", invoice.request_number)).status_code == 404
    part = client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


def test_a_refused_invoice_leads_to_a_new_request(client_of, owner):
    invoice = make_invoice(make_paid_order(owner))
    Invoice.objects.filter(pk=invoice.pk).update(
        state="failed", is_refused=True, failure="购买方税号不存在"
    )
    client = client_of(owner)

    shown = client.get(address("detail", invoice.request_number)).content.decode()
    form = client.get(address("request", invoice.order.number)).content.decode()

    assert "购买方税号不存在" in shown
    assert address("request", invoice.order.number) in shown
    assert "上次申请未能开具：购买方税号不存在" in form


def test_files_have_names_that_say_what_they_are(client_of, owner):
    invoice = make_invoice(make_paid_order(owner), issued=True)
    client = client_of(owner)

    inline = client.get(address("file", invoice.request_number))
    saved = client.get(address("file", invoice.request_number) + "?download")
    xml = client.get(address("xml", invoice.request_number))

    assert inline.headers["Content-Disposition"].startswith("inline;")
    assert saved.headers["Content-Disposition"].startswith("attachment;")
    assert xml.headers["Content-Disposition"].startswith("attachment;")
    assert f"_{invoice.number}.xml" in xml.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("entry", "words", "others"),
    [(1, "申请开票", "申请票据"), (2, "申请票据", "申请开票")],
)
def test_asking_speaks_the_words_of_the_entry(client_of, owner, entry, words, others):
    order = make_paid_order(owner)
    Plan.objects.filter(order_lines__order=order).update(entry=entry)
    client = client_of(owner)

    listed = client.get(LIST).content.decode()
    asked = client.get(address("request", order.number)).content.decode()

    assert f">{words}</a>" in listed
    assert f"<h1>{words}</h1>" in asked
    assert others not in listed
    assert others not in asked


def test_an_order_for_many_is_named_with_their_number(client_of, owner, stranger):
    order = make_paid_order(owner)
    line = order.lines.get()
    OrderLineFactory(
        order=order,
        plan=line.plan,
        person=stranger,
        price_fen=line.price_fen,
        plan_title=line.plan_title,
    )

    text = client_of(owner).get(LIST).content.decode()

    assert f"{line.plan_title} × 2" in text
