"""The buyer's pages of refunds: who may see and ask what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.models import Enrolment
from orders.models import Order, Refund
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_order
from tests.orders.bank import Bank
from tests.orders.shop import buy, buy_group

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]


@pytest.fixture
def order(bank: Bank, owner: User, plan: Plan) -> Order:
    """Bought by the real clock, which the pages read."""
    return buy(bank, owner, plan, timezone.now())


def url(order: Order) -> str:
    return reverse("orders:refund", args=[order.number])


def withdraw_url(refund: Refund) -> str:
    names = [refund.order.number, refund.number]
    return reverse("orders:refund-withdraw", args=names)


def detail(client: Client, order: Order) -> str:
    return client.get(reverse("orders:detail", args=[order.number])).content.decode()


def test_buyer_asks_on_the_page_of_the_order(
    order: Order, owner: User, client_of: LogIn
) -> None:
    client = client_of(owner)
    assert url(order) in detail(client, order)

    page = client.get(url(order)).content.decode()
    response = client.post(url(order), {"reason": "报错了计划"})

    refund = Refund.objects.get()
    assert "33.00" in page
    assert response.status_code == 302
    assert (refund.reason, refund.requested_by) == ("报错了计划", owner)
    shown = detail(client, order)
    assert refund.number in shown
    assert "待审批" in shown
    assert url(order) not in shown


def test_without_a_reason_nothing_is_asked(
    order: Order, owner: User, client_of: LogIn
) -> None:
    response = client_of(owner).post(url(order), {"reason": " "})

    assert response.status_code == 200
    assert "请填写退款原因" in response.content.decode()
    assert Refund.objects.count() == 0


def test_policy_is_told_before_asking(
    order: Order, owner: User, client_of: LogIn
) -> None:
    Enrolment.objects.update(elective_earned=1)
    client = client_of(owner)

    page = client.get(url(order)).content.decode()
    client.post(url(order), {"reason": "x"})

    assert "已开始学习" in page
    assert "可退金额" not in page
    assert 'name="reason"' not in page
    assert Refund.objects.count() == 0


@pytest.mark.parametrize(("days", "is_offered"), [(30, True), (31, False)])
def test_button_goes_when_the_time_for_asking_is_over(
    order: Order, owner: User, client_of: LogIn, days: int, is_offered: bool
) -> None:
    Order.objects.update(paid_at=timezone.now() - timedelta(days=days))
    client = client_of(owner)

    shown = detail(client, order)
    assert (url(order) in shown) is is_offered
    assert ("支付后30天内、尚未开始学习的可以申请退款。" in shown) is is_offered
    page = client.get(url(order)).content.decode()

    assert ("已超过支付后30天的退款期限" in page) is not is_offered
    assert ('name="reason"' in page) is is_offered


def test_wish_is_taken_back(order: Order, owner: User, client_of: LogIn) -> None:
    client = client_of(owner)
    client.post(url(order), {"reason": "x"})
    refund = Refund.objects.get()

    client.post(withdraw_url(refund))

    refund.refresh_from_db()
    assert refund.state == Refund.State.CANCELLED
    assert "已撤销" in detail(client, order)


def test_without_approval_the_money_goes_at_once(
    order: Order,
    owner: User,
    bank: Bank,
    client_of: LogIn,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.REFUND_POLICY = settings.REFUND_POLICY | {"needs_approval": False}
    client = client_of(owner)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(url(order), {"reason": "x"})

    order.refresh_from_db()
    assert order.state == Order.State.REFUNDED
    assert [trade.held_fen for trade in bank.trades.values()] == [0]
    shown = detail(client, order)
    assert "已退款" in shown
    assert "已退金额" in shown


# --- Seats ----------------------------------------------------------------------------------


@pytest.fixture
def people(db: None) -> list[User]:
    return [
        UserFactory(name="孙某三"),
        UserFactory(name="李某四"),
        UserFactory(name="周某五"),
    ]


@pytest.fixture
def group(bank: Bank, owner: User, plan: Plan, people: list[User]) -> Order:
    return buy_group(bank, owner, plan, people, timezone.now())


def test_single_people_are_chosen_without_their_names(
    group: Order, people: list[User], owner: User, client_of: LogIn
) -> None:
    client = client_of(owner)
    seat = group.lines.get(person=people[1])

    page = client.get(url(group)).content.decode()
    client.post(url(group), {"scope": "seats", "seats": [seat.pk], "reason": "x"})

    refund = Refund.objects.get()
    assert "李*四" in page
    assert "李某四" not in page
    assert people[1].id_number not in page
    assert [row.line for row in refund.lines.all()] == [seat]
    assert refund.amount_fen == 3300


def test_whole_group_is_given_back(group: Order, owner: User, client_of: LogIn) -> None:
    client_of(owner).post(url(group), {"scope": "whole", "reason": "x"})

    assert Refund.objects.get().amount_fen == 9900


def test_who_has_studied_is_not_offered_and_names_stay_masked(
    group: Order, people: list[User], owner: User, client_of: LogIn
) -> None:
    Enrolment.objects.filter(person=people[0]).update(elective_earned=1)
    client = client_of(owner)

    page = client.get(url(group)).content.decode()
    seat = group.lines.get(person=people[0])
    client.post(url(group), {"seats": [seat.pk], "reason": "x"})
    client.post(url(group), {"scope": "whole", "reason": "x"})

    assert "孙*三已开始学习" in page
    assert "孙某三" not in page
    assert 'value="whole"' not in page
    assert Refund.objects.count() == 0
    other = group.lines.get(person=people[2])
    client.post(url(group), {"seats": [other.pk], "reason": "x"})
    assert Refund.objects.get().amount_fen == 3300


def test_single_people_are_not_offered_when_the_time_is_over(
    group: Order, owner: User, client_of: LogIn
) -> None:
    Order.objects.update(paid_at=timezone.now() - timedelta(days=31))
    client = client_of(owner)
    seat = group.lines.first()
    assert seat is not None

    page = client.get(url(group)).content.decode()
    client.post(url(group), {"seats": [seat.pk], "reason": "x"})

    assert "不能申请退款：已超过支付后30天的退款期限" in page
    assert 'name="seats"' not in page
    assert Refund.objects.count() == 0


def test_nobody_chosen_is_told(group: Order, owner: User, client_of: LogIn) -> None:
    response = client_of(owner).post(url(group), {"scope": "seats", "reason": "x"})

    assert "请至少选择一人" in response.content.decode()
    assert Refund.objects.count() == 0


def test_seats_of_another_order_are_refused(
    group: Order, order: Order, owner: User, client_of: LogIn
) -> None:
    alien = order.lines.get()

    data = {"scope": "seats", "seats": [alien.pk], "reason": "x"}
    response = client_of(owner).post(url(group), data)

    assert response.status_code == 200
    assert Refund.objects.count() == 0


# --- Others -----------------------------------------------------------------------------------


def test_orders_of_others_do_not_exist(
    order: Order, owner: User, stranger: User, client_of: LogIn
) -> None:
    client_of(owner).post(url(order), {"reason": "x"})
    refund = Refund.objects.get()
    client = client_of(stranger)

    assert client.get(url(order)).status_code == 404
    assert client.post(url(order), {"reason": "x"}).status_code == 404
    assert client.post(withdraw_url(refund)).status_code == 404
    assert Client().get(url(order)).status_code == 302
    refund.refresh_from_db()
    assert refund.state == Refund.State.REQUESTED
    assert Refund.objects.count() == 1


def test_refund_of_another_order_does_not_exist(
    bank: Bank, order: Order, owner: User, stranger: User, plan: Plan, client_of: LogIn
) -> None:
    other = buy(bank, stranger, plan, timezone.now())
    client_of(stranger).post(url(other), {"reason": "x"})
    refund = Refund.objects.get()

    names = [order.number, refund.number]
    response = client_of(owner).post(reverse("orders:refund-withdraw", args=names))

    assert response.status_code == 404
    refund.refresh_from_db()
    assert refund.state == Refund.State.REQUESTED


def test_person_on_a_group_order_cannot_ask(
    group: Order, people: list[User], client_of: LogIn
) -> None:
    response = client_of(people[0]).post(url(group), {"scope": "whole", "reason": "x"})

    assert response.status_code == 404
    assert Refund.objects.count() == 0


def test_unpaid_orders_offer_nothing(owner: User, client_of: LogIn) -> None:
    order = make_order(owner, expired=True)
    client = client_of(owner)

    assert url(order) not in detail(client, order)
    assert client.get(url(order)).status_code == 302
