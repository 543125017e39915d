"""The red round button on a phone and inside WeChat: in reach, and in nobody's way."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tests.factories.accounts import UserFactory
from tests.factories.learning import enrol, make_study_plan

pytestmark = pytest.mark.django_db(transaction=True)
PHONE, DESK = (390, 844), (1280, 900)
WECHAT = "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile MicroMessenger/8.0.50"
PAGES = ("/space/", "/training/", "/training/p/", "/orders/", "/certificates/")


@pytest.fixture
def open_page(
    browser: Browser,
    browser_context_args: dict[str, Any],
    client_of: Callable[[Any], Client],
    live_server: Any,
) -> Any:
    """A function that gives a page of this size in which a learner is logged in."""
    person = UserFactory(with_profile=True)
    enrol(person, make_study_plan(code="p"))
    session = client_of(person).cookies["sessionid"].value
    contexts = []

    def open_page(size: tuple[int, int], **changed: Any) -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(
            **(browser_context_args | {"viewport": viewport} | changed)
        )
        contexts.append(context)
        context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


def overlaps(page: Page, one: str, other: str) -> bool:
    """Whether two things on the page cover each other by a pixel."""
    found: bool = page.evaluate(
        """([one, other]) => {
          const [a, b] = [one, other].map(
            (name) => document.querySelector(name).getBoundingClientRect());
          return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
        }""",
        [one, other],
    )
    return found


def test_a_phone_has_it_at_the_lower_right_of_every_page(open_page: Any) -> None:
    page = open_page(PHONE)

    for path in PAGES:
        page.goto(path)
        button = page.locator(".return-button")
        expect(button).to_be_in_viewport()
        box = button.bounding_box()
        assert (box["width"], box["height"]) == (64, 64)
        assert box["x"] + 64 > 350
        assert box["y"] + 64 > 800
        assert not overlaps(page, ".return-button", ".side-bar")
        # At the end of the page it covers nothing that is read.
        page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        assert not overlaps(page, ".return-button", ".foot-legal p:last-child")


def test_it_is_reached_by_keyboard_and_leads_back(open_page: Any) -> None:
    page = open_page(PHONE)
    page.goto("/training/p/")
    # The last thing before it in the page.
    page.locator("main a").last.focus()

    page.keyboard.press("Tab")

    expect(page.locator(".return-button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="课程培训", level=1)).to_be_visible()


def test_a_desk_has_it_inside_wechat_only(open_page: Any) -> None:
    plain, wechat = open_page(DESK), open_page(DESK, user_agent=WECHAT)
    for page in (plain, wechat):
        page.goto("/training/p/")

    expect(plain.locator(".return-button")).to_be_hidden()
    expect(wechat.locator(".return-button")).to_be_in_viewport()
    assert not overlaps(wechat, ".return-button", ".side-bar")
