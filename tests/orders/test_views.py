from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Plan
from orders.errors import OrderError
from orders.models import InvoiceRequest, Order, PaymentAttempt
from orders.rules import make_order_number
from orders.services import checkout as checkout_service
from orders.views import ways
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import (
    OrderFactory,
    OrderLineFactory,
    PaymentAttemptFactory,
    make_endless_plan,
    make_order,
)

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]
AGREED = {"agreement": "on", "invoice": "later", "shown_fen": "3300"}


def detail_url(order: Order) -> str:
    return f"/orders/{order.number}/"


# --- Who may see what --------------------------------------------------------------------

PAGES = ["", "status/"]
ACTIONS = ["pay/", "cancel/"]


@pytest.mark.parametrize("page", PAGES)
def test_order_is_its_owners_only(
    owner: User, stranger: User, staff: User, client_of: LogIn, page: str
) -> None:
    url = detail_url(make_order(owner)) + page

    assert client_of(owner).get(url).status_code in (200, 204)
    assert client_of(stranger).get(url).status_code == 404
    assert client_of(staff).get(url).status_code == 404
    response = Client().get(url)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_else_acts_on_an_order(
    owner: User, stranger: User, client_of: LogIn, action: str
) -> None:
    order = make_order(owner)
    url = detail_url(order) + action

    assert client_of(stranger).post(url, {"gateway": "alipay"}).status_code == 404
    assert Client().post(url, {"gateway": "alipay"}).status_code == 302
    order.refresh_from_db()
    assert order.state == Order.State.PENDING
    assert PaymentAttempt.objects.count() == 0


@pytest.mark.parametrize("action", ACTIONS)
def test_actions_are_posts(owner: User, client_of: LogIn, action: str) -> None:
    url = detail_url(make_order(owner)) + action

    assert client_of(owner).get(url).status_code == 405


@pytest.mark.parametrize("action", ACTIONS)
def test_actions_want_a_csrf_token(owner: User, action: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)

    response = client.post(detail_url(make_order(owner)) + action)

    assert response.status_code == 403


def test_unknown_number_is_not_found(owner: User, client_of: LogIn) -> None:
    number = make_order_number(timezone.localdate())

    assert client_of(owner).get(f"/orders/{number}/").status_code == 404


# --- List --------------------------------------------------------------------------------


def test_list_shows_own_orders_only(
    owner: User, stranger: User, client_of: LogIn
) -> None:
    own, other = make_order(owner), make_order(stranger)

    text = client_of(owner).get("/orders/").content.decode()

    assert own.number in text
    assert other.number not in text


@pytest.mark.parametrize(
    ("tab", "trait"), [("pending", None), ("paid", "paid"), ("closed", "expired")]
)
def test_tabs_show_states(
    owner: User, client_of: LogIn, tab: str, trait: str | None
) -> None:
    orders = {
        None: make_order(owner),
        "paid": make_order(owner, paid=True),
        "expired": make_order(owner, expired=True),
    }

    response = client_of(owner).get("/orders/", {"state": tab})

    assert list(response.context["page_obj"]) == [orders[trait]]


def test_money_under_review_is_not_asked_for_in_the_list(
    owner: User, client_of: LogIn
) -> None:
    order = make_order(owner, created_at=timezone.now())
    before = client_of(owner).get("/orders/").content.decode()
    PaymentAttemptFactory(order=order, review=True)

    after = client_of(owner).get("/orders/").content.decode()

    assert "去支付" in before
    assert "去支付" not in after
    assert "人工核对" in after


def test_empty_list_leads_to_the_plans(owner: User, client_of: LogIn) -> None:
    text = client_of(owner).get("/orders/").content.decode()

    assert "还没有订单" in text
    assert reverse("plan-list") in text


