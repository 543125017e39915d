"""Activation codes in a browser: buying, giving, importing, the card's QR code, using."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from catalog.models import Plan
from orders.models import ActivationCode, CodeImport, Order
from orders.services.codes import check_import, give_code, hand_out
from portal.celery import app
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.codes import make_codes, make_people_sheet
from tests.factories.lists import make_coordinator
from tests.factories.orders import make_endless_plan

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE_SIZE = (1280, 900), (390, 844)
TITLE = "重庆市2020年专技人员继续教育公需科目培训"
LogIn = Callable[[Any], Client]


@pytest.fixture
def nobody_works() -> Any:
    """Tasks wait: the test is the worker, so that a page can be looked at in between."""
    app.conf.task_always_eager = False
    yield
    app.control.purge()
    app.conf.task_always_eager = True


@pytest.fixture
def plan() -> Plan:
    return make_endless_plan(sells_codes=True, title=TITLE, year=2020)


def log_in(page: Page, person: User, client_of: LogIn, url: str) -> None:
    cookie = client_of(person).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


def photograph(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width, height in (DESK, PHONE_SIZE):
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=SCREENSHOTS / f"codes-{name}-{width}.png", full_page=True)
        overhang = page.evaluate(
            "() => document.documentElement.scrollWidth - window.innerWidth"
        )
        assert overhang <= 0, f"{name} is {overhang} px too wide at {width}"


def test_buying_giving_and_importing(
    page: Page,
    unit: Any,
    plan: Plan,
    client_of: LogIn,
    live_server: Any,
    nobody_works: None,
    tmp_path: Path,
) -> None:
    coordinator = make_coordinator(unit)
    one, two = UserFactory(name="赵一"), UserFactory(name="欧阳春梅")
    log_in(page, coordinator, client_of, live_server.url)
    page.goto("/codes/")
    photograph(page, "empty")
    page.goto(f"/plans/{plan.code}/")
    photograph(page, "plan-detail")
    page.get_by_role("link", name="团体购买激活码").click()
    page.get_by_label("购买数量").fill("12")
    expect(page.locator("[data-total]")).to_have_text("396.00")
    photograph(page, "checkout")
    page.get_by_label("我已核对以上信息").check()
    page.get_by_role("button", name="提交订单").click()
    expect(page.get_by_text("12 个激活码").first).to_be_visible()
    photograph(page, "order")
    assert Order.objects.get().total_fen == 39600

    make_codes(coordinator, plan, 12, now=timezone.now())
    page.goto("/codes/")
    photograph(page, "index")
    page.get_by_role("link", name="赠送", exact=True).click()
    photograph(page, "of-plan")
    with page.expect_download() as download:
        page.get_by_label("打印数量").fill("4")
        page.get_by_role("button", name="生成打印文件").click()
    assert download.value.suggested_filename.endswith(".pdf")
    page.reload()
    expect(page.get_by_role("button", name="重新打印")).to_be_visible()

    page.get_by_role("link", name="添加人员").click()
    page.get_by_label("用户名、手机号码或身份证号码").fill(one.phone)
    page.get_by_role("textbox", name="姓名", exact=True).fill("钱二")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_text("没有找到与所填信息一致的人员")).to_be_visible()
    photograph(page, "give-nobody")
    page.get_by_role("textbox", name="姓名", exact=True).fill(one.name)
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_text(one.masked_id_number)).to_be_visible()
    photograph(page, "give-found")
    page.get_by_role("button", name="确认赠送").click()
    expect(page.get_by_text("已将激活码赠送给赵一")).to_be_visible()

    page.goto(f"/codes/plans/{plan.code}/")
    page.get_by_role("link", name="导入人员").click()
    photograph(page, "import")
    sheet = tmp_path / "people.xlsx"
    sheet.write_bytes(
        make_people_sheet(
            (two.name, two.id_number), (one.name, one.phone), ("张三", "x")
        )
    )
    page.get_by_label("名单文件").set_input_files(sheet)
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_text("正在读取文件").first).to_be_visible()
    photograph(page, "import-progress")
    row = CodeImport.objects.get()
    check_import(import_id=row.pk, clock=timezone.now)
    expect(page.get_by_text("有 2 人不能赠送")).to_be_visible()
    expect(page.get_by_text("该用户已被分配过激活码")).to_be_visible()
    photograph(page, "import-checked")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载错误文件").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.get_by_label("激活码一经赠送不能收回").check()
    page.get_by_role("button", name="确认赠送 1 人").click()
    expect(page.get_by_text("正在赠送").first).to_be_visible()
    hand_out(import_id=row.pk, clock=timezone.now)
    expect(page.get_by_text("已赠送 1 人")).to_be_visible()
    photograph(page, "import-done")
    page.goto(f"/codes/plans/{plan.code}/")
    photograph(page, "of-plan-given")


def test_a_given_code_is_activated_with_one_click(
    page: Page, plan: Plan, client_of: LogIn, live_server: Any
) -> None:

    giver, person = UserFactory(name="李四"), UserFactory(name="赵一")
    make_codes(giver, plan)
    give_code(owner=giver, plan=plan, person=person, now=timezone.now())
    log_in(page, person, client_of, live_server.url)
    page.goto(f"/plans/{plan.code}/")
    page.get_by_role("link", name="立即激活").click()
    photograph(page, "given")
    page.get_by_role("button", name="立即激活").click()
    expect(page.get_by_text("激活成功")).to_be_visible()
    page.goto("/codes/")
    photograph(page, "given-used")
    expect(page.get_by_role("link", name="进入学习")).to_be_visible()


def test_a_cards_code_gets_past_the_login_and_into_no_address(
    browser: Browser, plan: Plan, live_server: Any
) -> None:
    code = make_codes(UserFactory(), plan, 1)[0]
    person = UserFactory(name="赵一")
    context = browser.new_context(
        base_url=live_server.url, locale="zh-CN", viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + str(request.headers)))

    page.goto(f"/codes/redeem/#{code.secret}")
    expect(page.get_by_text("已读取卡片上的激活码")).to_be_visible()
    assert "#" not in page.url
    photograph(page, "redeem-anonymous")
    page.get_by_role("main").get_by_role("link", name="登录").click()
    page.locator("input[name=account]").fill(person.phone)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="登录").click()
    expect(page.get_by_role("textbox", name="激活码")).to_have_value(code.secret)
    photograph(page, "redeem")
    page.get_by_role("button", name="立即激活").click()
    expect(page.get_by_text("激活成功")).to_be_visible()

    code.refresh_from_db()
    assert (code.state, code.person) == (ActivationCode.State.USED, person)
    assert not any(code.secret in each for each in asked)
    left = page.evaluate("() => JSON.stringify(sessionStorage)")
    assert code.secret not in left
    page.goto("/codes/redeem/")
    page.get_by_role("textbox", name="激活码").fill(code.secret)
    page.get_by_role("button", name="立即激活").click()
    expect(page.get_by_text("激活码无效或已被使用")).to_be_visible()
    photograph(page, "redeem-refused")
    context.close()
