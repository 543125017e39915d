"""The question as the learner meets it: seen, heard, and answered without a mouse."""

import re
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files import File
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from catalog.models import Video
from learning.models import Enrolment, PersonClock, Prompt
from tests.browser.player_page import SECONDS, draw_clip, play, player_url
from tests.browser.waiting import wait_until
from tests.factories.learning import enrol, make_study_plan

pytestmark = pytest.mark.django_db(transaction=True)

# Chromium without a sound device plays, and without a phone vibrates, unheard and unfelt.
RECORD_CALLS = """
window.calls = { tones: 0, vibrations: 0 };
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...given) {
  window.calls.tones += 1;
  return start.apply(this, given);
};
navigator.vibrate = () => { window.calls.vibrations += 1; return true; };
"""


@pytest.fixture(scope="module")
def clip() -> Any:
    with tempfile.TemporaryDirectory(prefix="clip-") as folder:
        path = Path(folder) / "video.mp4"
        draw_clip(path)
        yield path


@pytest.fixture
def enrolment(owner: Any, clip: Path, settings: Any) -> Enrolment:
    """A person who owes an answer since the last time: playing brings the question at once."""
    settings.LEARNING = settings.LEARNING | {"beat_seconds": 1}
    today = timezone.localdate()
    plan = make_study_plan(
        chapters=(SECONDS * 1000,),
        training_start=today - timedelta(days=1),
        training_end=today + timedelta(days=1),
    )
    with clip.open("rb") as file:
        Video.objects.get().file.save("clip.mp4", File(file))
    PersonClock.objects.create(person=owner, until_prompt_ms=0)
    return enrol(owner, plan)


@pytest.fixture
def player(page: Page, enrolment: Enrolment, client_of: Any, live_server: Any) -> Page:
    name = django_settings.SESSION_COOKIE_NAME
    value = client_of(enrolment.person).cookies[name].value
    page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    page.add_init_script(RECORD_CALLS)
    page.goto(player_url(enrolment.plan))
    return page


@pytest.fixture
def dialog(player: Page) -> Locator:
    return player.get_by_role("dialog", name="学习确认")


def answer_by_keyboard(page: Page) -> None:
    prompt = Prompt.objects.get(closed_at__isnull=True)
    place = [code for code, _ in prompt.options].index(prompt.correct_option)
    page.keyboard.press("Space")
    for _ in range(place):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def test_a_question_is_put_above_the_full_screen_and_calls(
    player: Page, dialog: Locator
):
    player.locator(".vjs-big-play-button").focus()
    player.keyboard.press("f")
    expect(player.locator("#player.vjs-fullscreen")).to_be_visible()
    player.keyboard.press("k")

    expect(dialog).to_be_visible()
    assert player.evaluate("document.fullscreenElement !== null")
    assert player.evaluate(
        "document.elementFromPoint(innerWidth / 2, innerHeight / 2)"
        ".closest('dialog') !== null"
    )
    assert player.evaluate("window.calls") == {"tones": 2, "vibrations": 1}
    expect(player).to_have_title(re.compile("^【请答题】"))
    expect(dialog.locator("input[name=option]").first).to_be_focused()

    answer_by_keyboard(player)

    expect(dialog).to_be_hidden()
    assert Prompt.objects.get().outcome == Prompt.Outcome.RIGHT
    assert player.evaluate("document.fullscreenElement !== null")
    expect(player).not_to_have_title(re.compile("请答题"))


def test_the_sound_can_be_switched_off_and_stays_off(player: Page, dialog: Locator):
    play(player)
    dialog.get_by_role("switch", name="提示音").uncheck()
    player.reload()

    play(player)

    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("switch", name="提示音")).not_to_be_checked()
    assert player.evaluate("window.calls") == {"tones": 0, "vibrations": 1}


def test_a_muted_video_makes_no_sound(player: Page, dialog: Locator):
    player.locator(".vjs-big-play-button").focus()
    player.keyboard.press("m")
    player.keyboard.press("k")

    expect(dialog).to_be_visible()
    assert player.evaluate("window.calls.tones") == 0


def test_the_title_of_a_page_in_the_background_blinks(player: Page, dialog: Locator):
    play(player)
    expect(dialog).to_be_visible()

    player.evaluate("Object.defineProperty(document, 'hidden', { value: true })")

    expect(player).not_to_have_title(re.compile("请答题"))
    expect(player).to_have_title(re.compile("^【请答题】"))


def test_a_question_that_the_browser_closes_comes_back(
    player: Page, dialog: Locator, settings: Any
):
    """Android's back closes a dialog, whatever the page says to it."""
    # No report of the rhythm brings the question back.
    settings.LEARNING = settings.LEARNING | {"beat_seconds": 100}
    player.reload()
    with player.expect_response("**/learning/beat/"):
        play(player)
    # The second report is that of the pause.
    with player.expect_response("**/learning/beat/"):
        expect(dialog).to_be_visible()

    player.evaluate("document.getElementById('prompt').close()")

    expect(dialog).to_be_visible()
    answer_by_keyboard(player)
    expect(dialog).to_be_hidden()
    assert Prompt.objects.get().outcome == Prompt.Outcome.RIGHT
    expect(player.locator("video")).to_have_js_property("paused", False)


def test_who_had_paused_stays_paused_after_the_answer(
    player: Page, dialog: Locator, settings: Any
):
    """The report of the pause may be the one that a question follows."""
    settings.LEARNING = settings.LEARNING | {"beat_seconds": 100}
    PersonClock.objects.update(until_prompt_ms=1000)
    player.reload()
    play(player)
    wait_until(
        player,
        lambda: player.evaluate("document.querySelector('video').currentTime > 1.5"),
    )
    assert dialog.is_hidden()
    player.evaluate("document.querySelector('video').pause()")
    expect(dialog).to_be_visible()

    answer_by_keyboard(player)

    expect(dialog).to_be_hidden()
    expect(player.locator("[data-status]")).to_have_text("已暂停")
    expect(player.locator("video")).to_have_js_property("paused", True)


def test_a_browser_without_dialogs_shows_none_before_it_is_time(player: Page):
    shown = player.evaluate(
        """() => ["prompt", "keys-help"].map((name) => {
            const plain = document.createElement("old-dialog");
            plain.className = name;
            document.body.append(plain);
            return getComputedStyle(plain).display;
        })"""
    )

    assert shown == ["none", "none"]


def test_an_old_web_view_keeps_the_focus_in_the_dialog(player: Page, dialog: Locator):
    player.evaluate("document.getElementById('prompt').showModal = undefined")
    play(player)
    expect(dialog.locator("input[name=option]").first).to_be_focused()

    stops = []
    for _ in range(4):
        player.keyboard.press("Tab")
        stops.append(
            player.evaluate("document.activeElement.closest('dialog') !== null")
        )

    assert stops == [True] * 4


def test_at_twice_the_size_everything_can_be_reached(player: Page, dialog: Locator):
    """1280 by 720 at 200 % leaves 640 by 360."""
    player.set_viewport_size({"width": 640, "height": 360})
    play(player)
    expect(dialog).to_be_visible()

    button = dialog.get_by_role("button", name="提交答案")
    button.scroll_into_view_if_needed()

    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 360
    assert player.evaluate("document.documentElement.scrollWidth") == 640
