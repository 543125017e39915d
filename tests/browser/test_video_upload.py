"""A large video goes up in parts: with progress, over a broken line, on another day."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from catalog.admin import uploads
from catalog.models import Video, VideoUpload
from catalog.services.uploads import read_upload
from portal.celery import app
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

PART = 64 * 1024
CONTENT = bytes(range(256)) * 1000
PARTS = re.compile(r"/uploads/\w{32}/$")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES", PART)


@pytest.fixture
def nobody_works() -> Any:
    app.conf.task_always_eager = False
    yield
    app.control.purge()
    app.conf.task_always_eager = True


@pytest.fixture
def form(page: Page, client_of: Any, live_server: Any, tmp_path: Path) -> Page:
    """The staff's form with a file of four parts chosen."""
    staff = UserFactory(name="周五", is_staff=True, is_superuser=True)
    log_in(page, client_of, staff, live_server.url)
    (tmp_path / "第一讲.mp4").write_bytes(CONTENT)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/staff/catalog/video/add/")
    page.get_by_label("视频文件").set_input_files(tmp_path / "第一讲.mp4")
    return page


def log_in(page: Page, client_of: Any, person: User, url: str) -> None:
    cookie = client_of(person).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


def save(page: Page) -> None:
    page.get_by_role("button", name="保存", exact=True).click()


@pytest.mark.usefixtures("small_parts", "nobody_works")
def test_upload_survives_a_broken_line_and_a_new_page(
    form: Page, tmp_path: Path, expected_console_errors: list[str]
) -> None:
    expected_console_errors += ["Failed to load resource"]
    asked: list[str] = []

    def break_off(route: Route) -> None:
        """The second part fails once; the third is the end of the line."""
        offset = route.request.headers["upload-offset"]
        asked.append(offset)
        if offset == str(PART) and asked.count(offset) == 1:
            route.abort("connectionreset")
        elif offset == str(2 * PART):
            route.fulfill(status=403, json={"message": "线路故障"})
        else:
            route.continue_()

    form.route(PARTS, break_off)
    save(form)
    box = form.locator("[data-upload]")
    expect(box.get_by_role("status")).to_have_text("线路故障")
    expect(box).to_contain_text("0.1 / 0.3 MB（51%）")
    expect(box.get_by_role("progressbar")).to_have_js_property("value", 51)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width in (1280, 390):
        form.set_viewport_size({"width": width, "height": 900})
        form.screenshot(path=SCREENSHOTS / f"upload-broken-{width}.png", full_page=True)
    assert asked == ["0", str(PART), str(PART), str(2 * PART)]
    assert VideoUpload.objects.get().received == 2 * PART

    form.unroute(PARTS)
    form.goto("/staff/catalog/video/add/")
    form.get_by_label("视频文件").set_input_files(tmp_path / "第一讲.mp4")
    save(form)

    expect(form.locator(".messagelist")).to_contain_text("第一讲.mp4")
    video = Video.objects.get()
    assert str(video) == "第一讲.mp4"
    assert b"".join(read_upload(video.upload)) == CONTENT


@pytest.mark.usefixtures("small_parts", "nobody_works")
def test_what_interrupts_an_upload_is_called_by_its_name(
    form: Page, expected_console_errors: list[str]
) -> None:
    expected_console_errors += ["Failed to load resource"]
    status = form.locator("[data-upload]").get_by_role("status")
    form.route(PARTS, lambda route: route.fulfill(status=500, body="disk full"))
    save(form)

    expect(status).to_contain_text("服务器暂时无法接收，")
    expect(status).to_contain_text("秒后重试")
    form.unroute(PARTS)
    form.route(PARTS, lambda route: route.abort("connectionreset"))
    expect(status).to_contain_text("网络中断，")
    form.unroute(PARTS)
    expect(form.locator(".messagelist")).to_contain_text("第一讲.mp4")


@pytest.mark.usefixtures("small_parts", "nobody_works")
def test_upload_can_be_paused(form: Page) -> None:
    def never_answer(_route: Route) -> None:
        """The line is there and nothing comes over it."""

    form.route(PARTS, never_answer)
    save(form)
    status = form.locator("[data-upload]").get_by_role("status")
    expect(status).to_have_text("正在上传，请不要关闭本页")

    form.get_by_role("button", name="暂停").click()

    expect(status).to_have_text("已暂停，已上传的部分保留两天")
    form.unroute(PARTS)
    form.get_by_role("button", name="继续上传").click()
    expect(form.locator(".messagelist")).to_contain_text("第一讲.mp4")
    assert Video.objects.count() == 1


@pytest.mark.usefixtures("small_parts", "nobody_works")
def test_upload_goes_on_after_a_new_login(
    form: Page,
    client_of: Any,
    live_server: Any,
    expected_console_errors: list[str],
) -> None:
    """The login ends before it; another window brings a new one."""
    expected_console_errors += ["status of 403"]
    staff = User.objects.get(is_staff=True)
    form.context.clear_cookies()
    save(form)
    status = form.locator("[data-upload]").get_by_role("status")
    expect(status).to_contain_text("登录已过期")

    log_in(form, client_of, staff, live_server.url)
    # Any page of the portal with a form gives the cookie of its token.
    other = form.context.new_page()
    other.goto("/staff/catalog/video/add/")
    other.close()
    form.get_by_role("button", name="继续上传").click()

    expect(form.locator(".messagelist")).to_contain_text("第一讲.mp4")
    assert Video.objects.count() == 1


@pytest.mark.usefixtures("small_parts", "nobody_works")
def test_finished_upload_outlives_bad_captions(form: Page, tmp_path: Path) -> None:
    (tmp_path / "zimu.vtt").write_text("00:01.000 --> 00:02.000", encoding="utf-8")
    form.get_by_label("字幕（WebVTT）").set_input_files(tmp_path / "zimu.vtt")
    save(form)

    expect(form.locator(".errorlist")).to_contain_text("第一行须为 WEBVTT")
    expect(form.locator("[data-upload]")).to_contain_text("不必重新上传")
    form.screenshot(path=SCREENSHOTS / "upload-captions.png", full_page=True)
    save(form)

    expect(form.locator(".messagelist")).to_contain_text("第一讲.mp4")
    assert VideoUpload.objects.get().video == Video.objects.get()


def test_file_that_is_no_video_is_told_before_it_travels(
    form: Page, tmp_path: Path, expected_console_errors: list[str]
) -> None:
    expected_console_errors += ["status of 400"]
    (tmp_path / "讲义.pdf").write_bytes(b"%PDF")
    form.get_by_label("视频文件").set_input_files(tmp_path / "讲义.pdf")
    save(form)

    status = form.locator("[data-upload]").get_by_role("status")
    expect(status).to_contain_text("不支持这种文件类型")
    assert not Video.objects.exists()
    assert not VideoUpload.objects.exists()
