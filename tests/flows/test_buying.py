"""A plan is bought at each entry: every page in its words, from the plan to the invoice."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from django.test import Client

from accounts.models import User
from catalog.models import Plan, Subject
from invoices.models import Invoice
from invoices.tasks import issue_requested_invoices
from learning.models import Enrolment
from orders.models import InvoiceRequest, Order, PaymentAttempt
from portal.sandbox import SandboxServer
from tests.factories.orders import make_endless_plan

pytestmark = [pytest.mark.django_db]

LogIn = Callable[[User], Client]
ONE_ONLY = {"立即购买", "个人购买", "团体购买", "进入学习", "申请开票"}
TWO_ONLY = {"报名", "个人报名", "团体报名", "去学习", "申请票据"}


@pytest.fixture
def pay(
    sandbox: SandboxServer, post_notice: Callable[[bytes], Any]
) -> Callable[..., None]:
    """Pay the newest attempt at the simulated cashier and let its notification arrive."""

    def go(start_url: str) -> None:
        assert requests.get(start_url, timeout=5).status_code == 200
        number = PaymentAttempt.objects.latest("pk").number
        sandbox.alipay.trades.pay(number)
        post_notice(urlencode(sandbox.alipay.make_notice(number)).encode())

    return go


@pytest.fixture
def post_notice(django_capture_on_commit_callbacks: Any) -> Callable[[bytes], Any]:
    def post(body: bytes) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return Client(enforce_csrf_checks=True).post(
                "/orders/notify/alipay/",
                body,
                content_type="application/x-www-form-urlencoded",
            )

    return post


def read(client: Client, url: str) -> str:
    """The page's own part: the frame names things of both entries."""
    text = client.get(url).content.decode()
    return text[text.index("<main") : text.index("</main>")]


def words(text: str) -> set[str]:
    """What can be pressed on a page."""
    pressed = re.findall(
        r"<(?:a|button|summary)\b[^>]*>(.*?)</(?:a|button|summary)>", text, re.DOTALL
    )
    return {re.sub(r"<[^>]*>", "", each).strip() for each in pressed}


def link(text: str, label: str) -> str:
    found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>(?:<i[^>]*></i>)?{label}<', text)
    assert found, label
    return found[1].replace("&amp;", "&")


def shown_on(checkout: str) -> dict[str, str]:
    """What a buyer sends who agrees to the price on the page."""
    shown = re.search(r'name="shown_fen" value="(\d+)"', checkout)
    assert shown
    return {"agreement": "on", "shown_fen": shown[1]}


def start_paying(client: Client, order: Order) -> str:
    response = client.post(f"/orders/{order.number}/pay/", {"gateway": "alipay"})
    assert response.status_code == 303
    return str(response["Location"])


def test_entry_one_asks_for_the_invoice_at_checkout(
    owner: User, client_of: LogIn, pay: Callable[..., None]
) -> None:
    plan = make_endless_plan(entry=Plan.Entry.ONE, subject=Subject.PROFESSIONAL)
    client = client_of(owner)

    page = read(client, f"/plans/{plan.code}/")
    assert {"立即购买", "团体购买"} <= words(page)
    assert words(page) & TWO_ONLY == set()
    checkout = read(client, link(page, "立即购买"))
    assert {"个人购买", "团体购买", "提交订单"} <= words(checkout)
    for text in ("立即申请", "以后申请"):
        assert text in checkout
    placed = client.post(
        f"/orders/new/{plan.code}/",
        shown_on(checkout)
        | {"invoice": "now", "buyer_kind": "person", "title": "赵一"},
    )
    order = Order.objects.get()
    assert placed["Location"] == f"/orders/{order.number}/"
    assert {"立即支付", "取消订单"} <= words(read(client, placed["Location"]))
    pay(start_paying(client, order))

    done = read(client, f"/orders/{order.number}/")
    assert "购买成功" in done
    assert "进入学习" in words(done)
    assert words(done) & TWO_ONLY == set()
    assert client.get(link(done, "进入学习")).status_code == 200
    training = read(client, "/training/")
    assert "进入学习" in words(training)
    assert words(training) & TWO_ONLY == set()
    issue_requested_invoices()
    assert Invoice.objects.get().title == "赵一"
    assert "查看发票" in words(read(client, "/invoices/"))
    # Held now: the plan leads to study, and checkout says why not again.
    assert "进入学习" in words(read(client, f"/plans/{plan.code}/"))
    again = read(client, f"/orders/new/{plan.code}/")
    assert "您已开通该学习计划" in again
    assert "进入学习" in words(again)


def test_entry_two_asks_for_the_invoice_among_the_orders(
    owner: User, client_of: LogIn, pay: Callable[..., None]
) -> None:
    plan = make_endless_plan(entry=Plan.Entry.TWO, subject=Subject.PROFESSIONAL)
    client = client_of(owner)

    page = read(client, f"/plans/{plan.code}/")
    assert {"报名", "团体报名"} <= words(page)
    assert words(page) & ONE_ONLY == set()
    checkout = read(client, link(page, "报名"))
    assert {"个人报名", "团体报名", "提交订单"} <= words(checkout)
    assert "立即申请" not in checkout
    assert "以后申请" not in checkout
    client.post(f"/orders/new/{plan.code}/", shown_on(checkout))
    order = Order.objects.get()
    pay(start_paying(client, order))
    assert InvoiceRequest.objects.count() == 0

    done = read(client, f"/orders/{order.number}/")
    assert "报名成功" in done
    assert {"去学习", "申请票据"} <= words(done)
    assert words(done) & ONE_ONLY == set()
    assert client.get(link(done, "去学习")).status_code == 200
    assert "去学习" in words(read(client, "/training/"))
    # 个人空间 → 我的订单 → 申请票据, then 更多 → 查看发票.
    listed = read(client, "/orders/")
    assert {"去学习", "申请票据", "更多"} <= words(listed)
    assert "查看发票" not in words(listed)
    asking = link(listed, "申请票据")
    assert "<h1>申请票据</h1>" in read(client, asking)
    given = {"buyer_kind": "person", "title": "赵一", "is_checked": "on"}
    asked = client.post(asking, given)
    invoice = Invoice.objects.get()
    assert asked["Location"] == f"/invoices/{invoice.request_number}/"
    issue_requested_invoices()
    listed = read(client, "/orders/")
    assert "申请票据" not in words(listed)
    more = listed[listed.index("<details") : listed.index("</details>")]
    shown = client.get(link(more, "查看发票"))
    assert urlsplit(shown["Location"]).path == f"/invoices/{invoice.request_number}/"
    assert "查看发票" in client.get(shown["Location"]).content.decode()


def test_cancelled_order_is_bought_again_with_another_start(
    owner: User, client_of: LogIn, pay: Callable[..., None]
) -> None:
    plan = make_endless_plan(entry=Plan.Entry.TWO)
    client = client_of(owner)
    url = f"/orders/new/{plan.code}/"
    client.post(url, shown_on(read(client, url)))
    first = Order.objects.get()
    refused = read(client, f"/orders/new/{plan.code}/")
    assert link(refused, "查看订单") == f"/orders/{first.number}/"
    client.post(f"/orders/{first.number}/cancel/")

    closed = read(client, f"/orders/{first.number}/")
    again = link(closed, "再次购买")
    client.post(again, shown_on(read(client, again)))

    second = Order.objects.exclude(pk=first.pk).get()
    pay(start_paying(client, second))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (Order.State.CANCELLED, Order.State.PAID)
    assert Enrolment.objects.get().source_number == second.number
