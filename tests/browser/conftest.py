"""Chromium on the live server: Chinese, strict CSP, nothing wrong in the console.

Traps, each seen: `page.wait_for_function` uses eval and fails under the CSP (poll with
`expect` or `page.evaluate`); a toast over a button blocks its click; the live server's own
media route knows no Range requests, so videos go through the portal's view.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect
from playwright.sync_api import Error as PlaywrightError
from pytest_django.live_server_helper import LiveServer

from tests.browser.patient_server import PatientServer

# Playwright's sync API runs an event loop in this thread; Django would refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
# As long as Playwright waits with a click: machines have other things to do.
expect.set_options(timeout=30_000)

PROJECT = Path(__file__).resolve().parent.parent.parent
SCREENSHOTS = PROJECT / "var/test-screenshots"
# The same engine without windows, which Chromium draws unseen: half the work for a page.
SHELL_NAMES = ("chromium-headless-shell",)
CHROMIUM_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
WATCH_VIOLATIONS = """
addEventListener("securitypolicyviolation", event => window.reportViolation(
  `${event.violatedDirective} ${event.blockedURI} at ${location.pathname}`));
"""


def find_chromium(*names: str) -> str:
    """Return the program of Chromium: $CHROMIUM, or the first of these names in PATH."""
    named = os.environ.get("CHROMIUM", "")
    found = next(filter(None, map(shutil.which, (named, *names))), None)
    if found is None:
        pytest.fail(
            "找不到 Chromium：请先运行 script/bootstrap，或用 CHROMIUM 指定路径"
        )
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        item.stash[failed_key] = True
    return report


failed_key = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": find_chromium(*SHELL_NAMES, *CHROMIUM_NAMES),
        "args": [
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            # Nothing but this machine can be reached, whatever a page asks for.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        ],
    }


@pytest.fixture(scope="session")
def whole_chromium() -> str:
    """The program with all that the shell leaves out, such as pages kept for its back button."""
    return find_chromium(*CHROMIUM_NAMES)


@pytest.fixture(scope="session")
def _patient_server() -> None:
    LiveServerThread.server_class = PatientServer


@pytest.fixture(scope="session")
def live_server(_patient_server: None, live_server: LiveServer) -> LiveServer:
    return live_server


@pytest.fixture(autouse=True)
def _silence_at_the_end(
    transactional_db: None, live_server: LiveServer
) -> Iterator[None]:
    """Made after the database and before the pages, so ended between them."""
    yield
    live_server.thread.httpd.wait_for_silence()


@pytest.fixture
def browser_context_args(
    browser_context_args: dict[str, Any], live_server: LiveServer
) -> dict[str, Any]:
    return {
        **browser_context_args,
        "locale": "zh-CN",
        "timezone_id": "Asia/Shanghai",
        "base_url": live_server.url,
        # Requests that a worker makes pass by what tests do to the network.
        "service_workers": "block",
    }


@pytest.fixture
def expected_console_errors() -> list[str]:
    """Patterns of console errors that the test provokes on purpose; append to it."""
    return []


@pytest.fixture
def page_problems() -> list[str]:
    """What went wrong in the pages so far: CSP violations, console errors, script errors."""
    return []


@pytest.fixture
def context(
    context: BrowserContext,
    request: pytest.FixtureRequest,
    expected_console_errors: list[str],
    page_problems: list[str],
) -> Iterator[BrowserContext]:
    problems = page_problems

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(f"console: {message.text} ({message.location.get('url')})")

    context.expose_binding(
        "reportViolation", lambda _source, text: problems.append(text)
    )
    context.add_init_script(WATCH_VIOLATIONS)
    context.on("console", note_console)
    context.on("weberror", lambda error: problems.append(f"script: {error.error}"))
    yield context
    let_reports_arrive(context.pages)
    if request.node.stash.get(failed_key, False):
        save_screenshots(request.node.nodeid, context.pages)
    unexpected = [
        problem
        for problem in problems
        if not any(re.search(pattern, problem) for pattern in expected_console_errors)
    ]
    assert unexpected == []


def let_reports_arrive(pages: list[Page]) -> None:
    """The browser reports a violation in a task of its own, after what caused it."""
    for page in pages:
        # A page that is just being left has nothing more to say.
        with suppress(PlaywrightError):
            page.evaluate("() => new Promise(done => setTimeout(done, 0))")


def save_screenshots(nodeid: str, pages: list[Page]) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w]+", "-", nodeid).strip("-")
    for number, page in enumerate(pages, start=1):
        page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png", full_page=True)


# --- The player's page; models are imported late: Django is not ready when this is read. -----


@pytest.fixture(scope="session")
def clip() -> Iterator[Path]:
    """A film of six seconds, made once."""
    from tests.browser.player_page import draw_clip

    with tempfile.TemporaryDirectory(prefix="clip-") as folder:
        path = Path(folder) / "video.mp4"
        draw_clip(path)
        yield path


@pytest.fixture(scope="session")
def stream_files(clip: Path) -> Path:
    """The same film as HLS in two qualities, made once."""
    from tests.browser.player_page import cut_stream

    folder = clip.parent / "stream"
    folder.mkdir()
    cut_stream(clip, folder)
    return folder


@pytest.fixture
def plan(clip: Path, settings: Any) -> Any:
    """A plan of today with one course of two chapters; beats come every second."""
    from tests.browser.player_page import make_playable_plan

    settings.LEARNING = settings.LEARNING | {
        "beat_seconds": 1,
        "first_prompt_seconds": 1000,
    }
    return make_playable_plan(clip)


@pytest.fixture
def enrolment(owner: Any, plan: Any) -> Any:
    from tests.factories.learning import enrol

    return enrol(owner, plan)


@pytest.fixture
def log_in(client_of: Any, live_server: LiveServer) -> Any:
    def give_cookie(context: BrowserContext, person: Any) -> None:
        name = django_settings.SESSION_COOKIE_NAME
        value = client_of(person).cookies[name].value
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])

    return give_cookie


@pytest.fixture
def player(page: Page, enrolment: Any, log_in: Any) -> Page:
    """The page of the first chapter, with the owner logged in."""
    from tests.browser.player_page import player_url

    log_in(page.context, enrolment.person)
    page.goto(player_url(enrolment.plan))
    return page
