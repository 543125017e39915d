"""The list and the page of orders: both entries' words, search, attempts, what is left to do."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Plan
from orders.models import Order, OrderLine
from orders.views.orders import read_number
from tests.factories.orders import (
    InvoiceRequestFactory,
    OrderFactory,
    OrderLineFactory,
    PaymentAttemptFactory,
    make_endless_plan,
    make_order,
)

pytestmark = pytest.mark.django_db

LogIn = Callable[[User], Client]
ONE, TWO = Plan.Entry.ONE, Plan.Entry.TWO


@pytest.fixture
def entry_one(db: None) -> Plan:
    return make_endless_plan(entry=ONE)


@pytest.fixture
def entry_two(db: None) -> Plan:
    return make_endless_plan(entry=TWO)


def read(client: Client, url: str, **query: str) -> str:
    return client.get(url, query).content.decode()


def links_in(text: str) -> dict[str, str]:
    """The words of every link and where each leads, tags within left out."""
    found = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', text, re.DOTALL)
    return {re.sub(r"<[^>]*>", "", words).strip(): url for url, words in found}


def main_of(text: str) -> str:
    return text[text.index('<div class="space-main">') : text.index("</main>")]


def make_paid_now(person: User, plan: Plan, **fields: Any) -> Order:
    now = timezone.now()
    return make_order(
        person, plan, state=Order.State.PAID, created_at=now, paid_at=now, **fields
    )


# --- Words of the entries ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "study", "invoice", "kind"),
    [
        (ONE, "进入学习", "申请开票", "个人购买"),
        (TWO, "去学习", "申请票据", "个人报名"),
    ],
)
@pytest.mark.parametrize("page", ["list", "detail"])
def test_paid_order_speaks_the_words_of_its_entry(
    owner: User,
    client_of: LogIn,
    entry: int,
    study: str,
    invoice: str,
    kind: str,
    page: str,
) -> None:
    plan = make_endless_plan(entry=entry)
    order = make_paid_now(owner, plan)
    url = "/orders/" if page == "list" else f"/orders/{order.number}/"

    text = main_of(read(client_of(owner), url))

    links = links_in(text)
    assert f'class="order-kind">{kind}</' in text
    assert links[study] == f"/training/{plan.code}/"
    assert links[invoice] == f"/invoices/request/{order.number}/"
    others = {"进入学习", "去学习", "申请开票", "申请票据"} - {study, invoice}
    assert others & set(links) == set()


@pytest.mark.parametrize(("entry", "words"), [(ONE, "购买成功"), (TWO, "报名成功")])
def test_success_is_named_as_the_button_was(
    owner: User, client_of: LogIn, entry: int, words: str
) -> None:
    order = make_paid_now(owner, make_endless_plan(entry=entry))

    text = read(client_of(owner), f"/orders/{order.number}/")

    assert f'<h2 id="order-state">{words}</h2>' in text


def test_asked_for_invoice_is_under_more(
    owner: User, entry_two: Plan, client_of: LogIn
) -> None:
    order = make_paid_now(owner, entry_two)
    InvoiceRequestFactory(order=order)

    text = main_of(read(client_of(owner), "/orders/"))

    more = text[text.index("<details") : text.index("</details>")]
    assert "更多" in more
    assert links_in(more)["查看发票"] == f"/invoices/request/{order.number}/"
    assert "申请票据" not in text


def test_invoice_is_no_longer_offered_in_the_next_year(
    owner: User, entry_two: Plan, client_of: LogIn
) -> None:
    paid = timezone.now().replace(year=timezone.localdate().year - 1, day=1)
    order = make_order(
        owner, entry_two, state=Order.State.PAID, created_at=paid, paid_at=paid
    )
    client = client_of(owner)

    assert "申请票据" not in main_of(read(client, "/orders/"))
    text = read(client, f"/orders/{order.number}/")
    assert "申请票据" not in main_of(text)
    assert "已过缴费当年" in text


@pytest.mark.parametrize("trait", ["cancelled", "expired"])
@pytest.mark.parametrize("page", ["list", "detail"])
def test_closed_order_leads_to_another_purchase(
    owner: User, entry_one: Plan, client_of: LogIn, trait: str, page: str
) -> None:
    order = make_order(owner, entry_one, **{trait: True})
    url = "/orders/" if page == "list" else f"/orders/{order.number}/"

    links = links_in(main_of(read(client_of(owner), url)))

    assert links["再次购买"] == f"/orders/new/{entry_one.code}/"


# --- Money that went back ----------------------------------------------------------------


@pytest.mark.parametrize("page", ["list", "detail"])
def test_partial_refund_is_shown(
    owner: User, stranger: User, client_of: LogIn, page: str
) -> None:
    plan = make_endless_plan(pricing=Plan.Pricing.FLAT, unit_price_fen=3300)
    order = OrderFactory(
        buyer=owner,
        kind=Order.Kind.GROUP,
        paid=True,
        total_fen=6600,
        refunded_fen=3300,
    )
    OrderLineFactory(order=order, plan=plan)
    OrderLineFactory(
        order=order,
        plan=plan,
        person=stranger,
        is_live=False,
        refunded_at=order.paid_at,
    )
    url = "/orders/" if page == "list" else f"/orders/{order.number}/"

    text = main_of(read(client_of(owner), url))

    assert "66.00" in text
    assert "33.00" in text
    if page == "list":
        assert "部分退款" in text
        assert "已退 33.00 元" in text
    else:
        assert "其中 33.00 元已按原支付渠道退回" in text
        assert "2 人（已退 1）" in text


# --- Search ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (" d2606 15abc ", "D260615ABC"),
        ("Ｄ２６０６１５", "D260615"),
        ("", ""),
        ("9" * 80, "9" * 64),
    ],
)
def test_number_is_read_as_people_copy_it(typed: str, number: str) -> None:
    assert read_number(typed) == number


def test_search_finds_by_part_of_the_number(
    owner: User, entry_one: Plan, entry_two: Plan, client_of: LogIn
) -> None:
    wanted, other = make_order(owner, entry_one), make_order(owner, entry_two)

    text = read(client_of(owner), "/orders/", q=wanted.number[-6:].lower())

    assert wanted.number in text
    assert other.number not in text


@pytest.mark.parametrize("column", ["number", "gateway_number"])
def test_search_finds_by_the_number_on_a_receipt(
    owner: User, entry_one: Plan, entry_two: Plan, client_of: LogIn, column: str
) -> None:
    wanted, other = make_order(owner, entry_one), make_order(owner, entry_two)
    attempt = PaymentAttemptFactory(order=wanted, paid=True)

    text = read(client_of(owner), "/orders/", q=getattr(attempt, column))

    assert wanted.number in text
    assert other.number not in text


def test_search_finds_nothing_of_others(
    owner: User, stranger: User, client_of: LogIn
) -> None:
    order = make_order(owner)
    attempt = PaymentAttemptFactory(order=order, paid=True)
    client = client_of(stranger)

    for wanted in (order.number, attempt.number, attempt.gateway_number):
        response = client.get("/orders/", {"q": wanted})
        assert list(response.context["page_obj"]) == []
        assert "没有找到该订单" in response.content.decode()


def test_search_stays_within_its_tab(
    owner: User, entry_one: Plan, client_of: LogIn
) -> None:
    order = make_order(owner, entry_one)
    client = client_of(owner)

    found = client.get("/orders/", {"q": order.number, "state": "pending"})
    missed = client.get("/orders/", {"q": order.number, "state": "paid"})

    assert list(found.context["page_obj"]) == [order]
    assert list(missed.context["page_obj"]) == []


def test_pages_keep_tab_and_search(owner: User, client_of: LogIn) -> None:
    orders = [make_order(owner) for _ in range(12)]
    client = client_of(owner)

    first = client.get("/orders/", {"state": "pending", "q": "D26"})
    second = client.get("/orders/", {"state": "pending", "q": "D26", "page": "2"})

    assert len(first.context["rows"]) == 10
    assert len(second.context["rows"]) == 2
    assert {row.order for row in first.context["rows"]}.isdisjoint(
        row.order for row in second.context["rows"]
    )
    assert len(orders) == 12
    assert "?state=pending&amp;q=D26&amp;page=2" in first.content.decode()


def test_group_of_many_costs_no_more(
    owner: User, client_of: LogIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """5,000 people on an order are one row of what it buys, not 5,000 rows to read."""
    plan = make_endless_plan()
    order = OrderFactory(buyer=owner, kind=Order.Kind.GROUP)
    OrderLineFactory(order=order, plan=plan)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            plan=plan,
            quantity=1,
            plan_title=plan.title,
            plan_year=plan.year,
            hours=plan.hours,
            price_fen=plan.price_fen,
        )
        for _ in range(299)
    )
    client = client_of(owner)

    with django_assert_num_queries(5):
        response = client.get("/orders/")

    (row,) = response.context["rows"]
    assert [(item.title, item.count) for item in row.items] == [(plan.title, 300)]
    assert "300 人" in response.content.decode()


# --- Attempts and the time left ----------------------------------------------------------


def test_every_attempt_is_listed(
    owner: User, entry_one: Plan, client_of: LogIn
) -> None:
    order = make_order(owner, entry_one, created_at=timezone.now())
    closed = PaymentAttemptFactory(order=order, closed=True)
    waiting = PaymentAttemptFactory(order=order)

    text = read(client_of(owner), f"/orders/{order.number}/")

    table = text[text.index('id="order-attempts"') : text.index('id="order-trace"')]
    assert table.index(closed.number) < table.index(waiting.number)
    for words in ("支付宝", "已关闭", "等待支付", "33.00"):
        assert words in table
    assert "也可以换一种支付方式" in text


def test_gateway_that_is_offered_no_more_keeps_its_code(
    owner: User, client_of: LogIn
) -> None:
    order = make_order(owner)
    PaymentAttemptFactory(order=order, gateway="oldpay", closed=True)

    assert "oldpay" in read(client_of(owner), f"/orders/{order.number}/")


def test_order_without_attempts_lists_none(owner: User, client_of: LogIn) -> None:
    text = read(client_of(owner), f"/orders/{make_order(owner).number}/")

    assert "支付记录" not in text
    assert "也可以换一种支付方式" not in text


@pytest.mark.parametrize(("left", "seconds"), [(600, 540), (600.4, 541)])
def test_countdown_ends_where_gateways_refuse(
    owner: User,
    entry_one: Plan,
    client_of: LogIn,
    time_machine: Any,
    left: float,
    seconds: int,
) -> None:
    """Gateways take no payment that has to end within a minute. A page that came back a part
    of a second too early would load itself again and again."""
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    order = make_order(
        owner, entry_one, created_at=now, expires_at=now + timedelta(seconds=left)
    )

    response = client_of(owner).get(f"/orders/{order.number}/")

    assert response.context["seconds_to_pay"] == seconds
    assert f'data-countdown="{seconds}"' in response.content.decode()


def test_no_countdown_once_time_is_over(
    owner: User, entry_one: Plan, client_of: LogIn
) -> None:
    created = datetime(2026, 6, 15, tzinfo=UTC)
    order = make_order(owner, entry_one, created_at=created)

    text = read(client_of(owner), f"/orders/{order.number}/")

    assert "data-countdown" not in text
    assert "支付时间已过" in text
