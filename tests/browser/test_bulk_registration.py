"""A unit registers its people: template, mistakes, correction, approval, progress, result."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from accounts.models import Region, RegistrationList, User
from accounts.services.lists import check_list, creating
from accounts.services.lists.leases import ListLease, take_lease
from accounts.services.lists.replying import finish_list
from accounts.services.reference_data import load_regions, load_roles
from portal.celery import app
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import UnitFactory, UserFactory
from tests.factories.lists import make_coordinator, make_line

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE_SIZE = (1280, 900), (390, 844)
State = RegistrationList.State


@pytest.fixture
def nobody_works() -> Any:
    """Tasks wait: the test is the worker, so that a page can be looked at in between."""
    app.conf.task_always_eager = False
    yield
    app.control.purge()
    app.conf.task_always_eager = True


@pytest.fixture
def unit() -> Any:
    load_regions()
    load_roles()
    return UnitFactory(
        name="重庆市渝中区示例中学校", region=Region.objects.get(code="500103")
    )


def log_in(page: Page, person: User, client_of: Callable[[Any], Client], url: str):
    cookie = client_of(person).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


def photograph(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width, height in (DESK, PHONE_SIZE):
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=SCREENSHOTS / f"lists-{name}-{width}.png", full_page=True)
        overhang = page.evaluate(
            "() => document.documentElement.scrollWidth - window.innerWidth"
        )
        assert overhang <= 0, f"{name} is {overhang} px too wide at {width}"


def fill_in(template: Path, target: Path, lines: list[Any]) -> Path:
    """Write people under the head of the downloaded template."""
    book = load_workbook(template)
    sheet = book["注册名单"]
    first = next(row for row in range(1, 20) if sheet.cell(row, 1).value == "序号")
    for offset, line in enumerate(lines, start=1):
        for column, value in enumerate(line, start=1):
            sheet.cell(first + offset, column).value = value
    for spare in range(first + len(lines) + 1, sheet.max_row + 1):
        sheet.cell(spare, 1).value = None
    book.save(target)
    return target


def upload(page: Page, file: Path) -> RegistrationList:
    page.get_by_label("名单文件").set_input_files(file)
    page.get_by_role("button", name="上传并检查").click()
    expect(page.get_by_text("正在读取文件").first).to_be_visible()
    row = RegistrationList.objects.latest("pk")
    check_list(list_id=row.pk, clock=timezone.now)
    row.refresh_from_db()
    return row


def test_from_the_template_to_the_result(
    page: Page,
    browser: Browser,
    unit: Any,
    client_of: Callable[[Any], Client],
    live_server: Any,
    nobody_works: None,
    tmp_path: Path,
) -> None:
    coordinator = make_coordinator(unit)
    log_in(page, coordinator, client_of, live_server.url)
    page.goto("/unit/lists/")
    photograph(page, "empty")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载模板").click()
    template = tmp_path / "template.xlsx"
    download.value.save_as(template)

    page.get_by_role("link", name="上传名单").first.click()
    photograph(page, "upload")
    good = [make_line(n) for n in range(4)]
    bad = [
        make_line(4, name="吴 六"),
        make_line(5, number=make_line(5)[2][:-1]),
    ]
    first = upload(page, fill_in(template, tmp_path / "first.xlsx", [*good, *bad]))
    assert (first.state, first.valid_count, first.invalid_count) == (
        State.CHECKED,
        4,
        2,
    )

    expect(page.get_by_text("有 2 行需要修改")).to_be_visible()
    photograph(page, "errors")
    page.get_by_role("link", name="只看有问题的").click()
    expect(page.locator(".list-rows tbody tr")).to_have_count(2)
    expect(page.locator(".list-problem").first).to_contain_text("姓名")
    expect(page.locator(".list-problem").nth(1)).to_contain_text("身份证号码")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载错误文件").click()
    assert download.value.suggested_filename.endswith(".xlsx")

    page.get_by_role("link", name="上传更正后的名单").click()
    few = upload(page, fill_in(template, tmp_path / "few.xlsx", [make_line(4)]))
    expect(page.get_by_text("本名单比更正前少 5 人")).to_be_visible()
    photograph(page, "fewer")

    page.get_by_role("link", name="上传更正后的名单").click()
    fixed = [*good, make_line(4), make_line(5)]
    second = upload(page, fill_in(template, tmp_path / "second.xlsx", fixed))
    assert (second.state, second.valid_count) == (State.CHECKED, 6)
    assert (few.replaces, second.replaces) == (first, few)
    expect(page.get_by_text("检查通过，没有发现问题")).to_be_visible()
    photograph(page, "checked")

    page.get_by_role("link", name="提交审核").click()
    expect(page.get_by_text("打印在证书上")).to_be_visible()
    page.set_viewport_size({"width": PHONE_SIZE[0], "height": PHONE_SIZE[1]})
    # The caption stands in one line over the cards.
    caption = page.locator("caption").bounding_box()
    assert caption is not None
    assert caption["width"] > 200
    photograph(page, "submit")
    page.get_by_label("我已核对名单").check()
    page.get_by_role("button", name="确认提交").click()
    expect(page.get_by_text("名单已提交，工作人员将在")).to_be_visible()
    photograph(page, "submitted")

    approve_in_admin(browser, client_of, live_server, second)

    second.refresh_from_db()
    assert second.state == State.APPROVED
    lease = take_lease(
        second.pk,
        states=RegistrationList.TO_CREATE,
        working=State.CREATING,
        clock=timezone.now,
    )
    assert lease is not None
    watch_progress(page, second, lease)
    second.refresh_from_db()
    assert (second.state, second.new_count) == (State.DONE, 6)
    assert User.objects.filter(state=User.State.PENDING).count() == 6
    with page.expect_download() as download:
        page.get_by_role("link", name="下载结果").click()
    download.value.save_as(tmp_path / "result.xlsx")
    sheet = load_workbook(tmp_path / "result.xlsx").active
    shown = [str(cell.value) for row in sheet.rows for cell in row if cell.value]
    assert shown.count("新注册") == 6
    assert not any(re.search(r"\d{17}", text) for text in shown)


def approve_in_admin(
    browser: Browser,
    client_of: Callable[[Any], Client],
    live_server: Any,
    row: RegistrationList,
) -> None:
    """A colleague of the review role decides in the staff site, in a browser of her own."""
    staff = UserFactory(name="周五", is_staff=True, is_superuser=True)
    context = browser.new_context(base_url=live_server.url, locale="zh-CN")
    desk = context.new_page()
    log_in(desk, staff, client_of, live_server.url)
    desk.goto("/staff/accounts/registrationlist/?state__exact=submitted")
    photograph_staff(desk, "queue")
    # No column of the queue hides beyond the edge.
    hidden = desk.locator(".results").evaluate("e => e.scrollWidth - e.clientWidth")
    assert hidden == 0
    desk.get_by_role("link", name=row.code).click()
    photograph_staff(desk, "preview")
    desk.get_by_role("link", name="通过", exact=True).click()
    desk.get_by_label("已核对单位、联系人和名单内容").check()
    photograph_staff(desk, "approve")
    desk.get_by_role("button", name="通过并开户").click()
    expect(desk.get_by_text("名单已通过审核，正在开户")).to_be_visible()
    context.close()


def photograph_staff(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.screenshot(path=SCREENSHOTS / f"lists-staff-{name}.png", full_page=True)


def watch_progress(page: Page, row: RegistrationList, lease: ListLease) -> None:
    """The bar moves by itself while the accounts are created, and the page then reloads."""
    page.reload()
    percent = page.locator(".list-percent b")
    expect(percent).to_have_text("0")
    creating._create_chunk(lease, 3)
    expect(percent).to_have_text("50")
    photograph(page, "creating")
    creating._create_chunk(lease, 3)
    expect(percent).to_have_text("100")
    finish_list(lease)
    expect(page.get_by_text("名单已办理完毕")).to_be_visible()
    photograph(page, "done")
