"""Chapters moved by button, by handle and by number; past years unfold on paper."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from catalog.models import Course
from tests.factories.catalog import ChapterFactory, CourseFactory
from tests.factories.learning import enrol, make_study_plan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log_in(context: BrowserContext, client_of, live_server):
    def act(person) -> None:
        cookie = client_of(person).cookies["sessionid"]
        context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
        )

    return act


@pytest.fixture
def course(db) -> Course:
    course = CourseFactory()
    for position, title in enumerate("甲乙丙", start=1):
        ChapterFactory(course=course, position=position, title=title)
    return course


def titles(page: Page) -> list[str]:
    rows = page.locator(".in-order tr.form-row:not(.empty-form)")
    return [
        rows.nth(index).locator("input[name$='-title']").input_value()
        for index in range(rows.count())
    ]


def test_chapters_are_moved_and_saved(page: Page, log_in, staff, course: Course):
    log_in(staff)
    page.goto(f"/staff/catalog/course/{course.pk}/change/")

    # By the keyboard: the focus stays with the row, and what happened is said.
    down = page.get_by_role("button", name="下移第 1 行")
    down.press("Enter")
    assert titles(page) == ["乙", "甲", "丙"]
    expect(page.get_by_role("button", name="下移第 2 行")).to_be_focused()
    expect(page.get_by_text("已移到第 2 位，保存后生效")).to_be_attached()

    # By the handle, on the pixel grid of the page.
    handles = page.locator(".order-handle")
    handles.nth(2).scroll_into_view_if_needed()
    grip, top = handles.nth(2).bounding_box(), handles.nth(0).bounding_box()
    assert grip
    assert top
    page.mouse.move(grip["x"] + 5, grip["y"] + 5)
    page.mouse.down()
    page.mouse.move(grip["x"] + 5, top["y"] - 5, steps=6)
    page.mouse.up()
    assert titles(page) == ["丙", "乙", "甲"]

    # By a number.
    number = page.locator(".order-number").first
    number.fill("2")
    number.press("Tab")
    assert titles(page) == ["乙", "丙", "甲"]

    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("成功")
    rows = course.chapters.order_by("position").values_list("position", "title")
    assert list(rows) == [(1, "乙"), (2, "丙"), (3, "甲")]


def test_past_years_unfold_for_the_printer(page: Page, log_in, owner):
    enrol(owner, make_study_plan(year=2020))
    log_in(owner)
    page.goto("/space/hours/")
    fold = page.locator("details[data-print-open]")
    expect(fold).to_have_count(1)
    expect(fold).not_to_have_attribute("open", "")

    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    expect(fold).to_have_attribute("open", "")
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    expect(fold).not_to_have_attribute("open", "")
