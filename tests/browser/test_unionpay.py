"""A payment at UnionPay in Chromium: a form to another site, and a post back from it.

The portal is at localhost and the simulated gateway at 127.0.0.1: two sites for a browser, so
cookies stay at home as they do between the centre and UnionPay.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Plan
from orders.models import Order, PaymentAttempt
from portal.sandbox import SandboxServer
from tests.browser.test_sessions import DESK, PHONE_SIZE, log_in, resize, sideways
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_endless_plan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan(settings: Settings, live_server: LiveServer, sandbox: SandboxServer) -> Plan:
    # Where the gateway's notifications go.
    settings.SITE_URL = live_server.url
    assert live_server.url.startswith("http://localhost:")
    assert sandbox.url.startswith("http://127.0.0.1:")
    return make_endless_plan(title="2026年公需科目", unit_price_fen=110, hours=30)


@pytest.fixture
def buyer() -> User:
    person: User = UserFactory(name="赵一", with_profile=True)
    return person


@pytest.fixture
def plain(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Page]:
    """A browser without scripts."""
    context = browser.new_context(**browser_context_args, java_script_enabled=False)
    yield context.new_page()
    context.close()


def choose_unionpay(page: Page, buyer: User, plan: Plan) -> None:
    """From the login to the pay button."""
    log_in(page, buyer)
    page.goto(f"/orders/new/{plan.code}/")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name=re.compile("提交订单")).click()
    page.get_by_label("银联支付").check()
    page.get_by_role("button", name="立即支付").click()


def test_payment_goes_there_and_comes_back(
    page: Page, buyer: User, plan: Plan, live_server: LiveServer
) -> None:
    returns: list[tuple[str, bool]] = []

    def note(request: Request) -> None:
        if "/orders/return/" in request.url:
            has_session = "sessionid" in request.all_headers().get("cookie", "")
            returns.append((request.method, has_session))

    choose_unionpay(page, buyer, plan)
    expect(page.get_by_text("模拟收银台·非真实支付").first).to_be_visible()
    page.on("request", note)
    page.get_by_role("button", name=re.compile("支付成功")).click()
    expect(page.get_by_role("heading", name="成功")).to_be_visible()
    page.get_by_role("button", name="返回商户").click()

    expect(page).to_have_url(re.compile(rf"{live_server.url}/orders/D\w+/"))
    expect(page.get_by_text("购买成功")).to_be_visible()
    # The post comes without the session, the redirect that answers it with it.
    assert returns == [("POST", False), ("GET", True)]
    assert Order.objects.get().state == Order.State.PAID
    assert PaymentAttempt.objects.get().state == PaymentAttempt.State.PAID


def test_who_pays_later_waits_and_may_pay_again(
    page: Page, buyer: User, plan: Plan
) -> None:
    choose_unionpay(page, buyer, plan)
    page.get_by_role("button", name=re.compile("稍后支付")).click()
    page.get_by_role("button", name="返回商户").click()

    expect(page.get_by_role("heading", name="正在确认支付结果")).to_be_visible()
    assert Order.objects.get().state == Order.State.PENDING
    page.get_by_label("银联支付").check()
    page.get_by_role("button", name="立即支付").click()
    page.get_by_role("button", name=re.compile("支付成功")).click()
    page.get_by_role("button", name="返回商户").click()

    expect(page.get_by_text("购买成功")).to_be_visible()
    assert PaymentAttempt.objects.count() == 1


def test_back_button_leads_out_of_the_cashier(
    page: Page, buyer: User, plan: Plan
) -> None:
    choose_unionpay(page, buyer, plan)
    expect(page.get_by_text("模拟收银台·非真实支付").first).to_be_visible()

    page.go_back()

    expect(page).to_have_url(re.compile(r"/orders/D\w+/"))
    expect(page.get_by_text("模拟收银台")).to_have_count(0)


def test_back_button_leads_to_the_order_when_the_form_went_late(
    page: Page, buyer: User, plan: Plan
) -> None:
    """Sent after the page was complete, as on a slow line, the form leaves an entry of its own
    in the history, which answers a post and cannot be shown again."""
    page.route(
        "**/cashier_form.js",
        lambda route: route.fulfill(body="", content_type="text/javascript"),
    )
    choose_unionpay(page, buyer, plan)
    expect(page.get_by_role("heading", name="正在打开支付页面")).to_be_visible()
    page.wait_for_load_state("load")
    page.unroute("**/cashier_form.js")
    page.add_script_tag(url="/static/js/cashier_form.js")
    expect(page.get_by_text("模拟收银台·非真实支付").first).to_be_visible()

    page.go_back()

    expect(page).to_have_url(re.compile(r"/orders/D\w+/$"))
    expect(page.get_by_role("heading", name="正在打开支付页面")).to_have_count(0)


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
def test_without_scripts_there_is_a_button(
    plain: Page, buyer: User, plan: Plan, size: tuple[int, int]
) -> None:
    resize(plain, size)
    choose_unionpay(plain, buyer, plan)

    expect(plain.get_by_role("heading", name="正在打开支付页面")).to_be_visible()
    assert sideways(plain) <= 0
    plain.get_by_role("button", name="前往支付").click()
    plain.get_by_role("button", name=re.compile("支付成功")).click()
    plain.get_by_role("button", name="返回商户").click()

    expect(plain).to_have_url(re.compile(r"/orders/D\w+/"))
    assert Order.objects.get().state == Order.State.PAID
