"""Pages that sleep: frozen by the system, kept by the browser's back, slowed in the background."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, Route, expect

from learning.models import ChapterProgress, Enrolment, PersonClock, PlaySession
from tests.browser.learner import watch_until
from tests.browser.player_page import play, player_url, run
from tests.browser.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SLOW_TIMERS = """
const ticking = window.setInterval;
window.setInterval = (act, pause, ...rest) => ticking(act, Math.max(pause, 60000), ...rest);
"""


@pytest.fixture
def kept(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    browser_context_args: dict[str, Any],
    whole_chromium: str,
    enrolment: Enrolment,
    log_in: Any,
) -> Iterator[Page]:
    """The player in a browser that keeps pages for its back button; Playwright's does not."""
    browser = browser_type.launch(
        **browser_type_launch_args | {"executable_path": whole_chromium},
        ignore_default_args=["--disable-back-forward-cache"],
    )
    page = browser.new_context(**browser_context_args).new_page()
    # Browsers differ in whether they keep a page that is not to be stored; Chromium does not.
    page.route(re.compile("/(training|learning)/"), allow_storing)
    log_in(page.context, enrolment.person)
    page.goto(player_url(enrolment.plan))
    yield page
    browser.close()


def allow_storing(route: Route) -> None:
    answer = route.fetch()
    headers = {**answer.headers, "cache-control": "no-cache"}
    route.fulfill(response=answer, headers=headers)


class HiddenPage:
    """A page of Chromium's own, spoken to by its protocol alone.

    Playwright has all of its pages believe that they are in view, and such a page is not
    frozen.
    """

    def __init__(self, page: Page, browser: Browser) -> None:
        self._page = page
        self._session = browser.new_browser_cdp_session()
        self._answers: dict[int, dict[str, Any]] = {}
        self._session.on("Target.receivedMessageFromTarget", self._note)
        self._number = 0
        target = self._session.send("Target.createTarget", {"url": "about:blank"})
        attached = self._session.send(
            "Target.attachToTarget",
            {"targetId": target["targetId"], "flatten": False},
        )
        self._id = attached["sessionId"]

    def _note(self, event: dict[str, Any]) -> None:
        message = json.loads(event["message"])
        self._answers[message.get("id", 0)] = message

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        self._session.send(
            "Target.sendMessageToTarget",
            {"sessionId": self._id, "message": json.dumps(message)},
        )
        wait_until(self._page, lambda: self._number in self._answers)
        result: dict[str, Any] = self._answers[self._number]["result"]
        return result

    def run(self, script: str) -> Any:
        answer = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, userGesture=True
        )
        return answer["result"].get("value")


@pytest.fixture
def hidden(
    page: Page,
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
) -> Iterator[HiddenPage]:
    """In a browser of its own, which hangs up at the end."""
    browser = browser_type.launch(**browser_type_launch_args)
    yield HiddenPage(page, browser)
    browser.close()


def test_a_frozen_page_goes_on_in_the_same_session(
    page: Page,
    hidden: HiddenPage,
    enrolment: Enrolment,
    log_in: Any,
    live_server: Any,
):
    """A call inside WeChat, a phone in the pocket: all scripts stand still, the film too."""
    log_in(page.context, enrolment.person)
    for cookie in page.context.cookies():
        hidden.send(
            "Network.setCookie",
            name=cookie["name"],
            value=cookie["value"],
            url=live_server.url,
        )
    hidden.send("Page.navigate", url=live_server.url + player_url(enrolment.plan))
    wait_until(page, lambda: hidden.run("Boolean(window.videojs?.getPlayer('player'))"))
    hidden.run("document.querySelector('video').play().then(() => true)")
    wait_until(page, lambda: PersonClock.objects.filter(sequence__gte=2).exists())

    hidden.send("Page.setWebLifecycleState", state="frozen")
    page.wait_for_timeout(500)
    asleep = PersonClock.objects.get()
    page.wait_for_timeout(3_000)
    assert PersonClock.objects.get().sequence == asleep.sequence
    hidden.send("Page.setWebLifecycleState", state="active")

    at = hidden.run("document.querySelector('video').currentTime") * 1000
    wait_until(page, lambda: ChapterProgress.objects.get().position_ms >= at - 100)
    assert ChapterProgress.objects.get().position_ms >= at - 100
    assert hidden.run("document.querySelector('[data-notice]').hidden") is True
    hidden.run("document.querySelector('video').play().then(() => true)")
    wait_until(page, lambda: PersonClock.objects.get().sequence > asleep.sequence + 2)
    assert PersonClock.objects.get().sequence > asleep.sequence + 2
    assert PersonClock.objects.get().session == asleep.session
    assert PlaySession.objects.count() == 1


def test_timers_that_the_browser_slows_down_cost_nothing(
    page: Page, enrolment: Enrolment, log_in: Any
):
    """Chromium lets those of a silent page in the background through once a minute."""
    page.add_init_script(SLOW_TIMERS)
    log_in(page.context, enrolment.person)
    page.goto(player_url(enrolment.plan))
    play(page)

    wait_until(page, lambda: PersonClock.objects.filter(sequence__gte=2).exists())

    assert PersonClock.objects.get().sequence >= 2
    assert run(page, "return video.ended") is False


def test_a_page_that_was_kept_goes_on_where_it_was(kept: Page):
    play(kept)
    expect(kept.locator("[data-pending]")).not_to_have_text("00:00")
    kept.evaluate("window.isKept = true")
    kept.goto("/training/")
    wait_until(kept, PlaySession.objects.filter(ended_at__isnull=False).exists)
    left_at = ChapterProgress.objects.get().position_ms

    # It is shown, not loaded.
    kept.go_back(wait_until="commit")

    expect(kept.locator("[data-status]")).to_have_text("已暂停")
    assert kept.evaluate("window.isKept") is True
    expect(kept.locator("[data-notice]")).to_be_hidden()
    assert abs(run(kept, "return video.currentTime") * 1000 - left_at) < 500
    run(kept, "video.play();")
    watch_until(kept, kept.locator("[data-done]"))
    assert PlaySession.objects.count() == 2
