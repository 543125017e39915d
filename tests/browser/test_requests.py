"""Requests with pictures: of the letter of a unit, and of an identity card for a new phone."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from captcha.models import CaptchaStore
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import PersonRequest, UnitAppointment, User, VerificationCode
from accounts.services.codes import send_code
from accounts.services.reference_data import load_regions
from tests.browser.waiting import hold, wait_until
from tests.factories.accounts import UserFactory, make_phone
from tests.factories.requests import UNIT_CODE, make_picture, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE_SIZE = (1280, 900), (390, 844)


@pytest.fixture
def person() -> User:
    load_regions()
    return UserFactory(name="赵一", username="zhao_yi")


@pytest.fixture
def letter(tmp_path: Path) -> str:
    path = tmp_path / "介绍信.png"
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


def width_over(page: Page) -> int:
    width: int = page.evaluate(
        "() => document.documentElement.scrollWidth - innerWidth"
    )
    return width


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
def test_from_the_request_to_the_appointment(
    page: Page,
    person: User,
    letter: str,
    log_in: Callable[[User, str], None],
    live_server: object,
    size: tuple[int, int],
) -> None:
    url = str(live_server)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    log_in(person, url)
    page.goto("/accounts/requests/")
    page.get_by_role("link", name="单位经办人申请").click()
    page.get_by_label("组织机构（区县）").select_option(label="渝中区")
    page.get_by_label("工作单位").fill("重庆市示例学校")
    page.get_by_label("统一社会信用代码").fill(f"{UNIT_CODE[:8]} {UNIT_CODE[8:]}")
    page.get_by_label("介绍信").set_input_files(letter)
    assert width_over(page) <= 0
    page.get_by_role("button", name="提交申请").click()

    expect(page.get_by_text("申请已提交")).to_be_visible()
    expect(page.get_by_text("待审核")).to_be_visible()
    assert width_over(page) <= 0
    row = PersonRequest.objects.get()

    log_in(make_staff("业务"), url)
    page.goto("/staff/accounts/personrequest/?due=waiting")
    held = hold(page, re.compile(r"/personrequest/\d+/files/"))
    page.get_by_role("link", name=row.code).click()
    picture = page.get_by_role("img", name="证明材料1.jpg")
    approve = page.get_by_role("button", name="通过", exact=True)
    # A button that the late picture pushed down would not get the click meant for it.
    wait_until(page, lambda: len(held) == 1)
    page.wait_for_load_state("domcontentloaded")
    place = approve.bounding_box()
    held[0].continue_()
    expect(picture).to_have_js_property("naturalWidth", 1200)
    assert approve.bounding_box() == place
    approve.click()

    expect(page.get_by_text("已通过。")).to_be_visible()
    appointment = UnitAppointment.objects.get()
    assert appointment.person == person
    assert appointment.unit.credit_code == UNIT_CODE

    log_in(person, url)
    page.goto("/accounts/requests/")
    page.get_by_role("link", name=re.compile(row.code)).click()
    expect(page.get_by_text("您已成为该单位的经办人")).to_be_visible()


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
@pytest.mark.parametrize(
    "path",
    [
        "/accounts/requests/",
        "/accounts/requests/new/name-change/",
        "/accounts/requests/new/number-change/",
        "/accounts/profile/",
    ],
)
def test_no_page_of_a_person_scrolls_sideways(
    page: Page,
    person: User,
    log_in: Callable[[User, str], None],
    live_server: object,
    path: str,
    size: tuple[int, int],
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    log_in(person, str(live_server))
    page.goto(path)

    assert width_over(page) <= 0


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
def test_a_phone_that_asked_often_gets_its_code_after_a_picture(
    page: Page,
    letter: str,
    tmp_path: Path,
    size: tuple[int, int],
    expected_console_errors: list[str],
) -> None:
    # The browser notes the answer that brings the picture.
    expected_console_errors.append("status of 422")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for minutes in (50, 40, 30):
        send_code(
            phone=make_phone(7002),
            purpose=VerificationCode.Purpose.REQUEST,
            browser="b",
            address="203.0.113.7",
            now=timezone.now() - timedelta(minutes=minutes),
        )
    page.goto("/accounts/phone-lost/")
    other = tmp_path / "手持证件.png"
    other.write_bytes(make_picture("PNG"))
    page.get_by_label("证明材料").set_input_files([letter, str(other)])
    page.get_by_label("新手机号码").fill(make_phone(7002))

    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_role("img", name="图形验证码：四位数字")).to_be_visible()
    answer = CaptchaStore.objects.latest("pk").response
    page.get_by_label("图形验证码", exact=False).first.fill(answer)
    page.get_by_role("button", name="获取验证码").click()

    expect(page.get_by_text("图形验证码已通过。")).to_be_visible()
    expect(page.get_by_text("验证码已发送至 199****7002")).to_be_visible()
    assert VerificationCode.objects.count() == 4
    chosen = page.locator("[data-file-name]")
    expect(chosen).to_have_text("已选 2 个文件：介绍信.png、手持证件.png")
    assert width_over(page) <= 0


@pytest.mark.parametrize("size", [DESK, PHONE_SIZE])
@pytest.mark.parametrize(
    "path", ["/accounts/phone-lost/", "/accounts/phone-lost/state/"]
)
def test_no_public_page_scrolls_sideways(
    page: Page, person: User, path: str, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(path)

    assert width_over(page) <= 0
