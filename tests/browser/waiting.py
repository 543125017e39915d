"""Waiting for what Playwright's `expect` cannot see: rows, and lists of the test's own."""

import time
from collections.abc import Callable

from playwright.sync_api import Page

WAIT_SECONDS = 30


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Let the page go on until `condition` holds; whether it did, the test asserts itself."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition() and time.monotonic() < deadline:
        page.wait_for_timeout(20)
