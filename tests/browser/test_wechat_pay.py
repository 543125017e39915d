"""Paying with WeChat in a browser: the QR code on a desk, a phone's page, WeChat's bridge."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.fixtures import Settings

from accounts.models import User
from learning.models import Enrolment
from orders.models import GatewayMessage, Order
from orders.services import place_personal_order
from portal.sandbox import SandboxServer
from tests.browser.conftest import WATCH_VIOLATIONS
from tests.factories.accounts import UserFactory
from tests.factories.orders import make_endless_plan

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE_SIZE = (1280, 900), (390, 844)
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
WECHAT = f"{PHONE} MicroMessenger/8.0.50"
# WeChat's own browser, as far as a page sees it.
BRIDGE = """
window.WeixinJSBridge = {
  invoke: async (name, fields, done) => {
    done({ err_msg: `get_brand_wcpay_request:${await window.payAtWeChat(name, fields)}` });
  },
};
"""


@pytest.fixture
def person() -> User:
    user: User = UserFactory(name="赵一", with_profile=True)
    return user


@pytest.fixture
def order(
    sandbox: SandboxServer, settings: Settings, live_server: Any, person: User
) -> Order:
    settings.SITE_URL = live_server.url
    plan = make_endless_plan(
        title="2026年公需科目", unit_price_fen=110, hours=30, code="wechat-plan"
    )
    return place_personal_order(buyer=person, plan=plan, now=timezone.now())


@pytest.fixture
def log_in(client_of: Callable[[User], Any], live_server: Any) -> Any:
    """A function that gives a browser the session of a person."""

    def become(context: BrowserContext, person: User) -> None:
        name = django_settings.SESSION_COOKIE_NAME
        value = client_of(person).cookies[name].value
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])

    return become


def choose_wechat(page: Page, order: Order) -> None:
    page.goto(f"/orders/{order.number}/")
    page.get_by_label("微信支付").check()
    page.get_by_role("button", name="立即支付").click()


def width_over(page: Page) -> int:
    width: int = page.evaluate(
        "() => document.documentElement.scrollWidth - innerWidth"
    )
    return width


def expect_bought(page: Page, order: Order) -> None:
    expect(page.get_by_role("heading", name="购买成功")).to_be_visible()
    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
def test_code_on_a_desk_is_paid_on_another_device(
    page: Page,
    context: BrowserContext,
    order: Order,
    person: User,
    log_in: Any,
    size: tuple[int, int],
) -> None:
    """A narrow window of a desk is still a desk."""
    log_in(context, person)
    page.set_viewport_size({"width": size[0], "height": size[1]})

    choose_wechat(page, order)

    expect(page.get_by_role("heading", name="微信扫码支付")).to_be_visible()
    picture = page.get_by_alt_text("微信支付二维码")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    expect(page.get_by_role("timer")).to_contain_text("剩余 29 分")
    assert width_over(page) <= 0
    with page.expect_popup() as popup:
        page.get_by_role("link", name="打开模拟收银台").click()
    phone = popup.value
    expect(phone.get_by_text("扫码支付")).to_be_visible()
    expect(phone.locator(".amount")).to_contain_text("33.00")
    assert width_over(phone) <= 0
    phone.get_by_role("button", name="支付成功").click()
    expect(phone.get_by_text("该笔交易已支付成功")).to_be_visible()

    # Nobody touches the desk: the notification comes, the page goes on by itself.
    expect_bought(page, order)
    assert page.url.endswith(f"/orders/{order.number}/")
    assert GatewayMessage.objects.get().source == GatewayMessage.Source.NOTIFICATION


@pytest.fixture
def phone(
    browser: Browser, browser_context_args: dict[str, Any], page_problems: list[str]
) -> Any:
    """A function that opens a page in a phone's browser of the given name."""
    contexts = []

    def open_phone(agent: str) -> Page:
        width, height = PHONE_SIZE
        context = browser.new_context(
            **browser_context_args,
            user_agent=agent,
            viewport={"width": width, "height": height},
        )
        context.expose_binding(
            "reportViolation", lambda _source, text: page_problems.append(text)
        )
        context.add_init_script(WATCH_VIOLATIONS)
        contexts.append(context)
        return context.new_page()

    yield open_phone
    for context in contexts:
        context.close()
    assert page_problems == []


def test_phone_pays_on_wechats_page_and_comes_back(
    phone: Callable[[str], Page],
    order: Order,
    person: User,
    log_in: Any,
    sandbox: SandboxServer,
) -> None:
    """WeChat's page refuses a browser that does not say where it comes from."""
    page = phone(PHONE)
    log_in(page.context, person)

    choose_wechat(page, order)

    expect(page.get_by_text("手机网页支付")).to_be_visible()
    assert page.url.startswith(f"{sandbox.url}/cashier/wechat/")
    page.get_by_role("button", name="先通知后返回").click()

    expect_bought(page, order)
    assert width_over(page) <= 0


def test_page_inside_wechat_pays_through_the_bridge(
    phone: Callable[[str], Page],
    order: Order,
    person: User,
    log_in: Any,
    sandbox: SandboxServer,
) -> None:
    page = phone(WECHAT)
    log_in(page.context, person)
    answers = ["cancel", "ok"]
    called: list[str] = []

    def pay_at_wechat(_source: Any, name: str, fields: dict[str, str]) -> str:
        called.append(name)
        trade = sandbox.wechat_pay.open_bridge(fields)
        answer = answers.pop(0)
        if answer == "ok":
            sandbox.cashier.act("wechat", trade.number, "pay")
        return answer

    page.context.expose_binding("payAtWeChat", pay_at_wechat)
    page.context.add_init_script(BRIDGE)

    choose_wechat(page, order)

    expect(page.get_by_text("您已取消支付")).to_be_visible()
    assert width_over(page) <= 0
    page.get_by_role("button", name="立即支付").click()
    expect_bought(page, order)
    assert called == ["getBrandWCPayRequest"] * 2


def test_page_without_the_bridge_says_what_to_do(
    phone: Callable[[str], Page], order: Order, person: User, log_in: Any
) -> None:
    page = phone(WECHAT)
    log_in(page.context, person)

    choose_wechat(page, order)

    expect(page.get_by_text("没有找到微信支付")).to_be_visible()
    assert width_over(page) <= 0
    page.get_by_role("link", name="换一种支付方式").click()
    expect(page.get_by_role("button", name="立即支付")).to_be_enabled()
