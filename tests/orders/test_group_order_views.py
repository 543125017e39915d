"""From a checked list to the order, its page and 团购订单."""

from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from learning.models import Enrolment
from orders.models import GatewayMessage, InvoiceRequest, Order
from orders.payments.protocol import Report, State
from orders.services import apply_report
from tests.factories.accounts import make_id_number
from tests.factories.groups import (
    make_checked,
    make_group_order,
    make_trainees,
    paste,
)
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import PaymentAttemptFactory, make_endless_plan

pytestmark = pytest.mark.django_db
UNKNOWN = [make_id_number(n) for n in range(900_000, 900_060)]
INDEX = reverse("orders:groups")
LATER = {"invoice": "later", "agreement": "on", "shown_fen": "3300"}


@pytest.fixture
def given(coordinator, unit, plan):
    return {"buyer": coordinator, "unit": unit, "plan": plan, "now": timezone.now()}


@pytest.fixture
def people(db):
    return make_trainees(3)


@pytest.fixture
def check(given, people):
    return make_checked(paste(*people, UNKNOWN[0]), **given)


@pytest.fixture
def client(client_of, coordinator):
    return client_of(coordinator)


def address(page, row):
    return reverse(f"orders:{page}", args=[row.code])


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


def pay(order):
    attempt = PaymentAttemptFactory(order=order)
    apply_report(
        gateway="alipay",
        report=Report(attempt.number, State.PAID, attempt.amount_fen),
        source=GatewayMessage.Source.NOTIFICATION,
        now=timezone.now(),
    )
    order.refresh_from_db()


# --- Ordering ----------------------------------------------------------------------------
def test_checkout_shows_and_orders_for_who_is_free(client, check, unit):
    url = address("group-checkout", check)

    page = text_of(client.get(url))
    assert "99.00" in page
    assert "其余 3 人" in page
    assert f'value="{unit.name}"' in page
    response = client.post(url, LATER)

    order = Order.objects.get()
    assert response.url == reverse("orders:detail", args=[order.number])
    assert (order.kind, order.total_fen, order.lines.count()) == ("group", 9900, 3)
    assert InvoiceRequest.objects.count() == 0
    # The list leads to the order from now on.
    assert client.get(address("group-check", check)).url == response.url
    assert client.get(url).url == address("group-check", check)


@pytest.mark.parametrize("shown", ["3299", ""])
def test_checkout_with_another_price_asks_again(client, check, shown):
    """The price changed at midnight, while the page was open."""
    url = address("group-checkout", check)

    page = text_of(client.post(url, LATER | {"shown_fen": shown}))

    assert "价格已调整为 33.00 元，请核对后重新提交" in page
    assert 'name="shown_fen" value="3300"' in page
    assert Order.objects.count() == 0
    client.post(url, LATER)
    assert Order.objects.get().total_fen == 9900


def test_entry_one_asks_about_the_invoice_and_entry_two_does_not(
    client, given, people, unit
):
    check = make_checked(paste(people[0]), **given)
    sent = {
        "invoice": "now",
        "buyer_kind": "institution",
        "title": unit.name,
        "agreement": "on",
        "shown_fen": "3300",
    }
    client.post(address("group-checkout", check), sent)
    assert InvoiceRequest.objects.get().title == unit.name

    given["plan"] = make_endless_plan(entry=2)
    check = make_checked(paste(people[0]), **given)
    page = text_of(client.get(address("group-checkout", check)))
    assert 'name="invoice"' not in page
    assert "我的订单”处申请票据" in page
    assert "团体报名" in page
    client.post(address("group-checkout", check), sent)
    assert InvoiceRequest.objects.count() == 1
    assert Order.objects.count() == 2


def test_without_agreement_nothing_is_ordered(client, check):
    response = client.post(address("group-checkout", check), {"invoice": "later"})

    assert "请先阅读并同意" in text_of(response)
    assert Order.objects.count() == 0


def test_who_is_taken_meanwhile_is_said_and_the_rest_offered(
    client, check, people, plan
):
    EnrolmentFactory(person=people[0], plan=plan)
    url = address("group-checkout", check)

    response = client.post(url, LATER, follow=True)

    assert response.redirect_chain == [(url, 302)]
    page = text_of(response)
    assert "有 1 人刚刚已开通或已有订单，不能再购买；其余 2 人仍可购买。" in page
    assert "购买其余 2 人</button>" in page
    assert Order.objects.count() == 0
    client.post(url, LATER)
    assert Order.objects.get().lines.count() == 2


