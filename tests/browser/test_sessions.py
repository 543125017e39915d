"""A login on another device: the old browser hears of it, the list shows both, 退出 works."""

import re
from base64 import b32decode
from typing import Any

import pytest
from django.utils import timezone
from django_otp.oath import hotp
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import PersonSession
from accounts.rules.second_factor import step_at
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE_SIZE = (1280, 900), (390, 844)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def person() -> Any:
    return UserFactory(name="赵一", with_profile=True)


@pytest.fixture
def phone(browser: Browser, browser_context_args: dict[str, Any]) -> Any:
    context = browser.new_context(
        **browser_context_args | {"user_agent": IPHONE},
        viewport={"width": PHONE_SIZE[0], "height": PHONE_SIZE[1]},
    )
    yield context.new_page()
    context.close()


def resize(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def log_in(page: Page, person: Any) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("账号").fill(person.phone)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page).to_have_url(re.compile(r"/space/$"))


def sideways(page: Page) -> int:
    width: int = page.evaluate(
        "() => document.documentElement.scrollWidth - innerWidth"
    )
    return width


def test_a_login_elsewhere_ends_this_one_politely(
    page: Page, phone: Page, person: Any
) -> None:
    log_in(page, person)
    log_in(phone, person)

    page.get_by_role("link", name="我的订单").first.click()

    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=%2Forders%2F"))
    notice = page.get_by_text("在另一台设备（Safari · iPhone）登录，本机已退出")
    expect(notice).to_be_visible()
    page.get_by_label("账号").fill(person.phone)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page).to_have_url(re.compile(r"/orders/$"))

    # Now it is the phone's turn.
    phone.goto("/accounts/sessions/")
    expect(phone.get_by_text("本机已退出")).to_be_visible()
    assert sideways(phone) <= 0


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
def test_the_list_and_its_buttons(
    page: Page,
    phone: Page,
    person: Any,
    settings: Any,
    size: tuple[int, int],
) -> None:
    settings.SESSIONS_AT_A_TIME = 2
    resize(page, size)
    log_in(page, person)
    log_in(phone, person)

    page.get_by_role("link", name="登录设备").click()

    live = page.get_by_role("region", name="正在登录")
    expect(live.get_by_role("listitem")).to_have_count(2)
    expect(live.get_by_text("Safari · iPhone")).to_be_visible()
    expect(live.get_by_text("本机", exact=True)).to_be_visible()
    assert sideways(page) <= 0

    page.get_by_role("button", name="退出其他设备").click()

    expect(page.get_by_text("已退出其他 1 台设备。")).to_be_visible()
    expect(live.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_text("本人在其他设备上退出")).to_be_visible()
    assert sideways(page) <= 0
    phone.reload()
    expect(phone.get_by_text("上退出本机的登录")).to_be_visible()

    log_in(phone, person)
    page.reload()
    page.get_by_role("button", name="退出 Safari · iPhone").click()
    expect(page.get_by_text("已退出 Safari · iPhone 上的登录。")).to_be_visible()
    assert PersonSession.objects.filter(ended_at__isnull=True).count() == 1


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
def test_staff_bind_an_app_and_enter(
    page: Page,
    context: BrowserContext,
    settings: Any,
    size: tuple[int, int],
) -> None:
    settings.STAFF_TOTP = True
    staff = UserFactory(name="周五", superuser=True)
    resize(page, size)
    page.goto("/staff/")
    page.get_by_label("用户名").fill(staff.username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()

    expect(page.get_by_role("heading", name="绑定身份验证器")).to_be_visible()
    picture = page.get_by_alt_text("绑定用二维码")
    width = picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert width > 0
    assert sideways(page) <= 0
    secret = read_secret(page)
    page.get_by_label("动态验证码").fill(code_of(secret))
    page.get_by_role("button", name="完成绑定").click()

    expect(page.get_by_role("heading", name="请保存恢复码")).to_be_visible()
    codes = page.get_by_role("list", name="恢复码").get_by_role("listitem")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    assert sideways(page) <= 0
    page.get_by_role("link", name="已保存，进入管理后台").click()
    expect(page.get_by_role("heading", name="工作台")).to_be_visible()

    # At the next login with a recovery code: the app's own code is used up for a while.
    context.clear_cookies()
    page.goto("/staff/")
    page.get_by_label("用户名").fill(staff.username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_label("动态验证码").fill("000000")
    page.get_by_role("button", name="验证").click()
    expect(page.get_by_text("动态验证码错误或已失效")).to_be_visible()
    assert sideways(page) <= 0
    page.get_by_label("动态验证码").fill(recovery.lower())
    page.get_by_role("button", name="验证").click()
    expect(page.get_by_role("heading", name="工作台")).to_be_visible()


def read_secret(page: Page) -> bytes:
    text = page.locator(".second-factor-secret").inner_text()
    return b32decode(text.replace(" ", ""))


def code_of(secret: bytes) -> str:
    return f"{hotp(secret, step_at(timezone.now())):06d}"
