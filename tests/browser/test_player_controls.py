"""What the learner can set and steer at the player: quality, speed, captions, keys, phone."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import Locator, Page, Route, expect

from catalog.models import Chapter, Video
from learning.models import Enrolment, PlaySession
from learning.views import courses as views
from tests.browser.learner import watch_until
from tests.browser.player_page import SECONDS, play, player_url, run
from tests.browser.waiting import wait_until
from tests.factories.learning import ChapterProgressFactory

pytestmark = pytest.mark.django_db(transaction=True)

STREAM = "/stream-of-the-test/"
# A hint gives way to the next one, which a slow machine may have soon.
NOTE_WORDS = """
window.said = [];
addEventListener("DOMContentLoaded", () => {
  const status = document.querySelector("[data-status]");
  new MutationObserver(() => said.push(status.textContent)).observe(status, {childList: true});
});
"""
WECHAT = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/126.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.50 NetType/WIFI Language/zh_CN"
)


@pytest.fixture
def streaming(
    page: Page,
    stream_files: Path,
    enrolment: Enrolment,
    log_in: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Page:
    """The player's page with HLS; what does not exist is refused like an address that ran out."""

    def give(route: Route) -> None:
        path = stream_files / route.request.url.split(STREAM)[1]
        if path.exists():
            route.fulfill(path=path)
        else:
            refuse(route)

    describe = views._describe_files
    monkeypatch.setattr(
        views,
        "_describe_files",
        lambda *args: describe(*args) | {"stream": f"{STREAM}master.m3u8"},
    )
    page.route(f"**{STREAM}**", give)
    log_in(page.context, enrolment.person)
    page.goto(player_url(enrolment.plan))
    return page


def test_the_quality_can_be_chosen_and_is_remembered(streaming: Page):
    page = streaming
    play(page)
    # Early on: what is loaded to the end already does not change any more.
    wait_until(page, lambda: run(page, "return video.currentTime") > 0.2)
    before = run(page, "video.pause(); return video.currentTime")
    quality = page.locator(".vjs-quality")
    expect(quality.locator(".vjs-menu-item-text")).to_have_text(
        ["540P", "360P", "自动"]
    )
    assert run(page, "return video.videoHeight") in (540, 360)

    choose(page, quality, "360P")
    after = run(page, "return video.currentTime")

    assert after == pytest.approx(before, abs=0.3)
    expect(quality.locator(".vjs-quality-value")).to_have_text("360P")
    run(page, "video.play();")
    expect(page.locator("video")).to_have_js_property("videoHeight", 360)

    page.reload()
    play(page)
    expect(quality.locator(".vjs-quality-value")).to_have_text("360P")
    expect(page.locator("video")).to_have_js_property("videoHeight", 360)
    watch_until(page, page.locator("[data-done]"))


def test_a_quality_that_is_not_offered_gives_the_lowest(streaming: Page):
    """Chosen for another video; and in an old WeChat, whose lists know no `at`."""
    page = streaming
    page.add_init_script(
        "delete Array.prototype.at;"
        "localStorage.setItem('portal-player-quality', '240');"
    )
    page.reload()

    expect(page.locator(".vjs-quality-value")).to_have_text("360P")


def test_a_stream_address_that_ran_out_is_replaced(
    streaming: Page, expected_console_errors: list[str]
):
    page = streaming
    expected_console_errors += ["403", "VIDEOJS"]
    play(page)
    expect(page.locator("[data-pending]")).not_to_have_text("00:00")

    page.evaluate(
        "window.videojs.getPlayer('player')"
        f".src({{ src: '{STREAM}gone.m3u8', type: 'application/x-mpegURL' }})"
    )
    watch_until(page, page.locator("[data-done]"))

    assert playing(page) == f"{STREAM}master.m3u8"
    assert PlaySession.objects.count() == 2


def test_a_broken_stream_gives_way_to_the_file(
    streaming: Page, expected_console_errors: list[str]
):
    page = streaming
    expected_console_errors += ["403", "VIDEOJS"]
    page.route(f"**{STREAM}**", refuse)
    page.reload()

    play(page)
    watch_until(page, page.locator("[data-done]"))

    assert playing(page).endswith("/video.mp4")
    expect(page.locator(".vjs-control-bar > .vjs-quality")).to_be_hidden()


