"""What a learner does at the player, whatever the machine's speed."""

from playwright.sync_api import Locator, Page, expect


def watch_until(page: Page, *goals: Locator, timeout: float | None = None) -> None:
    """Watch until one of the goals is in sight, and what was not credited once more.

    The server's clock starts when the first report arrives: where that takes long, the end
    of a short chapter is reached with more than the allowed twentieth missing.
    """
    rest = page.get_by_role("button", name="补看未学习部分")
    sight = rest
    for goal in goals:
        sight = sight.or_(goal)
    while True:
        expect(sight.first).to_be_visible(timeout=timeout)
        if any(goal.is_visible() for goal in goals):
            return
        rest.click()
