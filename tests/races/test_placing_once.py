"""One idempotency key from many threads at once: one order, and everybody hears of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from orders.errors import IdempotencyKeyReusedError, OrderError, PlanBeingBoughtError
from orders.models import IdempotencyKey, Order
from orders.services import place_personal_order, place_personal_order_once
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_endless_plan
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 8
KEY = "one-key-for-all"


def run_at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """What each work returned or was refused with, all released at one moment."""
    return run_together(*works, refusals=(OrderError,))


@pytest.fixture
def buyer(db: None) -> User:
    return UserFactory()


def place(buyer: User, plan: Plan) -> Callable[[], tuple[Order, bool]]:
    return lambda: place_personal_order_once(
        key=KEY, buyer=buyer, plan=plan, shown_fen=3300, now=timezone.now()
    )


def test_one_key_from_all_sides_is_one_order(buyer: User) -> None:
    plan = make_endless_plan(unit_price_fen=110, hours=30)

    answers = run_at_once([place(buyer, plan)] * TIMES)

    assert {order.pk for order, _ in answers} == {Order.objects.get().pk}
    assert sum(is_new for _, is_new in answers) == 1
    assert IdempotencyKey.objects.count() == 1


def test_one_key_for_two_wishes_lets_one_through(buyer: User) -> None:
    plans = [
        make_endless_plan(unit_price_fen=110, hours=30),
        make_endless_plan(unit_price_fen=110, hours=30),
    ]

    answers = run_at_once([place(buyer, plans[n % 2]) for n in range(TIMES)])

    refused = [each for each in answers if isinstance(each, Exception)]
    assert len(refused) == TIMES / 2
    assert all(isinstance(each, IdempotencyKeyReusedError) for each in refused)
    assert Order.objects.count() == 1


def test_app_and_page_at_once_are_one_order(buyer: User) -> None:
    """The page knows no key: whoever comes second is led to the first's order, or is it."""
    plan = make_endless_plan(unit_price_fen=110, hours=30)

    def place_by_page() -> Order:
        return place_personal_order(buyer=buyer, plan=plan, now=timezone.now())

    app, page = run_at_once([place(buyer, plan), place_by_page])

    order = Order.objects.get()
    if isinstance(page, PlanBeingBoughtError):
        assert (app[0].pk, page.order_number) == (order.pk, order.number)
        assert IdempotencyKey.objects.count() == 1
    else:
        assert isinstance(app, PlanBeingBoughtError)
        assert (page.pk, app.order_number) == (order.pk, order.number)
        assert IdempotencyKey.objects.count() == 0
