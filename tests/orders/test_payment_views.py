"""The page of one order and the ways to the cashier and back."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from orders.models import Order
from orders.services import query_attempt
from tests.factories.orders import (
    PaymentAttemptFactory,
    make_endless_plan,
    make_order,
)
from tests.orders.purchases import Purchase

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


def detail_url(order: Order) -> str:
    return f"/orders/{order.number}/"


# --- One order ---------------------------------------------------------------------------


def test_detail_lets_the_cashier_answer_its_form(
    purchase: Purchase, client_of: LogIn
) -> None:
    response = client_of(purchase.order.buyer).get(detail_url(purchase.order))

    policy = response["Content-Security-Policy"]
    assert f"form-action 'self' {purchase.sandbox.url}" in policy
    assert "立即支付" in response.content.decode()


def test_detail_shows_every_step_of_a_payment(
    purchase: Purchase, client_of: LogIn, post_notice: Callable[[bytes], Any]
) -> None:
    purchase.pay()
    post_notice(purchase.make_body())

    response = client_of(purchase.order.buyer).get(detail_url(purchase.order))

    text = response.content.decode()
    steps = response.context["steps"]
    titles = ["已提交", "支付中", "支付通知已收到", "支付成功", "学习已开通"]
    assert [step.title for step in steps] == titles
    assert [step.state for step in steps] == ["done"] * 5
    assert all(step.text for step in steps)
    assert "购买成功" in text
    assert "进入学习" in text
    assert "hx-get" not in text


def test_query_stands_in_for_a_lost_notification(
    purchase: Purchase, client_of: LogIn
) -> None:
    purchase.pay()
    query_attempt(attempt_id=purchase.attempt.pk, now=timezone.now())

    response = client_of(purchase.order.buyer).get(detail_url(purchase.order))

    titles = [step.title for step in response.context["steps"]]
    assert titles[2:] == ["支付结果已查询", "支付成功", "学习已开通"]


def test_steps_ahead_are_named_as_awaited(purchase: Purchase, client_of: LogIn) -> None:
    response = client_of(purchase.order.buyer).get(detail_url(purchase.order))

    steps = [(step.title, step.state) for step in response.context["steps"]]
    assert steps == [
        *(("已提交", "done"), ("支付中", "done"), ("等待支付通知", "current")),
        *(("支付成功", "todo"), ("学习开通", "todo")),
    ]


def test_who_comes_back_from_the_cashier_is_told_to_wait(
    purchase: Purchase, client_of: LogIn
) -> None:
    client = client_of(purchase.order.buyer)
    before = client.get(detail_url(purchase.order)).content.decode()
    after = client.get(f"{detail_url(purchase.order)}?returned=1").content.decode()

    told = '<h2 id="order-state">正在确认支付结果</h2>'
    assert (told in before, told in after) == (False, True)
    assert "立即支付" in after


def test_waiting_page_reloads_when_something_happened(
    purchase: Purchase, client_of: LogIn, post_notice: Callable[[bytes], Any]
) -> None:
    client = client_of(purchase.order.buyer)
    seen = client.get(detail_url(purchase.order)).context["fingerprint"]
    url = f"{detail_url(purchase.order)}status/"
    before = client.get(url, {"seen": seen})
    purchase.pay()
    post_notice(purchase.make_body())

    after = client.get(url, {"seen": seen})

    assert (before.status_code, after.status_code) == (204, 204)
    assert "HX-Refresh" not in before
    assert after["HX-Refresh"] == "true"


def test_payment_under_review_is_not_asked_for_again(
    owner: User, client_of: LogIn
) -> None:
    order = make_order(owner, created_at=timezone.now())
    PaymentAttemptFactory(order=order, review=True)

    text = client_of(owner).get(detail_url(order)).content.decode()

    assert "付款正在人工核对" in text
    assert "立即支付" not in text
    assert "取消订单" not in text


@pytest.mark.parametrize("trait", ["expired", "cancelled"])
def test_closed_order_offers_a_new_purchase(
    owner: User, client_of: LogIn, trait: str
) -> None:
    plan = make_endless_plan()
    order = make_order(owner, plan, **{trait: True})

    text = client_of(owner).get(detail_url(order)).content.decode()

    assert re.search(rf'href="/orders/new/{plan.code}/">再次购买<', text)
    assert "立即支付" not in text


def test_owner_cancels(purchase: Purchase, client_of: LogIn) -> None:
    response = client_of(purchase.order.buyer).post(
        f"{detail_url(purchase.order)}cancel/", follow=True
    )

    purchase.refresh()
    assert purchase.order.state == Order.State.CANCELLED
    assert "订单已取消" in response.content.decode()


# --- Pay and return ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "method"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0", "alipay.trade.page.pay"),
        ("Mozilla/5.0 (Linux; Android 14) Mobile Safari", "alipay.trade.wap.pay"),
    ],
)
def test_pay_leads_to_the_cashier_of_the_device(
    purchase: Purchase, client_of: LogIn, settings: Any, agent: str, method: str
) -> None:
    settings.SITE_URL = "https://portal.example"

    response = client_of(purchase.order.buyer).post(
        f"{detail_url(purchase.order)}pay/",
        {"gateway": "alipay"},
        headers={"user-agent": agent},
    )

    query = parse_qs(urlsplit(response["Location"]).query)
    assert response.status_code == 303
    assert response["Location"].startswith(f"{purchase.sandbox.url}/gateway.do?")
    assert query["method"] == [method]
    assert query["notify_url"] == ["https://portal.example/orders/notify/alipay/"]
    assert query["return_url"] == ["http://testserver/orders/return/alipay/"]


def test_pay_without_a_gateway_stays(purchase: Purchase, client_of: LogIn) -> None:
    response = client_of(purchase.order.buyer).post(
        f"{detail_url(purchase.order)}pay/", {"gateway": "nopay"}, follow=True
    )

    assert "请选择支付方式" in response.content.decode()


def return_path(purchase: Purchase) -> str:
    url = purchase.sandbox.alipay.make_return_url(purchase.attempt.number)
    return f"/orders/return/alipay/?{urlsplit(url).query}"


def test_return_asks_the_gateway_when_the_notification_is_lost(
    purchase: Purchase, client_of: LogIn, django_capture_on_commit_callbacks: Any
) -> None:
    purchase.pay()

    with django_capture_on_commit_callbacks(execute=True):
        response = client_of(purchase.order.buyer).get(return_path(purchase))

    purchase.refresh()
    assert response["Location"] == f"{detail_url(purchase.order)}?returned=1"
    assert purchase.order.state == Order.State.PAID


def test_return_itself_changes_nothing(purchase: Purchase, client_of: LogIn) -> None:
    """Before its task has run, and without a payment: an address proves nothing."""
    purchase.pay()

    client_of(purchase.order.buyer).get(return_path(purchase))

    purchase.refresh()
    assert purchase.order.state == Order.State.PENDING


def test_return_before_payment_waits(
    purchase: Purchase, client_of: LogIn, django_capture_on_commit_callbacks: Any
) -> None:
    client = client_of(purchase.order.buyer)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.get(return_path(purchase), follow=True)

    purchase.refresh()
    text = response.content.decode()
    assert purchase.order.state == Order.State.PENDING
    assert "正在确认支付结果" in text
    assert 'hx-trigger="every 3s"' in text


def test_return_after_the_notification_shows_success(
    purchase: Purchase, client_of: LogIn, post_notice: Callable[[bytes], Any]
) -> None:
    purchase.pay()
    post_notice(purchase.make_body())

    response = client_of(purchase.order.buyer).get(return_path(purchase), follow=True)

    assert "购买成功" in response.content.decode()
    assert purchase.sandbox.alipay.requests == []


def test_waiting_page_asks_the_gateway_after_a_return(
    purchase: Purchase, client_of: LogIn, django_capture_on_commit_callbacks: Any
) -> None:
    client = client_of(purchase.order.buyer)
    seen = client.get(detail_url(purchase.order)).context["fingerprint"]
    url = f"{detail_url(purchase.order)}status/"
    purchase.pay()

    with django_capture_on_commit_callbacks(execute=True):
        client.get(url, {"seen": seen})
    assert purchase.sandbox.alipay.requests == []
    with django_capture_on_commit_callbacks(execute=True):
        client.get(url, {"seen": seen, "returned": "1"})

    assert len(purchase.sandbox.alipay.requests) == 1
    assert client.get(url, {"seen": seen})["HX-Refresh"] == "true"


def test_return_of_a_stranger_is_not_found(
    purchase: Purchase, stranger: User, client_of: LogIn
) -> None:
    assert client_of(stranger).get(return_path(purchase)).status_code == 404
    assert purchase.sandbox.alipay.requests == []


def test_return_with_an_unknown_number_is_not_found(
    purchase: Purchase, client_of: LogIn
) -> None:
    client = client_of(purchase.order.buyer)

    response = client.get("/orders/return/alipay/", {"out_trade_no": "R1"})

    assert response.status_code == 404


@pytest.mark.parametrize("query", ["", "?out_trade_no="])
def test_leaving_the_cashier_midway_leads_to_the_orders(
    purchase: Purchase, client_of: LogIn, query: str
) -> None:
    client = client_of(purchase.order.buyer)

    response = client.get(f"/orders/return/alipay/{query}")

    assert (response.status_code, response["Location"]) == (302, "/orders/")


def test_return_needs_a_login(purchase: Purchase) -> None:
    response = Client().get(return_path(purchase))

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
