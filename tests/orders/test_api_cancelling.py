"""Cancelling orders through the API, and who may act on one at all."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Plan
from orders.models import Order, PaymentAttempt
from tests.factories.orders import make_order
from tests.orders.api_calls import LIST
from tests.orders.purchases import Purchase

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


def test_owner_cancels(purchase: Purchase, client_of: LogIn) -> None:
    client = client_of(purchase.order.buyer)

    response = client.post(f"{LIST}{purchase.order.number}/cancel/")

    assert response.status_code == 200
    assert response.json()["state"] == "cancelled"
    assert response.json()["closed_at"] is not None
    purchase.refresh()
    assert purchase.order.state == Order.State.CANCELLED
    assert purchase.attempt.state == PaymentAttempt.State.CLOSED


def test_paid_order_is_not_cancelled(owner: User, plan: Plan, client_of: LogIn) -> None:
    order = make_order(owner, plan, paid=True)

    response = client_of(owner).post(f"{LIST}{order.number}/cancel/")

    assert response.status_code == 409
    assert response.json()["code"] == "order_not_cancellable"
    order.refresh_from_db()
    assert order.state == Order.State.PAID


@pytest.mark.parametrize("part", ["cancel/", "payments/"])
def test_nobody_else_acts_on_an_order(
    owner: User, stranger: User, staff: User, plan: Plan, client_of: LogIn, part: str
) -> None:
    order = make_order(owner, plan)
    url, body = f"{LIST}{order.number}/{part}", {"gateway": "alipay"}

    for person in (stranger, staff):
        response = client_of(person).post(url, body, content_type="application/json")
        assert response.status_code == 404
        assert response.json()["code"] == "order_not_found"
    nobody = Client().post(url, body, content_type="application/json")
    assert nobody.status_code == 401
    forging = Client(enforce_csrf_checks=True)
    forging.force_login(owner)
    forged = forging.post(url, body, content_type="application/json")
    assert forged.status_code == 403
    order.refresh_from_db()
    assert order.state == Order.State.PENDING
    assert PaymentAttempt.objects.count() == 0
