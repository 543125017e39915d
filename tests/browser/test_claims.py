"""Vouchers and letters at a desk and on a phone, and the staff's page beside them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import IntegrityRecord, Message, User
from catalog.models import Plan
from learning.models import Enrolment
from orders.models import Claim
from tests.factories.accounts import UserFactory
from tests.factories.claims import make_past_plan
from tests.factories.requests import make_picture, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE_SIZE = (1280, 900), (390, 844)
SIZES = pytest.mark.parametrize("size", [DESK, PHONE_SIZE])


@pytest.fixture
def person() -> User:
    return UserFactory(name="赵一", username="zhao_yi")


@pytest.fixture
def plan() -> Plan:
    return make_past_plan(title="重庆市2019年专技人员继续教育公需科目培训")


@pytest.fixture
def screenshot(tmp_path: Path) -> str:
    path = tmp_path / "订单截图.png"
    path.write_bytes(make_picture("PNG", (1200, 900)))
    return str(path)


@pytest.fixture
def log_in(context: BrowserContext, client_of: Callable[[User], object]) -> object:
    """A function that gives the browser the session of a person."""

    def become(person: User, url: str) -> None:
        session = client_of(person).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}]
        )

    return become


LogIn = Callable[[User, str], None]


def fits(page: Page) -> bool:
    over: int = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    return over <= 0


def approve_twice(page: Page, claim: Claim, log_in: LogIn, url: str) -> None:
    """First a clerk, then a reviewer, each at a desk of their own."""
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    for role, button in (("业务", "初审通过"), ("审核", "复核通过")):
        log_in(make_staff(role), url)
        page.goto("/staff/orders/claim/?due=waiting")
        page.get_by_role("link", name=claim.code).click()
        page.get_by_role("button", name=button).click()
        expect(page.locator(".messagelist .success")).to_be_visible()


@SIZES
def test_a_voucher_from_the_form_to_the_study(
    page: Page,
    person: User,
    plan: Plan,
    screenshot: str,
    log_in: LogIn,
    live_server: object,
    size: tuple[int, int],
) -> None:
    url = str(live_server)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    log_in(person, url)
    page.goto("/claims/")
    assert fits(page)
    page.get_by_role("link", name="提交缴费凭证").click()
    page.get_by_label("缴费年度").select_option(index=1)
    page.get_by_label("订单编号").fill("GX-2019-0001")
    page.get_by_label("缴费时间").fill("2019-06-30")
    page.get_by_label("缴费金额（元）").fill("33.00")
    page.get_by_label("缴费平台").fill("原公需科目学习网")
    page.get_by_label("缴费证明材料").set_input_files(screenshot)
    assert fits(page)
    page.get_by_role("button", name="提交审核").click()

    expect(page.get_by_text("缴费凭证已提交")).to_be_visible()
    expect(page.get_by_text("待审核")).to_be_visible()
    assert fits(page)
    claim = Claim.objects.get()
    assert claim.wanted["payer"] == "赵一"

    approve_twice(page, claim, log_in, url)

    assert Enrolment.objects.get().plan == plan
    page.set_viewport_size({"width": size[0], "height": size[1]})
    log_in(person, url)
    page.goto("/claims/")
    page.get_by_role("link", name=re.compile(claim.code)).click()
    expect(page.get_by_text("2019年度补学已免费开通")).to_be_visible()
    page.get_by_role("link", name="去学习").click()
    expect(page.get_by_text(plan.title).first).to_be_visible()


@SIZES
def test_a_letter_is_read_and_signed(
    page: Page,
    person: User,
    plan: Plan,
    log_in: LogIn,
    live_server: object,
    size: tuple[int, int],
) -> None:
    url = str(live_server)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    log_in(person, url)
    page.goto("/claims/new/commitment/")
    page.get_by_label("缴费年度").select_option(index=1)
    page.get_by_label("缴费时间").fill("2019-06-30")
    page.get_by_label("无法提供缴费凭证的原因").fill("原平台已关闭")
    assert fits(page)
    page.get_by_role("button", name="下一步").click()

    letter = page.get_by_role("article", name="缴费承诺书")
    expect(letter).to_contain_text("因原平台已关闭原因，无法提供缴费凭证。")
    expect(letter).to_contain_text(person.masked_id_number)
    assert fits(page)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("验证码已发送至")).to_be_visible()
    (code,) = re.findall(r"验证码(\d{6})", Message.objects.get().text)
    page.get_by_label("我已阅读全文").check()
    page.get_by_label("承诺人签名").fill("赵一")
    page.get_by_label("短信验证码").fill(code)
    page.get_by_role("button", name="签署并提交").click()

    expect(page.get_by_text("缴费承诺书已提交")).to_be_visible()
    assert fits(page)
    approve_twice(page, Claim.objects.get(), log_in, url)

    assert IntegrityRecord.objects.get().person == person
    page.set_viewport_size({"width": size[0], "height": size[1]})
    log_in(person, url)
    page.goto("/accounts/integrity/")
    expect(page.get_by_text("无法提供缴费凭证")).to_be_visible()
    assert fits(page)
