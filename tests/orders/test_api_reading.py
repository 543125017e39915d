"""Reading own orders through the API: the list, one, its state, the ways to pay."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Plan
from orders.models import Order, PaymentAttempt
from tests.factories.orders import (
    OrderFactory,
    OrderLineFactory,
    PaymentAttemptFactory,
    make_endless_plan,
    make_order,
)
from tests.orders.purchases import Purchase

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]
LIST = "/api/v1/orders/"
GATEWAYS = "/api/v1/payment-gateways/"


def address(order: Order, part: str = "") -> str:
    return f"{LIST}{order.number}/{part}"


# --- Who may -----------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["", "state/"])
def test_another_persons_order_is_not_found(
    owner: User, stranger: User, staff: User, client_of: LogIn, part: str
) -> None:
    url = address(make_order(owner), part)

    assert client_of(owner).get(url).status_code == 200
    for person in (stranger, staff):
        response = client_of(person).get(url)
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["code"] == "order_not_found"
        # An order that exists and one that does not are answered in the same words.
        missing = client_of(person).get(f"{LIST}D260101ABCDEFGHJ/{part}")
        assert missing.json() | {"reference": ""} == response.json() | {"reference": ""}


@pytest.mark.parametrize("part", ["", "state/"])
def test_nobody_is_told_to_log_in(owner: User, part: str) -> None:
    for url in (address(make_order(owner), part), LIST, GATEWAYS):
        response = Client().get(url)
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert response["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert (problem["code"], problem["title"]) == (
            "login_required",
            "请先登录。",
        )


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("part", ["", "state/", "payments/", "cancel/"])
def test_nothing_is_overwritten_or_deleted(
    owner: User, client_of: LogIn, method: str, part: str
) -> None:
    order = make_order(owner)

    response = getattr(client_of(owner), method)(address(order, part))

    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"
    order.refresh_from_db()
    assert order.state == Order.State.PENDING


# --- One order ---------------------------------------------------------------------------


def test_owner_reads_an_order(owner: User, plan: Plan, client_of: LogIn) -> None:
    order = make_order(owner, plan)

    response = client_of(owner).get(address(order))

    assert response.json() == {
        "number": order.number,
        "kind": "personal",
        "state": "pending",
        "state_label": "待支付",
        "in_review": False,
        # Its time was over in June 2026.
        "can_pay": False,
        "may_request_invoice": False,
        "total_fen": 3300,
        "refunded_fen": 0,
        "created_at": "2026-06-15T09:50:00+08:00",
        "expires_at": "2026-06-15T10:20:00+08:00",
        "paid_at": None,
        "closed_at": None,
        "lines": [
            {
                "plan": plan.code,
                "plan_title": plan.title,
                "plan_year": 2026,
                "hours": 30,
                "price_fen": 3300,
                "count": 1,
                "refunded_count": 0,
            }
        ],
    }
    assert "no-store" in response["Cache-Control"]


def test_people_of_a_group_are_counted_and_not_named(
    owner: User, stranger: User, plan: Plan, client_of: LogIn
) -> None:
    order = OrderFactory(buyer=owner, kind=Order.Kind.GROUP, paid=True, total_fen=6600)
    OrderLineFactory(order=order, plan=plan, person=owner)
    OrderLineFactory(
        order=order,
        plan=plan,
        person=stranger,
        is_live=False,
        refunded_at=order.paid_at,
    )

    response = client_of(owner).get(address(order))

    (line,) = response.json()["lines"]
    assert (line["count"], line["refunded_count"]) == (2, 1)
    assert stranger.name not in response.content.decode()


# --- List --------------------------------------------------------------------------------


def numbers(response: Any) -> list[str]:
    return [row["number"] for row in response.json()["results"]]


def test_list_has_own_orders_newest_first(
    owner: User, stranger: User, client_of: LogIn
) -> None:
    old, new = make_order(owner), make_order(owner)
    make_order(stranger)

    response = client_of(owner).get(LIST)

    assert response.json()["count"] == 2
    assert numbers(response) == [new.number, old.number]


def test_list_is_filtered(owner: User, client_of: LogIn) -> None:
    make_order(owner)
    paid = make_order(owner, paid=True)
    client = client_of(owner)

    assert numbers(client.get(LIST, {"state": "paid"})) == [paid.number]
    assert numbers(client.get(LIST, {"kind": "group"})) == []
    assert len(numbers(client.get(LIST, {"kind": "personal"}))) == 2


@pytest.mark.parametrize("name", ["state", "kind"])
def test_filter_that_is_none_is_refused(
    owner: User, client_of: LogIn, name: str
) -> None:
    response = client_of(owner).get(LIST, {name: "nothing"})

    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert list(response.json()["errors"]) == [name]


def test_list_is_paged(owner: User, client_of: LogIn) -> None:
    for _ in range(5):
        make_order(owner)
    client = client_of(owner)

    first = client.get(LIST, {"page_size": 2})
    last = client.get(LIST, {"page_size": 2, "page": 3})

    assert len(numbers(first)) == 2
    assert "page=2" in first.json()["next"]
    assert first.json()["previous"] is None
    assert len(numbers(last)) == 1
    assert last.json()["next"] is None
    missing = client.get(LIST, {"page_size": 2, "page": 4})
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_page_is_never_larger_than_fifty(owner: User, client_of: LogIn) -> None:
    for _ in range(51):
        make_order(owner)

    assert len(numbers(client_of(owner).get(LIST, {"page_size": 1000}))) == 50


def test_list_costs_the_same_for_one_and_for_ten(
    owner: User, client_of: LogIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(owner)
    make_order(owner)
    # Session, person, count, orders with their invoice requests, what they buy.
    with django_assert_num_queries(5):
        client.get(LIST)
    for _ in range(9):
        make_order(owner)

    with django_assert_num_queries(5):
        client.get(LIST)


# --- State -------------------------------------------------------------------------------


def test_state_of_an_order_that_nobody_pays_yet(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    now = timezone.now()
    order = make_order(owner, plan, created_at=now)

    response = client_of(owner).get(address(order, "state/"))

    answer = response.json()
    assert answer.pop("expires_at")
    assert answer == {
        "number": order.number,
        "state": "pending",
        "state_label": "待支付",
        "in_review": False,
        "can_pay": True,
        "paid_at": None,
        "next_poll": 15,
    }


def test_state_is_asked_for_often_while_somebody_pays(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    now = timezone.now()
    order = make_order(owner, plan, created_at=now)
    PaymentAttemptFactory(order=order, created_at=now - timedelta(hours=1), closed=True)
    PaymentAttemptFactory(order=order)

    answer = client_of(owner).get(address(order, "state/")).json()

    assert answer["next_poll"] == 3


def test_attempt_that_was_closed_is_no_reason_to_ask(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    order = make_order(owner, plan, created_at=timezone.now())
    PaymentAttemptFactory(order=order, closed=True)

    assert client_of(owner).get(address(order, "state/")).json()["next_poll"] == 15


def test_money_under_review_is_told(owner: User, plan: Plan, client_of: LogIn) -> None:
    order = make_order(owner, plan, created_at=timezone.now())
    PaymentAttemptFactory(order=order, review=True)

    answer = client_of(owner).get(address(order, "state/")).json()

    assert answer["in_review"] is True
    assert answer["can_pay"] is False
    assert answer["next_poll"] == 60


@pytest.mark.parametrize("trait", ["paid", "expired", "cancelled"])
def test_what_has_ended_is_not_asked_for_again(
    owner: User, plan: Plan, client_of: LogIn, trait: str
) -> None:
    order = make_order(owner, plan, **{trait: True})

    answer = client_of(owner).get(address(order, "state/")).json()

    assert (answer["state"], answer["next_poll"]) == (trait, None)


def test_state_after_a_return_asks_the_gateway(
    purchase: Purchase, client_of: LogIn, django_capture_on_commit_callbacks: Any
) -> None:
    client = client_of(purchase.order.buyer)
    purchase.pay()
    url = address(purchase.order, "state/")

    with django_capture_on_commit_callbacks(execute=True):
        client.get(url)
    assert purchase.sandbox.alipay.requests == []
    with django_capture_on_commit_callbacks(execute=True):
        client.get(url, {"returned": "true"})

    assert len(purchase.sandbox.alipay.requests) == 1
    answer = client.get(url).json()
    assert (answer["state"], answer["next_poll"]) == ("paid", None)


# --- Ways to pay -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "codes"),
    [
        ("Mozilla/5.0 Mobile", ["alipay", "wechat"]),
        ("MicroMessenger", ["wechat", "alipay"]),
    ],
)
def test_gateways_are_listed_best_first(
    owner: User, client_of: LogIn, settings: Any, agent: str, codes: list[str]
) -> None:
    settings.PAYMENT_GATEWAYS = {
        "alipay": ("支付宝", "orders.payments.alipay.build_gateway"),
        "wechat": ("微信支付", "tests.orders.no_gateway.build"),
    }

    response = client_of(owner).get(GATEWAYS, headers={"user-agent": agent})

    assert [row["code"] for row in response.json()] == codes
    assert {"code": "alipay", "label": "支付宝"} in response.json()
    assert PaymentAttempt.objects.count() == 0


def test_plan_in_its_own_words_is_no_secret(owner: User, client_of: LogIn) -> None:
    """The line says what was sold, whatever the plan is called by now."""
    plan = make_endless_plan(title="旧名")
    order = make_order(owner, plan)
    Plan.objects.update(title="新名")

    (line,) = client_of(owner).get(address(order)).json()["lines"]

    assert line["plan_title"] == "旧名"
