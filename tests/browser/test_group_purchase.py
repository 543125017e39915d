"""A unit buys a plan for its people, at a desk and on a phone."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from accounts.models import User
from learning.models import Enrolment
from orders.models import GatewayMessage, GroupCheck, Order
from orders.payments.protocol import Report, State
from orders.services import apply_report, place_personal_order
from orders.services.groups import check_people, checking
from orders.services.groups.leases import CheckLease, take_lease
from portal.celery import app
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import UnitFactory, UserFactory, make_id_number
from tests.factories.groups import make_checked, paste
from tests.factories.lists import make_coordinator
from tests.factories.orders import PaymentAttemptFactory, make_endless_plan

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE_SIZE = (1280, 900), (390, 844)
UNKNOWN = make_id_number(900_000)


@pytest.fixture
def nobody_works() -> Any:
    """Tasks wait: the test is the worker, so that a page can be looked at in between."""
    app.conf.task_always_eager = False
    yield
    app.control.purge()
    app.conf.task_always_eager = True


@pytest.fixture
def coordinator() -> User:
    return make_coordinator(UnitFactory(name="重庆市渝中区示例中学校"))


@pytest.fixture
def people() -> list[User]:
    names = ("赵一", "钱二", "孙三", "李四", "欧阳春梅", "买买提·艾力")
    return [UserFactory(name=name) for name in names]


def log_in(page: Page, person: User, client_of: Callable[[Any], Client], url: str):
    cookie = client_of(person).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


def photograph(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width, height in (PHONE_SIZE, DESK):
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=SCREENSHOTS / f"groups-{name}-{width}.png", full_page=True)
        overhang = page.evaluate(
            "() => document.documentElement.scrollWidth - window.innerWidth"
        )
        assert overhang <= 0, f"{name} is {overhang} px too wide at {width}"


def begin_check() -> tuple[GroupCheck, CheckLease]:
    check = GroupCheck.objects.latest("pk")
    lease = take_lease(check.pk, timezone.now)
    assert lease is not None
    return check, lease


def test_from_the_plan_to_everybody_studying(
    page: Page,
    coordinator: User,
    people: list[User],
    client_of: Callable[[Any], Client],
    live_server: Any,
    nobody_works: None,
    tmp_path: Path,
) -> None:
    plan = make_endless_plan(title="重庆市2026年专技人员继续教育公需科目培训")
    log_in(page, coordinator, client_of, live_server.url)
    page.goto(f"/plans/{plan.code}/")
    photograph(page, "plan")
    page.get_by_role("link", name="团体购买", exact=True).click()

    lines = [
        f"赵一\t{people[0].id_number}",
        *(person.id_number for person in people[1:4]),
        f"  {people[1].id_number}",
        UNKNOWN,
        f"别的人 {people[4].id_number}",
        UNKNOWN[:-1],
    ]
    page.get_by_role("textbox", name="身份证号码").fill("\n".join(lines))
    expect(page.get_by_text("已填写 8 行")).to_be_visible()
    photograph(page, "start")
    page.get_by_role("button", name="立即购买").click()

    watch_progress(page)
    expect(page.get_by_text("有 3 人不能购买")).to_be_visible()
    expect(page.get_by_text("重复的号码只保留一个（1处）")).to_be_visible()
    expect(
        page.get_by_text("已去掉号码前后的空格、引号和不可见字符（1处）")
    ).to_be_visible()
    photograph(page, "errors")
    page.get_by_role("link", name="只看有问题的").click()
    expect(page.locator(".group-rows tbody tr")).to_have_count(3)
    with page.expect_download() as download:
        page.get_by_role("link", name="下载错误文件").click()
    sheet = tmp_path / "errors.xlsx"
    download.value.save_as(sheet)

    corrected = correct(sheet, tmp_path / "corrected.xlsx", people)
    page.get_by_role("link", name="先更正").click()
    photograph(page, "correct")
    page.get_by_role("textbox", name="身份证号码").fill("")
    page.get_by_label("名单文件").set_input_files(corrected)
    page.get_by_role("button", name="重新验证").click()
    expect(page.get_by_text("正在读取名单")).to_be_visible()
    check_people(check_id=GroupCheck.objects.latest("pk").pk, clock=timezone.now)
    expect(page.get_by_text("验证通过，6 人均可购买")).to_be_visible()
    photograph(page, "checked")

    page.get_by_role("link", name="提交订单").click()
    page.get_by_label("立即申请").check()
    photograph(page, "checkout")
    page.get_by_label("以后申请").check()
    page.get_by_label("我已核对以上信息").check()
    page.get_by_role("button", name="提交订单").click()
    expect(page.get_by_role("heading", name="学员（6 人）")).to_be_visible()
    photograph(page, "unpaid")
    settle_and_study(people)
    page.reload()
    expect(page.get_by_text("买****力")).to_be_visible()
    photograph(page, "paid")
    page.get_by_role("link", name="团购订单").first.click()
    expect(page.get_by_text("平均完成度")).to_be_visible()
    photograph(page, "orders")


def watch_progress(page: Page) -> None:
    """The bar moves by itself while people are checked, and the page then reloads."""
    expect(page.get_by_text("正在读取名单")).to_be_visible()
    _, lease = begin_check()
    given = checking._read(lease)
    found, tidied = checking.check_given(given.people, today=timezone.localdate())
    checking._begin(lease, found, Counter(given.tidied) + tidied)
    percent = page.locator(".list-percent b")
    checking._write_rows(lease, found[:3], 0)
    expect(percent).to_have_text("42")
    photograph(page, "progress")
    checking._write_rows(lease, found[3:], 3)
    expect(percent).to_have_text("100")
    checking._finish(lease)


def correct(sheet: Path, target: Path, people: list[User]) -> Path:
    """Put right what the error file names: a number each, and no wrong name."""
    book = load_workbook(sheet)
    active = book.active
    rows = list(active.iter_rows(min_row=2))
    assert [row[3].value for row in rows] == [
        "未注册或已购买",
        "未注册或已购买，或姓名与账号不一致",
        "证件号码应为18位，前17位为数字，末位为数字或大写字母X。",
    ]
    for row, person in zip(rows[1:], people[4:], strict=True):
        row[1].value, row[2].value = person.id_number, person.name
    active.delete_rows(2)
    book.save(target)
    return target


def settle_and_study(people: list[User]) -> None:
    order = Order.objects.get(kind=Order.Kind.GROUP)
    attempt = PaymentAttemptFactory(order=order)
    apply_report(
        gateway="alipay",
        report=Report(attempt.number, State.PAID, attempt.amount_fen),
        source=GatewayMessage.Source.NOTIFICATION,
        now=timezone.now(),
    )
    Enrolment.objects.filter(person=people[0]).update(percent=40)
    Enrolment.objects.filter(person=people[1]).update(
        state="completed", completed_at=timezone.now(), percent=100
    )


def test_entry_two_on_a_phone(
    page: Page,
    coordinator: User,
    people: list[User],
    client_of: Callable[[Any], Client],
    live_server: Any,
) -> None:
    plan = make_endless_plan(title="重庆市2026年专业科目培训（入口二）", entry=2)
    log_in(page, coordinator, client_of, live_server.url)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/plans/{plan.code}/")
    page.get_by_role("link", name="团体报名", exact=True).click()
    page.get_by_role("textbox", name="身份证号码").fill(
        "\n".join([*(person.id_number for person in people), UNKNOWN])
    )
    photograph(page, "two-start")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="确定").click()
    page.get_by_role("link", name="先报名可报名的 6 人").click()
    expect(page.get_by_text("申请票据")).to_be_visible()
    photograph(page, "two-checkout")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_label("我已核对以上信息").check()
    page.get_by_role("button", name="提交订单").click()
    expect(page.get_by_role("heading", name="学员（6 人）")).to_be_visible()


def test_what_cannot_be_bought_and_what_staff_see(
    page: Page,
    coordinator: User,
    people: list[User],
    client_of: Callable[[Any], Client],
    live_server: Any,
) -> None:
    plan = make_endless_plan(title="重庆市2026年专技人员继续教育公需科目培训")
    outsider = UserFactory(name="钱二")
    log_in(page, outsider, client_of, live_server.url)
    page.goto(f"/groups/new/{plan.code}/")
    expect(page.get_by_text("请先在个人信息中填写工作单位")).to_be_visible()
    photograph(page, "obstacle")

    log_in(page, coordinator, client_of, live_server.url)
    given = {
        "buyer": coordinator,
        "unit": coordinator.appointments.get().unit,
        "plan": plan,
        "now": timezone.now(),
    }
    refused = make_checked("身份证号码", **given)
    page.goto(f"/groups/{refused.code}/")
    expect(page.get_by_text("没有找到证件号码")).to_be_visible()
    photograph(page, "refused")

    free = make_checked(paste(*people), **given)
    place_personal_order(buyer=people[0], plan=plan, now=timezone.now())
    page.goto(f"/groups/{free.code}/checkout/")
    page.get_by_label("我已核对以上信息").check()
    page.get_by_role("button", name="提交订单").click()
    expect(page.get_by_role("button", name="购买其余 5 人")).to_be_visible()
    photograph(page, "taken")

    make_checked("\n".join(make_id_number(n) for n in range(900_000, 900_060)), **given)
    staff = UserFactory(name="周五", is_staff=True, is_superuser=True)
    log_in(page, staff, client_of, live_server.url)
    page.goto("/staff/orders/groupcheck/?alarm__exact=open")
    photograph(page, "staff-queue")
    page.locator("#result_list tbody th a").click()
    page.get_by_label("核查说明").fill("已电话核实，名单过期")
    photograph(page, "staff-alarm")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("成功")).to_be_visible()
    assert GroupCheck.objects.filter(alarm=GroupCheck.Alarm.SEEN).count() == 1
