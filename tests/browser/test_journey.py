"""One person walks through all of the portal: from the home page to a sealed certificate.

The portal runs as `script/server` starts it, with a real worker, on the sample data. Every page is
in one browser session, as a trainee would have it; the staff have theirs.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, BrowserContext, Page, expect

from portal.demo import LOGINS
from portal.demo.catalog import read_samples
from tests.browser.learner import watch_until
from tests.browser.running_portal import RunningPortal, run_portal
from tests.factories.accounts import make_id_number

NAME = "司马云开"
ID_NUMBER = make_id_number(700)
MISTYPED_NUMBER = f"{ID_NUMBER[:6]}{ID_NUMBER[7]}{ID_NUMBER[6]}{ID_NUMBER[8:]}"
PHONE = "19900007001"
PASSWORD = "yunkai-xuexi-2026"
UNIT = "嘉陵示范建筑设计院"
PLAN = "重庆市2026年专技人员继续教育公需科目培训"
# A chapter lasts a quarter of a minute; twice that and some for a question in between.
CHAPTER_TIMEOUT = 90_000

pytestmark = pytest.mark.journey


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[RunningPortal]:
    with run_portal(tmp_path) as running:
        yield running


@pytest.fixture
def browser_context_args(
    browser_context_args: dict[str, Any], portal: RunningPortal
) -> dict[str, Any]:
    return {**browser_context_args, "base_url": portal.url}


def test_from_registration_to_a_sealed_certificate(
    page: Page, context: BrowserContext, browser: Browser, portal: RunningPortal
) -> None:
    look_at_the_home_page(page)
    register(page, context)
    log_in_again(page)
    order_number = buy_the_plan(page)
    study_until_completed(page)
    number, pdf = get_the_certificate(page)
    verify_without_login(browser, portal, page, pdf)
    see_the_invoice(page, order_number)
    staff_find_everything(browser, portal, order_number, number)


# 1 ---------------------------------------------------------------------------------------
def look_at_the_home_page(page: Page) -> None:
    page.goto("/")
    top = page.locator("header").first
    expect(top.get_by_role("link", name="注册", exact=True)).to_be_visible()
    expect(top.get_by_role("link", name="登录", exact=True)).to_be_visible()
    for name in ("在线学习中心", "通知公告", "下载中心", "咨询服务"):
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    for name in ("专技人员公需科目", "专技人员专业科目"):
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_role("link", name="在线客服").first).to_be_visible()
    expect(page.get_by_text("400-618-7500").first).to_be_visible()


# 2 ---------------------------------------------------------------------------------------
def register(page: Page, context: BrowserContext) -> None:
    page.locator("header").first.get_by_role("link", name="注册", exact=True).click()
    page.get_by_label("姓名").fill("司马 云开")
    page.get_by_label("证件号码", exact=False).first.fill(MISTYPED_NUMBER)
    page.get_by_label("手机号码").fill(PHONE)
    page.get_by_role("button", name="获取验证码").click()
    page.get_by_label("短信验证码").fill(read_code(context))
    page.get_by_label("登录密码").fill(PASSWORD)
    page.get_by_label("确认密码").fill(PASSWORD)
    page.get_by_label("组织机构（区县）").select_option(label="渝中区")
    page.get_by_label("工作单位").fill(UNIT)
    page.get_by_label("我已阅读并同意").check()
    page.get_by_label("单独同意").check()
    page.get_by_role("button", name="下一步").click()

    # Errors stand beside their fields, and what was right is kept.
    name = page.get_by_label("姓名")
    expect(name).to_have_attribute("aria-invalid", "true")
    number = page.get_by_label("证件号码", exact=False).first
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("手机号码")).to_have_value(PHONE)
    name.fill(NAME)
    number.fill(ID_NUMBER)
    fill_if_empty(page, "登录密码", "确认密码")
    page.get_by_role("button", name="下一步").click()

    expect(page.get_by_role("heading", name="请核对注册信息")).to_be_visible()
    preview = page.locator(".paper-preview")
    for text in (NAME, UNIT, "渝中区", ID_NUMBER):
        expect(preview).to_contain_text(text)
    page.get_by_role("button", name="确认注册").click()
    expect(page.get_by_role("heading", name="注册成功")).to_be_visible()


def fill_if_empty(page: Page, *labels: str) -> None:
    if page.get_by_text("密码已填写").count() == 0:
        for label in labels:
            page.get_by_label(label).fill(PASSWORD)


def read_code(context: BrowserContext) -> str:
    box = context.new_page()
    box.goto("/message-box/")
    newest = box.locator(".sms", has_text=f"{PHONE[:3]}****{PHONE[-4:]}").first
    expect(newest).to_be_visible()
    found = re.search(r"(?<!\d)\d{6}(?!\d)", newest.locator(".sms-text").inner_text())
    box.close()
    assert found
    return found[0]


# 3 ---------------------------------------------------------------------------------------
def log_in_again(page: Page) -> None:
    page.get_by_role("button", name="退出").first.click()
    page.goto("/")
    page.locator("header").first.get_by_role("link", name="登录", exact=True).click()
    page.get_by_label("账号").fill(PHONE)
    page.locator("input[name=password]").fill("wrong-password")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("用户名或密码错误").first).to_be_visible()
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("button", name="退出").first).to_be_visible()


# 4 ---------------------------------------------------------------------------------------
def buy_the_plan(page: Page) -> str:
    page.goto("/")
    page.get_by_role("link", name="公需科目", exact=True).first.click()
    page.get_by_role("link", name="2026", exact=False).first.click()
    page.get_by_role("link", name=PLAN, exact=True).first.click()
    main = page.locator("main")
    for text in ("30 学时", "33.00", "周文远", "5 学分", "下一页"):
        expect(main.get_by_text(text).first).to_be_visible()
    page.get_by_role("link", name="立即购买").click()

    expect(page.get_by_role("heading", name="个人购买")).to_be_visible()
    page.get_by_label("立即申请").check()
    page.get_by_label("发票抬头").fill(NAME)
    page.get_by_label("我已核对以上信息").check()
    page.get_by_role("button", name="提交订单").click()

    expect(page.get_by_role("heading", name="等待支付")).to_be_visible()
    number = page.url.rstrip("/").rpartition("/")[2]
    page.get_by_label("支付宝").check()
    page.get_by_role("button", name="立即支付").click()
    expect(page.get_by_text("模拟收银台·非真实支付").first).to_be_visible()
    expect(page.locator(".amount")).to_contain_text("33.00")
    page.get_by_role("button", name="支付成功").click()

    expect(page.get_by_role("heading", name="购买成功")).to_be_visible()
    trace = page.locator(".trace")
    for step in ("订单已提交", "前往支付", "支付成功", "学习已开通"):
        expect(trace.get_by_text(step, exact=False).first).to_be_visible()
    return number


# 5 ---------------------------------------------------------------------------------------
def study_until_completed(page: Page) -> None:
    page.get_by_role("link", name="课程培训").first.click()
    page.get_by_role("link", name="进入学习").click()
    plan_url = page.url
    expect(page.get_by_role("heading", name="学分要求")).to_be_visible()
    expect(page.get_by_role("heading", name="计划完成度")).to_be_visible()

    questions = 0
    for course in range(1, 7):
        page.goto(plan_url)
        page.locator(".card-grid > li").nth(course - 1).get_by_role(
            "link"
        ).first.click()
        questions += study_course(page)
        page.goto(plan_url)
        expect(page.locator(".study-rule")).to_contain_text(f"{5 * course} / 30 学分")
    assert questions >= 1
    expect(page.locator(".study-percent")).to_contain_text("100%")
    expect(page.get_by_text("已结业").first).to_be_visible()


def study_course(page: Page) -> int:
    """Watch the chapters one after the other; the number of questions answered."""
    questions = 0
    chapters = page.locator("[data-chapter]")
    # Counting does not wait for the page that was clicked for.
    expect(chapters.first).to_be_visible()
    for position in range(1, chapters.count() + 1):
        page.locator(f"[data-chapter='{position}'] a").click()
        page.locator(".vjs-big-play-button").click()
        expect(page.locator("video")).to_have_js_property("videoWidth", 960)
        questions += watch_to_the_end(page, position)
    return questions


def watch_to_the_end(page: Page, position: int) -> int:
    done = page.locator(f"[data-chapter='{position}'].is-done")
    dialog = page.locator("dialog.prompt[open]")
    questions = 0
    while True:
        watch_until(page, done, dialog, timeout=CHAPTER_TIMEOUT)
        if dialog.is_visible():
            answer_question(page)
            questions += 1
        elif done.is_visible():
            return questions


def answer_question(page: Page) -> None:
    dialog = page.locator("dialog.prompt")
    stem = dialog.locator("[data-prompt-stem]").inner_text()
    dialog.get_by_label(right_answer(stem), exact=True).check()
    dialog.get_by_role("button", name="提交答案").click()
    expect(dialog.locator("[data-prompt-message]")).to_contain_text("回答正确")
    go_on = dialog.get_by_role("button", name="继续学习")
    if go_on.is_visible():
        go_on.click()
    expect(dialog).to_be_hidden()


def right_answer(stem: str) -> str:
    """The first option of a sample question is the right one."""
    questions = {
        question["stem"]: question["options"][0]
        for course in read_samples("general")
        for question in course["question"]
    }
    return str(questions[stem])


# 6 ---------------------------------------------------------------------------------------
def get_the_certificate(page: Page) -> tuple[str, bytes]:
    page.get_by_role("link", name="我的证书").first.click()
    page.get_by_role("link", name="打印证书").click()
    page.get_by_label("专业序列").select_option(label="工程技术人员")
    page.get_by_label("专业级别").select_option(label="中级")
    page.get_by_role("button", name=re.compile("下一步|保存")).click()
    expect(page.get_by_role("button", name="确认无误，制作证书")).to_be_visible()
    for text in (NAME, UNIT, "30"):
        expect(page.locator("main")).to_contain_text(text)
    page.get_by_role("button", name="确认无误，制作证书").click()

    main = page.locator("main")
    download = main.get_by_role("link", name=re.compile("下载")).first
    expect(download).to_be_visible(timeout=60_000)
    number = page.url.rstrip("/").rpartition("/")[2]
    response: APIResponse = page.request.get(str(download.get_attribute("href")))
    assert response.headers["content-type"] == "application/pdf"
    pdf = response.body()
    assert pdf.startswith(b"%PDF-")
    assert b"/ByteRange" in pdf
    return number, pdf


def verify_without_login(
    browser: Browser, portal: RunningPortal, page: Page, pdf: bytes
) -> None:
    address = page.get_by_role("link", name="打开查验页面").get_attribute("href")
    stranger = browser.new_context(base_url=portal.url, locale="zh-CN")
    visit = stranger.new_page()
    visit.goto(str(address))
    expect(visit.get_by_role("heading", name="证书有效")).to_be_visible()
    expect(visit.locator(".verdict-facts")).to_contain_text("30 学时")

    result = visit.locator("[data-drop-result]")
    offer_file(visit, pdf)
    expect(result).to_have_class(re.compile("notice-success"))
    changed = bytearray(pdf)
    changed[len(changed) // 2] ^= 1
    offer_file(visit, bytes(changed))
    expect(result).to_have_class(re.compile("notice-danger"))

    visit.locator("details.server-check summary").click()
    check = visit.locator("form.file-form")
    check.locator("input[type=file]").set_input_files(
        {"name": "证书.pdf", "mimeType": "application/pdf", "buffer": bytes(changed)}
    )
    check.get_by_role("button", name="核验电子签章").click()
    expect(visit.locator("main")).to_contain_text("改动")
    stranger.close()


def offer_file(visit: Page, content: bytes) -> None:
    visit.locator("[data-drop-input]").set_input_files(
        {"name": "证书.pdf", "mimeType": "application/pdf", "buffer": content}
    )


# 7 ---------------------------------------------------------------------------------------
def see_the_invoice(page: Page, order_number: str) -> None:
    page.goto("/invoices/")
    row = page.locator("main").get_by_text(order_number).first
    expect(row).to_be_visible()
    page.get_by_role("link", name="查看发票").first.click()
    main = page.locator("main")
    expect(main).to_contain_text(NAME)
    expect(main).to_contain_text("33.00")
    expect(main).to_contain_text("样票")
    address = main.get_by_role("link", name=re.compile("下载")).first.get_attribute(
        "href"
    )
    response = page.request.get(str(address))
    assert response.body().startswith(b"%PDF-")


# 8 ---------------------------------------------------------------------------------------
def staff_find_everything(
    browser: Browser, portal: RunningPortal, order_number: str, number: str
) -> None:
    login = next(each for each in LOGINS if each.login.isalpha())
    context = browser.new_context(base_url=portal.url, locale="zh-CN")
    staff = context.new_page()
    staff.goto("/staff/")
    staff.get_by_label("用户名").fill(login.login)
    staff.get_by_label("密码").fill(login.password)
    staff.get_by_role("button", name="登录").click()
    expect(staff.locator("#site-name")).to_be_visible()

    for address, wanted, found in (
        ("/staff/accounts/user/", NAME, NAME),
        ("/staff/orders/order/", order_number, order_number),
        ("/staff/learning/enrolment/", NAME, PLAN),
        ("/staff/certificates/certificate/", number, number),
    ):
        staff.goto(f"{address}?q={wanted}")
        expect(staff.locator("#result_list tbody tr")).to_have_count(1)
        expect(staff.locator("#result_list")).to_contain_text(found)
    staff.goto("/staff/accounts/user/")
    staff.get_by_label("按号码查找").fill(ID_NUMBER)
    staff.get_by_role("button", name="打开账号").click()
    account = staff.locator("#content")
    expect(account).to_contain_text(NAME)
    expect(account).to_contain_text(ID_NUMBER[:6] + "********")
    expect(account).not_to_contain_text(ID_NUMBER)
    context.close()
