"""The browser fixtures themselves: they must notice what they are there to notice."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_page_without_fault_passes(page: Page, page_problems: list[str]):
    page.goto("/verify/")

    expect(page.locator("body")).to_be_visible()
    assert page_problems == []


def test_an_inline_script_is_blocked_and_noticed(page: Page, page_problems: list[str]):
    page.goto("/verify/")

    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = '1';"
        " document.body.append(s); }"
    )
    wait_until(page, lambda: len(page_problems) == 2)

    assert sorted(problem.split()[0] for problem in page_problems) == [
        "console:",
        "script-src-elem",
    ]
    page_problems.clear()


def test_an_error_of_a_script_is_noticed(page: Page, page_problems: list[str]):
    page.goto("/verify/")

    page.evaluate("() => { setTimeout(() => { throw new Error('planted'); }); }")
    wait_until(page, lambda: len(page_problems) == 1)

    assert ["planted" in problem for problem in page_problems] == [True]
    page_problems.clear()


def test_the_missing_page_looks_friendly(
    page: Page, expected_console_errors: list[str]
):
    expected_console_errors += ["404"]
    page.goto("/no-such-page/")

    expect(page.get_by_role("heading")).to_have_text("您访问的页面不存在")
    expect(page.locator(".error-reference code")).to_have_text(
        re.compile(r"^[0-9A-F]{12}$")
    )
