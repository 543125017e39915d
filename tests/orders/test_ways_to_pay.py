"""What an order's page offers to pay with."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from orders.models import PaymentAttempt
from tests.factories.orders import PaymentAttemptFactory, make_endless_plan, make_order

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


@pytest.fixture
def entry_one(db: None) -> Plan:
    return make_endless_plan()


def read(client: Client, url: str) -> str:
    return client.get(url).content.decode()


GATEWAYS = {
    "alipay": ("支付宝", "orders.payments.alipay.build_gateway"),
    "unionpay": ("银联支付", "tests.orders.no_gateway.build"),
    "wechat": ("微信支付", "tests.orders.no_gateway.build"),
}


def ways_on(response: Any) -> list[str]:
    return re.findall(r'name="gateway" value="(\w+)"', response.content.decode())


@pytest.mark.parametrize(
    ("agent", "offered"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0",
            ["alipay", "unionpay", "wechat"],
        ),
        (
            "Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0",
            ["wechat", "alipay", "unionpay"],
        ),
    ],
)
def test_all_gateways_are_offered_and_wechat_first_inside_wechat(
    owner: User,
    entry_one: Plan,
    client_of: LogIn,
    settings: Any,
    agent: str,
    offered: list[str],
) -> None:
    settings.PAYMENT_GATEWAYS = GATEWAYS
    order = make_order(owner, entry_one, created_at=timezone.now())

    response = client_of(owner).get(
        f"/orders/{order.number}/", headers={"user-agent": agent}
    )

    assert ways_on(response) == offered
    text = response.content.decode()
    for mark in ("bi-alipay", "bi-wechat", "img/unionpay.svg"):
        assert mark in text


def test_the_gateway_used_last_is_chosen_beforehand(
    owner: User, entry_one: Plan, client_of: LogIn, settings: Any
) -> None:
    settings.PAYMENT_GATEWAYS = GATEWAYS
    order = make_order(owner, entry_one, created_at=timezone.now())
    PaymentAttemptFactory(order=order, gateway="unionpay")

    form = client_of(owner).get(f"/orders/{order.number}/").context["pay_form"]

    assert form.fields["gateway"].initial == "unionpay"


def test_without_any_gateway_the_page_says_so(
    owner: User, entry_one: Plan, client_of: LogIn, settings: Any
) -> None:
    settings.PAYMENT_GATEWAYS = {}
    order = make_order(owner, entry_one, created_at=timezone.now())

    text = read(client_of(owner), f"/orders/{order.number}/")

    assert "在线支付暂未开通" in text
    assert PaymentAttempt.objects.count() == 0
