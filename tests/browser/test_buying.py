"""Buying at entry two in a browser, on a desk and on a phone; every page looked at."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from catalog.models import Plan, Subject
from invoices.tasks import issue_requested_invoices
from orders.models import Order, PaymentAttempt
from portal.sandbox import SandboxServer
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import UserFactory
from tests.factories.orders import (
    PaymentAttemptFactory,
    make_endless_plan,
    make_order,
)

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE_SIZE = (1280, 900), (390, 844)
SIZES = pytest.mark.parametrize("size", [DESK, PHONE_SIZE], ids=["desk", "phone"])
LogIn = Callable[[Any], Client]


@pytest.fixture
def person() -> User:
    return UserFactory(name="赵一", with_profile=True)


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan(
        entry=Plan.Entry.TWO,
        subject=Subject.PROFESSIONAL,
        title="重庆市2026年专业技术人员继续教育专业科目培训（入口二）",
        unit_price_fen=150,
        hours=60,
    )


@pytest.fixture
def visit(
    page: Page, person: User, client_of: LogIn, live_server: Any, size: tuple[int, int]
) -> Page:
    """A page of the person's browser, of the size that is looked at."""
    cookie = client_of(person).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
    )
    page.set_viewport_size({"width": size[0], "height": size[1]})
    return page


def look(page: Page, name: str) -> None:
    """Keep a picture of the page; nothing may stand out to the side."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width = page.evaluate("() => window.innerWidth")
    page.screenshot(path=SCREENSHOTS / f"buying-{name}-{width}.png", full_page=True)
    over = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert over <= 0, f"{name} is {over} px too wide at {width}"


@SIZES
def test_entry_two_from_the_plan_to_the_invoice(
    visit: Page, plan: Plan, sandbox: SandboxServer
) -> None:
    page = visit
    page.goto(f"/plans/{plan.code}/")
    page.get_by_role("link", name="报名", exact=True).click()
    expect(page.get_by_role("heading", name="个人报名")).to_be_visible()
    expect(page.get_by_text("立即申请")).to_have_count(0)
    expect(page.get_by_role("link", name="团体报名")).to_be_visible()
    look(page, "checkout")
    page.get_by_label("我已核对以上信息").check()
    page.get_by_role("button", name="提交订单").click()

    expect(page.get_by_role("heading", name="等待支付")).to_be_visible()
    expect(page.get_by_role("timer")).to_contain_text("分")
    look(page, "order-pending")
    page.get_by_label("支付宝").check()
    page.get_by_role("button", name="立即支付").click()
    expect(page.get_by_text("模拟收银台·非真实支付").first).to_be_visible()
    # The live server has no worker; the test plays the lost notification's part by a query,
    # which the return asks for.
    sandbox.alipay.trades.pay(PaymentAttempt.objects.get().number)
    order = Order.objects.get()
    url = sandbox.alipay.make_return_url(PaymentAttempt.objects.get().number)
    page.goto(url)
    expect(page.get_by_role("heading", name="报名成功")).to_be_visible()
    look(page, "order-paid")

    page.goto("/orders/")
    card = page.get_by_role("article", name=f"订单 {order.number}")
    expect(card.get_by_role("link", name="去学习")).to_be_visible()
    look(page, "list-paid")
    card.get_by_role("link", name="申请票据").click()
    expect(page.get_by_role("heading", name="申请票据")).to_be_visible()
    look(page, "invoice-request")
    page.get_by_label("发票抬头").fill("赵一")
    page.locator("input[name=is_checked]").check()
    page.get_by_role("button", name="提交申请").click()
    issue_requested_invoices()

    page.goto("/orders/")
    card.get_by_text("更多").click()
    expect(card.get_by_role("link", name="查看发票")).to_be_visible()
    look(page, "list-more")
    page.keyboard.press("Escape")
    expect(card.get_by_role("link", name="查看发票")).to_be_hidden()
    card.get_by_text("更多").click()
    card.get_by_role("link", name="查看发票").click()
    expect(page.get_by_role("heading", name="查看发票")).to_be_visible()
    page.goto(f"/orders/new/{plan.code}/")
    expect(page.get_by_text("您已开通该学习计划")).to_be_visible()
    look(page, "obstacle")


@SIZES
def test_list_of_many_states(visit: Page, person: User, plan: Plan) -> None:
    now = timezone.now()
    other = make_endless_plan(title="重庆市2026年专技人员继续教育公需科目培训")
    make_order(person, other, expired=True)
    make_order(person, plan, cancelled=True)
    make_order(
        person,
        make_endless_plan(entry=Plan.Entry.ONE, unit_price_fen=150, hours=60),
        state=Order.State.PAID,
        created_at=now,
        paid_at=now,
        refunded_fen=3300,
    )
    pending = make_order(person, plan, created_at=now)
    PaymentAttemptFactory(order=pending, closed=True)
    PaymentAttemptFactory(order=pending)
    page = visit
    page.goto("/orders/")
    look(page, "list")
    page.get_by_placeholder("订单编号、支付编号").fill(pending.number[-5:].lower())
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("article")).to_have_count(1)
    look(page, "list-found")
    page.get_by_role("link", name="去支付").click()
    expect(page.get_by_role("heading", name="支付记录")).to_be_visible()
    look(page, "order-attempts")
    page.goto("/orders/?state=closed")
    page.get_by_role("link", name="再次购买").first.click()
    expect(page.get_by_role("heading", name="提交订单")).to_be_visible()


@pytest.mark.parametrize("size", [DESK], ids=["desk"])
def test_page_is_asked_for_anew_when_time_is_over(
    visit: Page, person: User, plan: Plan
) -> None:
    now = timezone.now()
    order = make_order(
        person, plan, created_at=now, expires_at=now + timedelta(seconds=70)
    )
    visit.goto(f"/orders/{order.number}/")
    expect(visit.get_by_role("button", name="立即支付")).to_be_visible()

    expect(visit.get_by_role("heading", name="支付时间已过")).to_be_visible()
    expect(visit.get_by_role("button", name="立即支付")).to_have_count(0)
