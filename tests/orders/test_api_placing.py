"""Placing and cancelling orders through the API."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from orders.models import InvoiceRequest, Order
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import (
    OrderFactory,
    OrderLineFactory,
    make_endless_plan,
    make_order,
)
from tests.orders.api_calls import ENTERPRISE, KEY, LIST, expect_nothing_placed, place

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]
# --- An order ----------------------------------------------------------------------------


def test_order_is_placed_for_the_caller(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    response = place(client_of(owner), plan)

    order = Order.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"{LIST}{order.number}/"
    assert "Idempotent-Replayed" not in response
    answer = response.json()
    assert (answer["number"], answer["state"]) == (order.number, "pending")
    assert (answer["total_fen"], answer["can_pay"]) == (3300, True)
    assert order.buyer == owner
    assert order.lines.get().person == owner
    assert InvoiceRequest.objects.count() == 0


def test_invoice_is_asked_for_at_once(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    response = place(client_of(owner), plan, invoice=ENTERPRISE)

    assert response.status_code == 201
    request = InvoiceRequest.objects.get()
    assert (request.buyer_kind, request.title) == ("enterprise", "示例科技有限公司")
    # Read as on the checkout page: blanks gone, the letter that is none corrected.
    assert request.credit_code == "91110000600037341L"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price_fen": None}, "price_fen"),
        ({"price_fen": 0}, "price_fen"),
        ({"agreement": False}, "agreement"),
        ({"agreement": None}, "agreement"),
        ({"plan": "no-such-plan"}, "plan"),
        ({"plan": "../x"}, "plan"),
        ({"plan": ""}, "plan"),
        ({"invoice": {"buyer_kind": "person"}}, "invoice.title"),
        ({"invoice": {"buyer_kind": "king", "title": "赵一"}}, "invoice.buyer_kind"),
        ({"invoice": ENTERPRISE | {"credit_code": ""}}, "invoice.credit_code"),
        ({"invoice": ENTERPRISE | {"credit_code": "123"}}, "invoice.credit_code"),
        ({"invoice": ENTERPRISE | {"email": "x"}}, "invoice.email"),
        ({"invoice": ENTERPRISE | {"title": "\0"}}, "invoice.title"),
        ({"invoice": "now"}, "invoice.non_field_errors"),
    ],
)
def test_what_is_wrong_is_named_by_field(
    owner: User, plan: Plan, client_of: LogIn, changes: dict[str, Any], field: str
) -> None:
    response = place(client_of(owner), plan, **changes)

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == "invalid"
    assert list(problem["errors"]) == [field]
    assert re.search("[\u4e00-\u9fff]", problem["errors"][field][0])
    expect_nothing_placed()


def test_entry_two_takes_no_invoice_with_the_order(
    owner: User, client_of: LogIn
) -> None:
    plan = make_endless_plan(entry=Plan.Entry.TWO)
    client = client_of(owner)

    refused = place(client, plan, invoice={"buyer_kind": "person", "title": "赵一"})

    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["invoice"]
    expect_nothing_placed()
    assert place(client, plan, invoice=None).status_code == 201


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "null", ""])
def test_what_is_no_object_is_refused(owner: User, client_of: LogIn, body: str) -> None:
    response = client_of(owner).post(
        LIST, body, content_type="application/json", headers={"idempotency-key": KEY}
    )

    assert response.status_code == 400
    assert response.json()["code"] in {"parse_error", "invalid"}
    expect_nothing_placed()


def test_a_form_is_refused(owner: User, plan: Plan, client_of: LogIn) -> None:
    response = client_of(owner).post(
        LIST, {"plan": plan.code, "agreement": "on"}, headers={"idempotency-key": KEY}
    )

    assert response.status_code == 415
    assert response.json()["code"] == "unsupported_media_type"
    expect_nothing_placed()


# --- What is held already ----------------------------------------------------------------


def test_plan_held_names_the_plan(owner: User, plan: Plan, client_of: LogIn) -> None:
    EnrolmentFactory(person=owner, plan=plan)

    response = place(client_of(owner), plan)

    assert response.status_code == 409
    problem = response.json()
    assert (problem["code"], problem["plan"]) == ("plan_already_held", plan.code)
    assert problem["title"] == "您已开通该学习计划，无需重复购买。"
    assert problem["type"] == "urn:portal:problem:plan_already_held"
    expect_nothing_placed(enrolments=1)


def test_plan_being_bought_names_the_own_order(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    order = make_order(owner, plan)

    response = place(client_of(owner), plan)

    assert response.status_code == 409
    problem = response.json()
    assert (problem["code"], problem["order"]) == ("plan_being_bought", order.number)
    expect_nothing_placed(orders=1)


def test_order_of_a_unit_is_not_named(
    owner: User, stranger: User, plan: Plan, client_of: LogIn
) -> None:
    order = OrderFactory(buyer=stranger, kind=Order.Kind.GROUP)
    OrderLineFactory(order=order, plan=plan, person=owner)

    response = place(client_of(owner), plan)

    assert response.status_code == 409
    assert response.json()["code"] == "plan_being_bought"
    assert "order" not in response.json()
    assert order.number not in response.content.decode()
    expect_nothing_placed(orders=1)


def test_plan_off_sale_is_refused(owner: User, client_of: LogIn) -> None:
    plan = make_endless_plan(sale_end=timezone.localdate() - timedelta(days=1))

    response = place(client_of(owner), plan)

    assert (response.status_code, response.json()["code"]) == (409, "plan_not_on_sale")
    expect_nothing_placed()


def test_price_that_the_buyer_has_not_seen_is_refused(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    response = place(client_of(owner), plan, price_fen=3299)

    assert response.status_code == 409
    problem = response.json()
    assert (problem["code"], problem["price_fen"]) == ("price_changed", 3300)
    expect_nothing_placed()


# --- Attackers ---------------------------------------------------------------------------


def test_nobody_places_an_order(plan: Plan) -> None:
    response = place(Client(), plan)

    assert (response.status_code, response.json()["code"]) == (401, "login_required")
    expect_nothing_placed()


def test_another_site_cannot_place_an_order(owner: User, plan: Plan) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)

    response = place(client, plan)

    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")
    expect_nothing_placed()


def test_too_many_orders_are_refused_for_a_while(
    owner: User, plan: Plan, client_of: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "portal.lib.api_throttles.WriteThrottle.THROTTLE_RATES", {"api_write": "2/min"}
    )
    client = client_of(owner)
    statuses = [place(client, plan).status_code for _ in range(2)]

    response = place(client, plan)

    assert statuses == [201, 201]
    assert (response.status_code, response.json()["code"]) == (429, "throttled")
    assert 0 < int(response["Retry-After"]) <= 60
    # Reading goes on.
    assert client.get(LIST).status_code == 200


def test_reading_is_throttled_for_itself(
    owner: User, stranger: User, client_of: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "portal.lib.api_throttles.ReadThrottle.THROTTLE_RATES", {"api_read": "1/min"}
    )
    client = client_of(owner)

    assert client.get(LIST).status_code == 200
    assert client.get(LIST).status_code == 429
    # One person's haste is nobody else's trouble.
    assert client_of(stranger).get(LIST).status_code == 200
