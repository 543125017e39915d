"""Waiting for what Playwright's `expect` cannot see: rows, and lists of the test's own."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, Route

WAIT_SECONDS = 30


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Let the page go on until `condition` holds; whether it did, the test asserts itself."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition() and time.monotonic() < deadline:
        page.wait_for_timeout(20)


def hold(page: Page, address: re.Pattern[str]) -> list[Route]:
    """What the page asks of `address` from now on, unanswered until the test continues it."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(address, keep)
    return held
