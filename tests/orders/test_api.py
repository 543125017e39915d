from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Plan
from tests.factories.orders import make_order

pytestmark = pytest.mark.django_db


def test_owner_reads_the_state(
    owner: User, plan: Plan, client_of: Callable[[User], Client]
) -> None:
    order = make_order(owner, plan)

    response = client_of(owner).get(f"/api/v1/orders/{order.number}/")

    assert response.status_code == 200
    assert response.json() == {
        "number": order.number,
        "kind": "personal",
        "state": "pending",
        "state_label": "待支付",
        "total_fen": 3300,
        "created_at": "2026-06-15T09:50:00+08:00",
        "expires_at": "2026-06-15T10:20:00+08:00",
        "paid_at": None,
        "lines": [
            {
                "plan": plan.code,
                "plan_title": plan.title,
                "plan_year": 2026,
                "hours": 30,
                "price_fen": 3300,
            }
        ],
    }


def test_others_find_nothing(
    owner: User, stranger: User, staff: User, client_of: Callable[[User], Client]
) -> None:
    url = f"/api/v1/orders/{make_order(owner).number}/"

    assert client_of(stranger).get(url).status_code == 404
    assert client_of(staff).get(url).status_code == 404
    assert Client().get(url).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_state_is_read_only(
    owner: User, client_of: Callable[[User], Client], method: str
) -> None:
    url = f"/api/v1/orders/{make_order(owner).number}/"

    assert getattr(client_of(owner), method)(url).status_code == 405


def test_schema_describes_it(staff: User, client_of: Callable[[User], Client]) -> None:
    text = client_of(staff).get("/api/v1/schema/").content.decode()

    assert "/api/v1/orders/{number}/" in text
    assert "read_order" in text