def test_a_stream_that_broke_off_is_taken_up_again(
    streaming: Page, expected_console_errors: list[str]
):
    page = streaming
    expected_console_errors += ["ERR_FAILED", "VIDEOJS"]
    page.route("**/index2.ts", lambda route: route.abort())
    page.reload()
    play(page)
    expect(page.locator("[data-pending]")).not_to_have_text("00:00")

    page.unroute("**/index2.ts")

    watch_until(page, page.locator("[data-done]"))
    assert playing(page) == f"{STREAM}master.m3u8"
    assert PlaySession.objects.count() == 1


def test_faster_is_for_what_was_learnt_before(player: Page, enrolment: Enrolment):
    ChapterProgressFactory(
        enrolment=enrolment,
        chapter=Chapter.objects.get(position=1),
        covered=[[0, 3_000]],
        covered_ms=3_000,
        position_ms=0,
    )
    player.add_init_script(NOTE_WORDS)
    player.reload()
    video = player.locator("video")
    speed = player.locator(".vjs-playback-rate")
    expect(speed.locator(".vjs-menu-item-text")).to_have_text(
        ["2x", "1.5x", "1.25x", "1x", "0.75x"]
    )
    expect(player.locator(".ledger-tools")).to_contain_text("最快 2 倍速")
    run(player, "video.playbackRate = 2;")
    expect(speed.locator(".vjs-playback-rate-value")).to_have_text("2x")

    play(player)

    words = "未学部分按 1 倍速计时"
    wait_until(player, lambda: words in player.evaluate("said"))
    assert words in player.evaluate("said")
    expect(video).to_have_js_property("playbackRate", 1)
    watch_until(player, player.locator("[data-done]"))
    expect(player.locator("[data-reasons]")).not_to_contain_text("快进")


def test_the_keyboard_drives_the_player(player: Page, enrolment: Enrolment):
    for row in Video.objects.all():
        row.captions.save(
            "zh.vtt",
            ContentFile(
                b"WEBVTT\n\n00:00.000 --> 00:06.000\n\xe5\xad\x97\xe5\xb9\x95\n"
            ),
        )
    player.reload()
    keys = player.get_by_role("dialog", name="键盘操作")
    video = player.locator("video")
    player.get_by_role("region", name="视频播放器").focus()

    player.keyboard.press("Space")
    expect(player.locator("[data-pending]")).not_to_have_text("00:00")
    player.keyboard.press("k")
    expect(video).to_have_js_property("paused", True)
    player.keyboard.press("ArrowRight")
    expect(player.locator("[data-status]")).to_have_text("未学习的部分不能快进")
    assert run(player, "return video.currentTime") < SECONDS - 1
    player.keyboard.press("ArrowLeft")
    expect(video).to_have_js_property("currentTime", 0)
    player.keyboard.press("m")
    expect(video).to_have_js_property("muted", True)
    player.keyboard.press("c")
    expect(player.locator(".vjs-text-track-cue")).to_have_text("字幕")
    player.keyboard.press("?")
    expect(keys).to_be_visible()
    player.keyboard.press("Escape")
    expect(keys).to_be_hidden()

    player.goto(player_url(enrolment.plan, 2))
    play(player)
    expect(player.locator(".vjs-text-track-cue")).to_have_text("字幕")


@pytest.mark.browser_context_args(
    user_agent=WECHAT,
    viewport={"width": 390, "height": 844},
    is_mobile=True,
    has_touch=True,
)
def test_inside_wechat_on_a_phone(streaming: Page):
    page = streaming
    page.locator(".vjs-big-play-button").tap()
    expect(page.locator("[data-pending]")).not_to_have_text("00:00")
    run(page, "video.pause();")

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.get_by_role("button", name="键盘操作").is_hidden()
    controls = page.locator(".vjs-control-bar > .vjs-control:visible")
    boxes = [box for each in controls.all() if (box := each.bounding_box())]
    assert len(boxes) > 5
    assert min(box["x"] for box in boxes) >= 0
    assert max(box["x"] + box["width"] for box in boxes) <= 390
    page.get_by_role("link", name="返回计划").tap()

    expect(page.get_by_role("heading", name="示例培训计划")).to_be_visible()


def refuse(route: Route) -> None:
    """As the portal does; without a type Chromium would try to read XML."""
    route.fulfill(status=403, content_type="text/plain", body="播放地址已过期")


def playing(page: Page) -> str:
    """The address that plays, without its host."""
    source = page.evaluate("window.videojs.getPlayer('player').currentSource().src")
    return urlsplit(source).path


def choose(page: Page, menu: Locator, name: str) -> None:
    """Open a menu of the control bar and take one of its items, as a mouse does."""
    menu.get_by_role("button").first.click()
    menu.get_by_role("menuitemradio", name=name).click()
