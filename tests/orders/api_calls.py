"""How the tests of the API place an order, and what a refusal must leave alone."""

from typing import Any

from django.test import Client

from catalog.models import Plan
from learning.models import Enrolment
from orders.models import IdempotencyKey, InvoiceRequest, Order

LIST = "/api/v1/orders/"
KEY = "4f1c2d9e-key"
ENTERPRISE = {
    "buyer_kind": "enterprise",
    "title": "示例科技有限公司",
    "credit_code": "9111 0000 6000 37341l",
}


def place(client: Client, wanted: Plan, **body: Any) -> Any:
    """Ask for an order under `KEY`; `body` adds to what is sent, or replaces it."""
    return client.post(
        LIST,
        {"plan": wanted.code, "price_fen": 3300, "agreement": True} | body,
        content_type="application/json",
        headers={"idempotency-key": KEY},
    )


def expect_nothing_placed(*, orders: int = 0, enrolments: int = 0) -> None:
    """No more than what was there before."""
    assert Order.objects.count() == orders
    assert Enrolment.objects.count() == enrolments
    assert IdempotencyKey.objects.count() == 0
    assert InvoiceRequest.objects.count() == 0