def test_list_costs_the_same_for_one_and_for_ten(
    owner: User, client_of: LogIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(owner)
    make_order(owner)
    # Session, person, count, orders with their invoice requests, what they buy.
    with django_assert_num_queries(5):
        client.get("/orders/")
    for _ in range(9):
        make_order(owner)

    with django_assert_num_queries(5):
        client.get("/orders/")


def test_waiting_page_is_cheap(
    owner: User, client_of: LogIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(owner)
    order = make_order(owner)

    # Session, person, order, last event.
    with django_assert_num_queries(4):
        client.get(f"{detail_url(order)}status/", {"seen": "pending-0"})


# --- Checkout ----------------------------------------------------------------------------


def test_checkout_needs_a_login(plan: Plan) -> None:
    response = Client().get(f"/orders/new/{plan.code}/")

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_checkout_shows_plan_and_buyer(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    text = client_of(owner).get(f"/orders/new/{plan.code}/").content.decode()

    assert plan.title in text
    assert "33.00" in text
    assert owner.name in text
    assert owner.id_number not in text
    assert owner.masked_id_number in text
    assert "立即申请" in text


def test_checkout_places_an_order_with_its_invoice(
    owner: User, plan: Plan, client_of: LogIn
) -> None:
    data = {**AGREED, "invoice": "now", "buyer_kind": "person", "title": "赵一"}

    response = client_of(owner).post(f"/orders/new/{plan.code}/", data)

    order = Order.objects.get()
    assert response.status_code == 302
    assert response["Location"] == detail_url(order)
    assert order.buyer == owner
    assert InvoiceRequest.objects.get(order=order).title == "赵一"


def test_checkout_of_entry_two_asks_no_invoice(owner: User, client_of: LogIn) -> None:
    plan = make_endless_plan(entry=Plan.Entry.TWO)
    client = client_of(owner)

    text = client.get(f"/orders/new/{plan.code}/").content.decode()
    client.post(f"/orders/new/{plan.code}/", {**AGREED, "invoice": "now"})

    assert "立即申请" not in text
    assert Order.objects.count() == 1
    assert InvoiceRequest.objects.count() == 0


@pytest.mark.parametrize("shown", ["3299", "", "x"])
def test_page_with_another_price_asks_again(
    owner: User, plan: Plan, client_of: LogIn, shown: str
) -> None:
    """The price changed at midnight, while the page was open; or somebody tried a price."""
    client, address = client_of(owner), f"/orders/new/{plan.code}/"

    response = client.post(address, {**AGREED, "shown_fen": shown})

    text = response.content.decode()
    assert Order.objects.count() == 0
    assert 'name="shown_fen" value="3300"' in text
    assert ("checked" in text.split('name="agreement"')[1][:80]) == (shown == "x")
    if shown != "x":
        assert "价格已调整为 33.00 元，请核对后重新提交" in text
    client.post(address, AGREED)
    assert Order.objects.get().total_fen == 3300


def test_mistake_places_nothing(owner: User, plan: Plan, client_of: LogIn) -> None:
    response = client_of(owner).post(f"/orders/new/{plan.code}/", {"invoice": "later"})

    assert response.status_code == 200
    assert "请先阅读并同意《购买须知》。" in response.content.decode()
    assert Order.objects.count() == 0


@pytest.mark.parametrize("method", ["get", "post"])
def test_plan_being_bought_leads_to_its_order(
    owner: User, plan: Plan, client_of: LogIn, method: str
) -> None:
    order = make_order(owner, plan)

    response = getattr(client_of(owner), method)(f"/orders/new/{plan.code}/", AGREED)

    text = response.content.decode()
    assert "您已有该学习计划的订单" in text
    assert detail_url(order) in text
    assert Order.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_plan_held_leads_to_its_courses(
    owner: User, plan: Plan, client_of: LogIn, method: str
) -> None:
    EnrolmentFactory(person=owner, plan=plan)

    response = getattr(client_of(owner), method)(f"/orders/new/{plan.code}/", AGREED)

    text = response.content.decode()
    assert "您已开通该学习计划" in text
    assert reverse("learning:course-list", args=[plan.code]) in text
    assert Order.objects.count() == 0


def test_draft_is_not_found(owner: User, client_of: LogIn) -> None:
    plan = make_endless_plan(is_published=False)

    assert client_of(owner).get(f"/orders/new/{plan.code}/").status_code == 404


@pytest.mark.parametrize(
    ("entry", "label"), [(Plan.Entry.ONE, "进入学习"), (Plan.Entry.TWO, "去学习")]
)
def test_plan_held_is_studied_in_the_words_of_its_entry(
    owner: User, client_of: LogIn, entry: int, label: str
) -> None:
    plan = make_endless_plan(entry=entry)
    EnrolmentFactory(person=owner, plan=plan)

    response = client_of(owner).get(f"/orders/new/{plan.code}/")

    assert response.context["obstacle"].label == label


def test_plan_that_a_unit_is_buying_names_no_order(
    owner: User, stranger: User, plan: Plan, client_of: LogIn
) -> None:
    order = OrderFactory(buyer=stranger, kind=Order.Kind.GROUP)
    OrderLineFactory(order=order, plan=plan, person=owner)

    response = client_of(owner).post(f"/orders/new/{plan.code}/", AGREED)

    text = response.content.decode()
    assert "您所在单位正在为您购买该学习计划" in text
    assert order.number not in text
    assert stranger.name not in text
    assert Order.objects.count() == 1


def test_whatever_refuses_a_purchase_is_shown(
    owner: User, plan: Plan, client_of: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes and claims refuse in their own words; the page knows every one of them."""

    def refuse(**_arguments: object) -> None:
        raise OrderError("另有原因。")

    monkeypatch.setattr(checkout_service, "check_purchase", refuse)

    for method in ("get", "post"):
        client = client_of(owner)
        response = getattr(client, method)(f"/orders/new/{plan.code}/", AGREED)
        assert "另有原因。" in response.content.decode()
    assert Order.objects.count() == 0


# --- Ways to buy -------------------------------------------------------------------------


def test_one_way_to_buy_needs_no_tabs(
    owner: User, plan: Plan, client_of: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ways, "WAYS", ways.WAYS[:1])

    text = client_of(owner).get(f"/orders/new/{plan.code}/").content.decode()

    assert 'aria-label="购买方式"' not in text


@pytest.mark.parametrize(
    ("entry", "labels"),
    [(Plan.Entry.ONE, ["个人购买", "其他"]), (Plan.Entry.TWO, ["个人报名", "别的"])],
)
def test_ways_are_tabs_in_the_words_of_the_entry(
    owner: User,
    client_of: LogIn,
    monkeypatch: pytest.MonkeyPatch,
    entry: int,
    labels: list[str],
) -> None:
    plan = make_endless_plan(entry=entry)
    other = ways.Way(Order.Kind.GROUP, {1: "其他", 2: "别的"}, "plan-detail")
    monkeypatch.setattr(ways, "WAYS", [ways.WAYS[0], other])

    response = client_of(owner).get(f"/orders/new/{plan.code}/")

    tabs = response.context["ways"]
    assert [tab.label for tab in tabs] == labels
    assert [tab.url for tab in tabs] == [
        f"/orders/new/{plan.code}/",
        f"/plans/{plan.code}/",
    ]
    assert [tab.is_current for tab in tabs] == [True, False]
    assert 'aria-label="购买方式"' in response.content.decode()
