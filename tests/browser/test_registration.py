"""Registration as a person does it: fill in, fetch the code from the message box, check, done."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Region, User
from accounts.services.reference_data import load_regions
from tests.browser.waiting import hold, wait_until
from tests.factories.accounts import UnitFactory, make_id_number, make_phone

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE_SIZE = (1280, 900), (390, 844)
PHONE = make_phone(4321)
NUMBER = make_id_number(4321)
PASSWORD = "hongyadong-1900"
UNIT = "重庆市渝中区示例中学校"


@pytest.fixture
def unit() -> None:
    load_regions()
    region = Region.objects.get(code="500103")
    for name in (UNIT, "重庆市渝中区示例小学校"):
        UnitFactory(name=name, region=region)


def read_code(page: Page) -> str:
    """Open the message box in a second window, as people do."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="短信收件箱").click()
    box = opened.value
    text = box.locator(".sms-text").first.inner_text()
    box.close()
    found = re.search(r"验证码(\d{6})", text)
    assert found, text
    return found[1]


def fill_in(page: Page) -> None:
    page.get_by_label("姓名").fill("欧阳春梅")
    page.get_by_label("证件号码", exact=False).first.fill(NUMBER.lower())
    page.get_by_label("手机号码").fill(PHONE)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("验证码已发送至")).to_be_visible()
    page.get_by_label("短信验证码").fill(read_code(page))
    page.get_by_label("登录密码").fill(PASSWORD)
    page.get_by_label("确认密码").fill(PASSWORD)
    page.get_by_label("组织机构（区县）").select_option(label="渝中区")
    page.get_by_label("我已阅读并同意").check()
    page.get_by_label("单独同意").check()


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
def test_from_the_home_page_to_an_account(
    page: Page, unit: None, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/")
    page.get_by_role("banner").get_by_role("link", name="注册").click()
    fill_in(page)
    page.get_by_label("工作单位").press_sequentially("示例中")
    page.get_by_role("option", name=UNIT).click()
    expect(page.get_by_label("工作单位")).to_have_value(UNIT)

    page.get_by_role("button", name="下一步").click()
    expect(page).to_have_url(re.compile(r"/accounts/register/confirm/$"))
    preview = page.get_by_role("region", name="证书上的信息")
    for shown in ("欧阳春梅", NUMBER, "渝中区", UNIT):
        expect(preview).to_contain_text(shown)
    assert User.objects.count() == 0

    page.get_by_role("button", name="确认注册").click()
    expect(page.get_by_role("heading", name="注册成功")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/accounts/register/done/$"))
    user = User.objects.get()
    assert (user.name, user.profile.unit_name) == ("欧阳春梅", UNIT)


def test_errors_stand_beside_their_fields_and_the_first_has_the_focus(
    page: Page, unit: None
) -> None:
    page.goto("/accounts/register/")
    page.get_by_role("button", name="下一步").click()

    for words in ("请填写姓名。", "请填写证件号码。", "请选择区县。"):
        expect(page.get_by_text(words)).to_be_visible()
    name = page.get_by_label("姓名")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    described = name.get_attribute("aria-describedby") or ""
    notes = [page.locator(f"#{note}").inner_text() for note in described.split()]
    assert any("请填写姓名。" in note for note in notes)


def test_the_button_counts_down_and_says_what_is_wrong(
    page: Page, unit: None, expected_console_errors: list[str]
) -> None:
    expected_console_errors.append("status of 4(22|29)")
    page.goto("/accounts/register/")
    button = page.locator("[data-code-button]")

    page.get_by_label("手机号码").fill("123")
    button.click()
    expect(page.get_by_text("请填写11位手机号码")).to_be_visible()
    expect(button).to_be_enabled()

    page.get_by_label("手机号码").fill(PHONE)
    button.click()
    expect(page.get_by_text("验证码已发送至 199****4321")).to_be_visible()
    expect(button).to_be_disabled()
    expect(button).to_have_text(re.compile(r"^\d+ 秒后重新获取$"))
    expect(page.get_by_label("短信验证码")).to_be_focused()


def test_the_button_is_asleep_until_something_answers_it(page: Page) -> None:
    held = hold(page, re.compile(r"/htmx\.min.*js"))
    page.goto("/accounts/login/?way=code", wait_until="commit")
    button = page.locator("[data-code-button]")

    expect(button).to_be_disabled()
    wait_until(page, lambda: len(held) == 1)
    held[0].continue_()

    expect(button).to_be_enabled()


def test_a_phone_that_got_its_code_is_no_longer_called_missing(
    page: Page, unit: None
) -> None:
    page.goto("/accounts/login/?way=code")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("请填写手机号码。")).to_be_visible()

    page.get_by_label("手机号码").fill(PHONE)
    page.get_by_role("button", name="获取验证码").click()

    expect(page.get_by_text("验证码已发送至 199****4321")).to_be_visible()
    expect(page.get_by_text("请填写手机号码。")).to_have_count(0)
    expect(page.get_by_label("手机号码")).not_to_have_attribute("aria-invalid", "true")


def test_units_are_chosen_with_the_keyboard(page: Page, unit: None) -> None:
    page.goto("/accounts/register/")
    page.get_by_label("组织机构（区县）").select_option(label="渝中区")
    field = page.get_by_label("工作单位")

    field.press_sequentially("示例")
    options = page.get_by_role("listbox", name="单位名称建议").get_by_role("option")
    # The last one says what to do where the unit is not among them.
    expect(options).to_have_count(3)
    expect(options.last).to_have_attribute("aria-disabled", "true")
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("ArrowDown")
    field.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    field.press("Enter")

    expect(field).to_have_value("重庆市渝中区示例小学校")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(page).to_have_url(re.compile(r"/accounts/register/$"))


def test_a_password_can_be_looked_at(page: Page, unit: None) -> None:
    page.goto("/accounts/register/")
    field = page.get_by_label("登录密码")
    field.fill(PASSWORD)

    page.get_by_role("button", name="显示密码").first.click()
    expect(field).to_have_attribute("type", "text")

    page.get_by_role("button", name="隐藏密码").click()
    expect(field).to_have_attribute("type", "password")


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
@pytest.mark.parametrize(
    "path",
    [
        "/accounts/register/",
        "/accounts/login/",
        "/accounts/login/?way=code",
        "/accounts/password-reset/",
        "/accounts/notices/privacy/",
        "/accounts/notices/sensitive/",
        "/message-box/",
    ],
)
def test_no_page_scrolls_sideways(
    page: Page, unit: None, path: str, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(path)

    width = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert width <= 0


def test_levels_follow_the_series(page: Page, unit: None) -> None:
    page.goto("/")
    page.get_by_role("banner").get_by_role("link", name="注册").click()
    fill_in(page)
    page.get_by_label("工作单位").fill("自填单位全称")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="确认注册").click()
    page.get_by_role("link", name="完善个人信息").click()

    page.get_by_label("专业序列").select_option(label="高等学校教师")
    level = page.get_by_label("专业级别")
    expect(level.locator("option")).to_have_text(
        ["请选择", "助理级", "中级", "副高级", "正高级", "无职称"]
    )
    level.select_option(label="副高级")
    page.get_by_role("button", name="保存", exact=True).click()

    expect(page.get_by_text("个人信息已保存。")).to_be_visible()
    assert User.objects.get().profile.level == "associate_senior"
