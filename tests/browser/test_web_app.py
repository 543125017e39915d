"""The portal as an installed app: Chromium's own verdict, and what is left without a network."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from portal import web_app
from tests.factories.accounts import UserFactory
from tests.factories.learning import enrol, make_study_plan

pytestmark = pytest.mark.django_db(transaction=True)
READY = "() => navigator.serviceWorker.ready.then(() => true)"
OFFLINE = "当前处于离线状态"


@pytest.fixture
def app(
    browser: Browser, live_server: LiveServer, browser_context_args: dict[str, Any]
) -> Iterator[BrowserContext]:
    """A phone on which service workers may run."""
    arguments = browser_context_args | {
        "service_workers": "allow",
        "viewport": {"width": 390, "height": 844},
    }
    context = browser.new_context(**arguments)
    yield context
    context.close()


@pytest.fixture
def page(app: BrowserContext) -> Page:
    return app.new_page()


@pytest.fixture
def log_in(app: BrowserContext, client_of: Callable[[Any], Client], live_server: Any):
    def log_in(person: Any) -> None:
        session = client_of(person).cookies["sessionid"].value
        app.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )

    return log_in


def list_kept(page: Page) -> list[str]:
    """Paths of everything that any cache of this site holds."""
    kept: list[str] = page.evaluate(
        """async () => {
          const found = [];
          for (const name of await caches.keys()) {
            for (const request of await (await caches.open(name)).keys()) {
              found.push(new URL(request.url).pathname);
            }
          }
          return found;
        }"""
    )
    return kept


def test_chromium_finds_nothing_wrong_with_the_manifest(page: Page) -> None:
    page.goto("/plans/")
    assert page.evaluate(READY)
    tools = page.context.new_cdp_session(page)

    told = tools.send("Page.getAppManifest")
    errors = tools.send("Page.getInstallabilityErrors")["installabilityErrors"]

    assert told["errors"] == []
    assert told["url"].endswith("/manifest.webmanifest")
    # A context of a test is a private window, in which nothing is ever installed.
    assert {each["errorId"] for each in errors} <= {"in-incognito"}


def test_logging_out_leaves_no_page_of_ones_own(page: Page, log_in: Any) -> None:
    person = UserFactory(name="赵一", with_profile=True)
    plan = enrol(person, make_study_plan()).plan
    log_in(person)
    own = ("/space/", "/training/", f"/training/{plan.code}/", "/orders/")
    for path in own:
        page.goto(path)
    assert page.evaluate(READY)
    page.reload()
    files = set(list_kept(page))
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("link", name="登录", exact=True)).to_be_visible()

    page.context.set_offline(True)

    for path in own:
        # One that is told of the network at this moment opens its own address again.
        tab = page.context.new_page()
        tab.goto(path)
        expect(tab.get_by_role("heading", name=OFFLINE)).to_be_visible()
        expect(tab).to_have_url(re.compile(re.escape(path) + "$"))
        expect(tab.get_by_text("赵一")).to_have_count(0)
        tab.close()
    page.go_back()
    expect(page.get_by_role("heading", name=OFFLINE)).to_be_visible()
    assert files == {
        "/offline/",
        *(f"/static/{name}" for name in web_app.OFFLINE_FILES),
    }


def test_the_page_comes_back_with_the_network(page: Page) -> None:
    page.goto("/plans/")
    assert page.evaluate(READY)
    page.reload()
    page.context.set_offline(True)
    page.goto("/help/")
    expect(page.get_by_role("heading", name=OFFLINE)).to_be_visible()
    # Drawn as it is online: its style sheets and the emblem are there.
    assert page.evaluate("() => getComputedStyle(document.body).display") == "flex"
    width = page.locator(".brand img").evaluate("image => image.naturalWidth")
    assert width > 0

    page.context.set_offline(False)

    expect(page.get_by_role("heading", name="帮助中心")).to_be_visible()


def test_the_switch_removes_worker_and_cache(page: Page, settings: Any) -> None:
    page.goto("/plans/")
    assert page.evaluate(READY)
    settings.SERVICE_WORKER = False

    page.evaluate(
        """async () => {
          const registration = await navigator.serviceWorker.getRegistration();
          await fetch("/sw.js", { cache: "reload" });
          await registration.update();
        }"""
    )

    gone = "() => navigator.serviceWorker.getRegistration().then((found) => !found)"
    for _ in range(50):
        if page.evaluate(gone):
            break
        page.wait_for_timeout(100)
    assert page.evaluate(gone)
    assert list_kept(page) == []


def test_the_hint_can_be_put_away_for_good(page: Page, log_in: Any) -> None:
    log_in(UserFactory(with_profile=True))
    offer = (
        "() => dispatchEvent(new Event('beforeinstallprompt', { cancelable: true }))"
    )
    hint = page.get_by_role("complementary", name="把人社培训放到桌面")
    page.goto("/space/")
    expect(hint).to_be_hidden()
    page.evaluate(offer)
    expect(hint).to_be_visible()

    hint.get_by_role("button", name="不再提示").click()

    expect(hint).to_be_hidden()
    page.reload()
    page.evaluate(offer)
    expect(hint).to_be_hidden()