def test_when_nobody_is_left_the_list_says_so(client, given, plan, people):
    check = make_checked(paste(people[0]), **given)
    EnrolmentFactory(person=people[0], plan=plan)

    page = text_of(client.post(address("group-checkout", check), LATER, follow=True))

    assert "名单中没有可以购买的人员" in page


# --- 团购订单 and the order's page --------------------------------------------------------
def test_the_order_lists_its_people_masked_and_paged(client, given, plan):
    people = make_trainees(60, name="欧阳春梅")
    order = make_group_order(people, **given)
    url = reverse("orders:detail", args=[order.number])

    page = text_of(client.get(url))
    assert "学员（60 人）" in page
    assert page.count('data-label="身份证号码"') == 50
    assert people[0].masked_id_number in page
    assert people[0].id_number not in page
    # Until it is paid, an order tells of nobody what they are called.
    assert "欧" not in page.split('id="people"')[1]

    pay(order)
    Enrolment.objects.filter(person=people[0]).update(percent=40)
    Enrolment.objects.filter(person=people[1]).update(
        state="completed", completed_at=timezone.now(), percent=100
    )
    page = text_of(client.get(url))
    assert "欧**梅" in page
    assert "欧阳春梅" not in page
    assert "40%" in page
    only = text_of(client.get(url, {"standing": "completed"}))
    assert only.count('data-label="身份证号码"') == 1
    assert "已结业" in only
    second = text_of(client.get(url, {"page": 2}))
    assert second.count('data-label="身份证号码"') == 10
    assert people[59].masked_id_number in second


def test_an_order_of_many_costs_no_more_queries(client, given):
    small = make_group_order(make_trainees(2), **given)
    large = make_group_order(make_trainees(60), **given)
    pay(small)
    pay(large)

    counts = []
    for order in (small, large):
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("orders:detail", args=[order.number]))
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 12


def test_the_list_of_group_orders(client, given, people, plan):
    order = make_group_order(people, **given)
    open_check = make_checked(paste(*make_trainees(1)), **given)
    pay(order)
    Enrolment.objects.filter(person=people[0]).update(
        state="completed", completed_at=timezone.now(), percent=100
    )

    page = text_of(client.get(INDEX))

    assert order.number in page
    assert "3 人" in page
    assert "<dt>学习中</dt><dd>2</dd>" in page
    assert "<dt>已结业</dt><dd>1</dd>" in page
    assert "<dt>平均完成度</dt><dd>33%</dd>" in page
    assert address("group-check", open_check) in page
    invoice = reverse("invoices:request", args=[order.number])
    assert f'href="{invoice}">补开发票</a>' in page
    InvoiceRequest.objects.create(
        order=order, buyer_kind="person", title="x", requested_at=timezone.now()
    )
    assert f'href="{invoice}">查看发票</a>' in text_of(client.get(INDEX))


def test_the_list_shows_ones_own_orders_only(client_of, given, people, member):
    order = make_group_order(people, **given)

    page = text_of(client_of(member).get(INDEX))

    assert order.number not in page
    assert "还没有团购订单" in page


def test_the_sheet_of_people_is_the_buyers_of_a_paid_order(
    client, client_of, given, people, stranger
):
    order = make_group_order(people, **given)
    url = reverse("orders:people-sheet", args=[order.number])
    assert client.get(url).status_code == 404
    pay(order)

    rows = list(
        load_workbook(BytesIO(client.get(url).content)).active.iter_rows(
            values_only=True
        )
    )

    assert rows[0] == ("序号", "姓名", "证件号码", "学习状态", "完成度（%）")
    assert len(rows) == 4
    assert rows[1][2:] == (people[0].masked_id_number, "学习中", "0")
    assert people[0].name not in str(rows)
    assert client_of(stranger).get(url).status_code == 404
    assert client_of(people[0]).get(url).status_code == 404


def test_a_person_of_the_order_does_not_see_it(client_of, given, people):
    order = make_group_order(people, **given)
    url = reverse("orders:detail", args=[order.number])

    assert client_of(people[0]).get(url).status_code == 404
