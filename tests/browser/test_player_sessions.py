"""What the player makes of answers that come late, and of sessions that end."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from accounts.services.sessions import begin_session
from catalog.models import Chapter
from learning.models import Enrolment, PersonClock, PlaySession, Prompt
from learning.services import open_session
from tests.browser.learner import watch_until
from tests.browser.player_page import play, run
from tests.browser.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BEAT = "**/learning/beat/"
RUN_OUT = (
    "() => window.videojs.getPlayer('player')"
    ".src({ src: '/video/ran-out/video.mp4', type: 'video/mp4' })"
)


@pytest.fixture
def dialog(player: Page) -> Locator:
    return player.get_by_role("dialog", name="学习确认")


@pytest.fixture
def asked(player: Page, dialog: Locator, enrolment: Enrolment) -> Page:
    """The page with a question in front of the learner."""
    PersonClock.objects.create(person=enrolment.person, until_prompt_ms=0)
    play(player)
    expect(dialog.locator("input[name=option]").first).to_be_visible()
    return player


def open_elsewhere(enrolment: Enrolment) -> None:
    """Another device of the same login goes on with the other chapter."""
    open_session(
        person=enrolment.person,
        enrolment=enrolment,
        chapter=Chapter.objects.get(position=2),
        login=PersonClock.objects.get().login,
        position_ms=0,
        clock=timezone.now,
    )


def hold_one(page: Page, keep: Callable[[Route], Any]) -> list[Any]:
    """What `keep` makes of the next report, which is not answered; the others are."""
    held: list[Any] = []

    def give(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(keep(route))

    page.route(BEAT, give)
    return held


def plays_on(page: Page) -> bool:
    """Whether the film itself plays, not what stands at an address that ran out."""
    return bool(
        run(
            page,
            "return !video.paused && video.readyState > 2"
            " && !video.currentSrc.includes('ran-out')",
        )
    )


def answer_right(dialog: Locator) -> None:
    right = Prompt.objects.get(closed_at__isnull=True).correct_option
    dialog.locator(f"input[value='{right}']").check()
    dialog.get_by_role("button", name="提交答案").click()


# --- Answers that come late ----------------------------------------------------------------
def test_an_answer_to_a_session_that_was_left_does_not_end_the_next(
    player: Page, enrolment: Enrolment, expected_console_errors: list[str]
):
    expected_console_errors += ["409", "ERR_FAILED", "Failed to fetch"]
    play(player)
    expect(player.locator("[data-pending]")).not_to_have_text("00:00")
    held = hold_one(player, lambda route: route)
    wait_until(player, lambda: len(held) == 1)

    # A page that is kept while another is shown, and comes back.
    player.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    wait_until(player, PlaySession.objects.filter(ended_at__isnull=False).exists)
    player.evaluate(
        "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    )
    wait_until(player, lambda: PlaySession.objects.count() == 2)
    held[0].fulfill(
        status=409, json={"error": "taken_over", "message": "您已在其他窗口学习"}
    )

    watch_until(player, player.locator("[data-done]"))
    assert PlaySession.objects.count() == 2


def test_an_answer_from_before_the_learners_own_does_not_ask_again(
    asked: Page, dialog: Locator
):
    """A slow line: the report went out before the answer, what it was told comes after."""
    late = hold_one(asked, lambda route: (route, route.fetch()))
    wait_until(asked, lambda: len(late) == 1)
    answer_right(dialog)
    expect(dialog).to_be_hidden()

    route, answer = late[0]
    assert answer.json()["prompt"]["code"] == Prompt.objects.get().code
    with asked.expect_response(BEAT):
        route.fulfill(response=answer)

    watch_until(asked, asked.locator("[data-done]"))
    expect(dialog).to_be_hidden()


# --- Other addresses -----------------------------------------------------------------------
def test_what_was_played_until_an_address_ran_out_counts(
    player: Page, settings: Any, expected_console_errors: list[str]
):
    expected_console_errors += ["404", "MEDIA_ERR"]
    settings.LEARNING = settings.LEARNING | {"beat_seconds": 100}
    player.reload()
    play(player)
    wait_until(player, lambda: run(player, "return video.currentTime > 2"))

    player.evaluate(RUN_OUT)

    wait_until(player, lambda: PlaySession.objects.count() == 2)
    first = PlaySession.objects.order_by("opened_at").first()
    assert first is not None
    assert first.credited_ms > 1_000
    watch_until(player, player.locator("[data-done]"))


def test_addresses_are_renewed_whatever_the_devices_clock_says(
    player: Page, expected_console_errors: list[str]
):
    expected_console_errors += ["404", "MEDIA_ERR"]
    play(player)
    expect(player.locator("[data-pending]")).not_to_have_text("00:00")
    player.evaluate(RUN_OUT)
    # It plays on until the player has taken the address over.
    wait_until(player, lambda: PlaySession.objects.count() == 2 and plays_on(player))

    player.evaluate(
        """() => {
            const [day, since] = [Date.now.bind(Date), performance.now.bind(performance)];
            Date.now = () => day() - 3600000;
            performance.now = () => since() + 60000;
        }"""
    )
    player.evaluate(RUN_OUT)

    wait_until(player, lambda: PlaySession.objects.count() == 3)
    assert PlaySession.objects.count() == 3
    watch_until(player, player.locator("[data-done]"))


def test_a_hint_makes_way_whatever_the_devices_clock_says(player: Page):
    play(player)
    expect(player.locator("[data-pending]")).not_to_have_text("00:00")
    run(player, "video.playbackRate = 2;")
    expect(player.locator("[data-status]")).to_have_text("未学部分按 1 倍速计时")

    player.evaluate("() => { const day = Date.now(); Date.now = () => day - 3600000; }")

    expect(player.locator("[data-status]")).not_to_have_text("未学部分按 1 倍速计时")


# --- Ended in the midst of a question ------------------------------------------------------
def test_a_takeover_takes_the_question_away(
    asked: Page,
    dialog: Locator,
    enrolment: Enrolment,
    expected_console_errors: list[str],
):
    expected_console_errors += ["409"]
    open_elsewhere(enrolment)

    notice = asked.locator("[data-notice]")
    expect(notice).to_contain_text("其他窗口或设备")
    expect(dialog).to_be_hidden()
    expect(asked).not_to_have_title(re.compile("请答题"))
    notice.get_by_role("button", name="在此继续学习").click()

    # The question hangs on the person: it comes along.
    expect(dialog).to_be_visible()
    answer_right(dialog)
    expect(dialog).to_be_hidden()
    assert Prompt.objects.get().outcome == Prompt.Outcome.RIGHT


def test_a_login_that_ends_during_a_question_leads_to_the_login(
    asked: Page,
    dialog: Locator,
    enrolment: Enrolment,
    expected_console_errors: list[str],
):
    expected_console_errors += ["401"]
    asked.locator(".vjs-fullscreen-control").evaluate("each => each.click()")
    begin_session(
        person=enrolment.person,
        user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/126.0",
        address="",
        at_a_time=1,
        now=timezone.now(),
    )

    asked.locator("[data-notice]").get_by_role("link", name="重新登录").click()

    expect(asked.get_by_text("本机已退出")).to_be_visible()


def test_a_session_that_ends_leaves_the_full_screen(
    player: Page, enrolment: Enrolment, expected_console_errors: list[str]
):
    expected_console_errors += ["409"]
    player.locator(".vjs-big-play-button").focus()
    player.keyboard.press("f")
    expect(player.locator("#player.vjs-fullscreen")).to_be_visible()
    player.keyboard.press("k")
    expect(player.locator("[data-pending]")).not_to_have_text("00:00")

    open_elsewhere(enrolment)

    expect(player.locator("[data-notice]")).to_contain_text("其他窗口或设备")
    assert player.evaluate("document.fullscreenElement") is None


def test_a_question_outlives_the_session_in_which_it_was_put(
    asked: Page,
    dialog: Locator,
    settings: Any,
    expected_console_errors: list[str],
):
    """The page slept until the sweep closed its session; the answer goes to another one."""
    expected_console_errors += ["409"]
    settings.LEARNING = settings.LEARNING | {"prompt_answer_seconds": 600}
    PlaySession.objects.update(ended_at=timezone.now(), end=PlaySession.End.IDLE)
    PersonClock.objects.update(session="")

    wait_until(asked, lambda: PlaySession.objects.count() == 2)
    answer_right(dialog)

    expect(dialog).to_be_hidden()
    assert Prompt.objects.get().outcome == Prompt.Outcome.RIGHT
