"""One order for one idempotency key, however often it is asked for."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from orders.models import IdempotencyKey, InvoiceRequest, Order
from orders.services import forget_idempotency_keys
from tests.factories.orders import make_endless_plan, make_order
from tests.orders.api_calls import ENTERPRISE, KEY, LIST, expect_nothing_placed, place

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


@pytest.mark.parametrize(
    "key", [None, "", "short", "with blank", "中文键中文键", "x" * 129]
)
def test_key_is_demanded(
    owner: User, plan: Plan, client_of: LogIn, key: str | None
) -> None:
    headers = {} if key is None else {"idempotency-key": key.encode().decode("latin-1")}

    response = client_of(owner).post(
        LIST,
        {"plan": plan.code, "agreement": True},
        content_type="application/json",
        headers=headers,
    )

    assert response.status_code == 400
    assert response.json()["code"] == "idempotency_key_missing"
    expect_nothing_placed()


def test_same_key_and_wish_give_the_same_order(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    client = client_of(owner)
    first = place(client, plan, invoice=ENTERPRISE)

    again = place(client, plan, invoice=ENTERPRISE)

    assert again.status_code == 201
    assert again["Idempotent-Replayed"] == "true"
    assert again["Location"] == first["Location"]
    assert again.json() == first.json()
    assert Order.objects.count() == 1
    assert IdempotencyKey.objects.count() == 1


def test_replay_tells_what_has_become_of_the_order(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    client = client_of(owner)
    place(client, plan)
    Order.objects.update(state=Order.State.CANCELLED)

    assert place(client, plan).json()["state"] == "cancelled"


@pytest.mark.parametrize(
    "changes", [{"invoice": ENTERPRISE}, {"plan": "another"}], ids=["invoice", "plan"]
)
def test_same_key_with_another_wish_is_refused(
    owner: User, plan: Plan, client_of: LogIn, changes: dict[str, Any]
) -> None:
    make_endless_plan(code="another")
    client = client_of(owner)
    place(client, plan)

    response = place(client, plan, **changes)

    assert response.status_code == 422
    assert response.json()["code"] == "idempotency_key_reused"
    assert Order.objects.count() == 1
    assert InvoiceRequest.objects.count() == 0


def test_key_is_its_owners(
    owner: User, stranger: User, plan: Plan, client_of: LogIn
) -> None:
    """Two people may have had the same idea; nobody learns of the other's order."""
    first = place(client_of(owner), plan)

    second = place(client_of(stranger), plan)

    assert second.status_code == 201
    assert "Idempotent-Replayed" not in second
    assert second.json()["number"] != first.json()["number"]
    assert Order.objects.filter(buyer=stranger).count() == 1


def test_refused_request_leaves_its_key_free(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    client = client_of(owner)
    order = make_order(owner, plan)
    assert place(client, plan).status_code == 409
    Order.objects.update(state=Order.State.CANCELLED)
    order.lines.update(is_live=False)

    assert place(client, plan).status_code == 201


def test_key_is_kept_hashed(owner: User, plan: Plan, client_of: LogIn) -> None:
    place(client_of(owner), plan, invoice=ENTERPRISE)

    row = IdempotencyKey.objects.get()
    kept = f"{row.key_index} {row.body_index}"
    assert re.fullmatch("[0-9a-f]{64} [0-9a-f]{64}", kept)
    assert KEY not in kept
    assert row.key_index != row.body_index


def test_key_that_ran_out_is_a_new_key(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    client = client_of(owner)
    first = place(client, plan)
    Order.objects.update(state=Order.State.CANCELLED)
    Order.objects.get().lines.update(is_live=False)
    IdempotencyKey.objects.update(expires_at=timezone.now())

    second = place(client, plan)

    assert second.status_code == 201
    assert "Idempotent-Replayed" not in second
    assert second.json()["number"] != first.json()["number"]
    assert IdempotencyKey.objects.count() == 1


def test_keys_that_ran_out_are_forgotten(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    place(client_of(owner), plan)
    end = IdempotencyKey.objects.get().expires_at

    early = forget_idempotency_keys(now=end - timedelta(microseconds=1))
    late = forget_idempotency_keys(now=end)

    assert (early, late) == (0, 1)
    assert IdempotencyKey.objects.count() == 0
    assert Order.objects.count() == 1
