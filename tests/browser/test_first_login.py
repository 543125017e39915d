"""首次登录 as a person does it whom a unit's list registered."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Profile, Region, User
from accounts.rules.throttles import CAPTCHA_LOGIN_PAIR
from accounts.services.reference_data import load_regions
from tests.browser.test_registration import DESK, PHONE_SIZE, read_code
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "hongyadong-1900"
UNIT = "重庆市渝中区示例中学校"


@pytest.fixture
def person() -> Any:
    load_regions()
    now = timezone.now()
    person = UserFactory(
        name="欧阳春梅",
        pending=True,
        password=None,
        pending_until=now + timedelta(days=30),
    )
    Profile.objects.create(
        person=person,
        region=Region.objects.get(code="500103"),
        unit_name=UNIT,
        updated_at=now,
    )
    return person


def assert_fits(page: Page) -> None:
    width = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert width <= 0


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
def test_from_the_login_page_into_the_space(
    page: Page, person: Any, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/")
    page.get_by_role("banner").get_by_role("link", name="登录").click()
    page.get_by_label("账号").fill(person.id_number)
    page.locator("#id_password").fill(f"edu@{person.id_number[-6:]}")
    page.get_by_role("button", name="登录", exact=True).click()

    expect(page).to_have_url(re.compile(r"/accounts/activate/details/$"))
    preview = page.get_by_role("region", name="证书上的信息")
    for shown in ("欧阳春梅", person.masked_id_number, "渝中区", UNIT):
        expect(preview).to_contain_text(shown)
    assert_fits(page)
    page.get_by_label("以上信息与本人证件一致").check()
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("验证码已发送至")).to_contain_text(person.masked_phone)
    page.get_by_label("短信验证码").fill(read_code(page))
    page.get_by_label("登录密码").fill(PASSWORD)
    page.get_by_label("确认密码").fill(PASSWORD)
    page.get_by_label("我已阅读并同意").check()
    page.get_by_label("单独同意").check()
    page.get_by_role("button", name="启用账号并登录").click()

    expect(page).to_have_url(re.compile(r"/space/$"))
    expect(page.get_by_text("账号已激活")).to_be_visible()
    assert_fits(page)
    activated = User.objects.get(pk=person.pk)
    assert activated.state == User.State.ACTIVE
    assert activated.check_password(PASSWORD)


def test_a_captcha_is_read_and_exchanged(page: Page, person: Any) -> None:
    page.set_viewport_size({"width": PHONE_SIZE[0], "height": PHONE_SIZE[1]})
    page.goto("/accounts/activate/")
    for _ in range(CAPTCHA_LOGIN_PAIR.count):
        page.get_by_label("身份证号码").fill(person.id_number)
        page.locator("#id_password").fill("edu@000000")
        page.get_by_role("button", name="下一步").click()
        expect(page.get_by_text("身份证号码或初始密码错误")).to_be_visible()
    picture = page.get_by_role("img", name="图形验证码")
    expect(picture).to_be_visible()
    # `decode` waits for the picture to arrive, and fails where none does.
    width = picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert width == 150
    first = picture.get_attribute("src")

    page.get_by_role("button", name="换一张").click()

    expect(picture).not_to_have_attribute("src", str(first))
    expect(page.locator("#captcha")).to_have_count(1)
    assert_fits(page)
