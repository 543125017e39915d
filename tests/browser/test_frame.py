"""The frame of every page and the public pages, at a desk and on a phone."""

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from portal.support import services
from portal.support.models import Conversation
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PlanCourseFactory, PlanFactory
from tests.factories.content import ArticleFactory, DownloadFactory, HotlineFactory

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE = (1280, 900), (390, 844)
PUBLIC_PAGES = (
    *("/", "/notices/", "/notices/long-notice/", "/downloads/", "/help/"),
    *("/help/guide/", "/support/", "/plans/"),
)
LONG_TITLE = (
    "关于开展二〇二六年度专业技术人员继续教育专业科目网络培训有关事项的通知" * 2
)


@pytest.fixture
def content() -> None:
    for entry in (1, 2):
        PlanFactory(
            year=2026,
            entry=entry,
            sale_start=date(2026, 1, 1),
            sale_end=date(2099, 12, 31),
        )
    ArticleFactory(slug="long-notice", title=LONG_TITLE, is_pinned=True)
    ArticleFactory(policy=True, title=LONG_TITLE)
    ArticleFactory(slug="guide", help=True)
    DownloadFactory(title=LONG_TITLE)
    HotlineFactory()


@pytest.fixture
def log_in(page: Page, client_of: Callable[[Any], Client], live_server: Any) -> Any:
    def log_in(person: Any) -> None:
        session = client_of(person).cookies["sessionid"].value
        page.context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )

    return log_in


def resize(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def sideways(page: Page) -> int:
    """How many pixels the page can be scrolled to the right."""
    width: int = page.evaluate(
        "() => document.documentElement.scrollWidth - innerWidth"
    )
    return width


def is_cut_off(element: Locator) -> bool:
    """Whether the element hides a part of its text at the right."""
    cut: bool = element.evaluate("each => each.scrollWidth > each.clientWidth + 1")
    return cut


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_no_public_page_scrolls_sideways(
    page: Page, content: None, size: tuple[int, int]
) -> None:
    resize(page, size)

    for path in PUBLIC_PAGES:
        page.goto(path)
        assert (path, sideways(page)) == (path, 0)


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_personal_space_and_the_staff_site_do_not_scroll_sideways(
    page: Page, log_in: Any, size: tuple[int, int]
) -> None:
    resize(page, size)
    log_in(UserFactory(superuser=True, with_profile=True))

    for path in ("/space/", "/staff/"):
        page.goto(path)
        assert (path, sideways(page)) == (path, 0)


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_titles_of_downloads_are_read_in_full(
    page: Page, content: None, size: tuple[int, int]
) -> None:
    resize(page, size)
    page.goto("/")

    title = page.locator(".files-short a", has_text=LONG_TITLE)

    assert is_cut_off(title) is False


def test_the_way_to_a_course_keeps_its_last_step_on_a_phone(page: Page) -> None:
    resize(page, PHONE)
    plan = PlanFactory(title=LONG_TITLE)
    course = PlanCourseFactory(plan=plan, course__title="专业写作").course
    page.goto(f"/plans/{plan.code}/courses/{course.code}/")

    steps = page.get_by_label("当前位置").get_by_role("listitem")

    expect(steps).to_have_count(4)
    assert [is_cut_off(step) for step in steps.all()] == [False, False, True, False]
    assert sideways(page) == 0


def test_a_file_field_names_the_file_chosen(page: Page) -> None:
    page.goto("/verify/")
    field = page.get_by_label("合格证 PDF 文件")
    name = page.locator("[data-file-name]")
    expect(name).to_have_text("未选择文件")

    field.set_input_files(
        {"name": "证书.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-"}
    )

    expect(name).to_have_text("证书.pdf")


def test_the_verdict_on_a_file_fits_a_phone(page: Page) -> None:
    resize(page, PHONE)
    page.goto("/verify/")
    page.get_by_label("合格证 PDF 文件").set_input_files(
        {"name": "证书.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-"}
    )

    page.get_by_role("button", name="核验电子签章").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("核验未通过")
    assert is_cut_off(page.locator(".verdict")) is False


def test_headings_leave_out_no_level(page: Page, content: None) -> None:
    for path in PUBLIC_PAGES:
        page.goto(path)
        levels: list[int] = page.evaluate(
            "() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')]"
            ".map(heading => Number(heading.tagName[1]))"
        )
        steps = [after - before for before, after in pairwise(levels)]
        assert (path, levels[:1], max(steps, default=0) < 2) == (path, [1], True)


def test_the_way_in_is_at_the_top_right(page: Page) -> None:
    resize(page, DESK)
    page.goto("/")

    for name in ("注册", "登录"):
        box = page.get_by_role("banner").get_by_role("link", name=name).bounding_box()
        assert box is not None
        assert (box["x"] > DESK[0] * 2 / 3, box["y"] < 60) == (True, True)


def test_the_menu_of_a_phone_opens_and_leads_on(page: Page) -> None:
    resize(page, PHONE)
    page.goto("/")
    link = page.get_by_label("主导航").get_by_role("link", name="帮助中心")
    expect(link).to_be_hidden()

    page.get_by_role("button", name="菜单").click()
    link.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("帮助中心")


def test_the_navigation_marks_where_one_is(page: Page, content: None) -> None:
    resize(page, DESK)
    current = page.get_by_label("主导航").locator("[aria-current=page]")

    for path, name in (
        ("/", "首页"),
        ("/plans/?subject=professional&year=2026", "专业科目"),
        ("/notices/long-notice/", "通知公告"),
    ):
        page.goto(path)
        expect(current).to_have_text(name)


def test_the_first_tab_reaches_the_skip_link(page: Page) -> None:
    page.goto("/")

    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_a_year_of_the_learning_centre_leads_to_its_plans(
    page: Page, content: None
) -> None:
    page.goto("/")

    page.get_by_label("公需科目年度").get_by_role("link", name="2026").click()

    expect(page).to_have_url("/plans/?subject=general&year=2026")


def test_an_answer_of_staff_appears_without_reloading(page: Page, staff: Any) -> None:
    page.goto("/support/")
    page.get_by_role("textbox", name="消息").fill("无法登录")
    page.get_by_role("button", name="发送").click()
    expect(page.get_by_role("log")).to_contain_text("无法登录")

    services.answer_conversation(
        conversation_id=Conversation.objects.get().pk,
        text="请重置密码",
        actor=staff,
        now=timezone.now(),
    )

    # The page asks every six seconds.
    expect(page.get_by_role("log")).to_contain_text("请重置密码")


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_short_step_of_the_way_leaves_no_gap(
    page: Page, size: tuple[int, int]
) -> None:
    resize(page, size)
    page.goto("/accounts/password-reset/")
    step = page.get_by_label("当前位置").get_by_role("listitem").nth(1)

    link = step.get_by_role("link", name="登录")

    # The text ends where the step ends, and the next one's slash follows at once.
    ends = [
        each.evaluate("e => e.getBoundingClientRect().right") for each in (link, step)
    ]
    assert abs(ends[0] - ends[1]) < 1


def test_links_of_the_foot_can_be_tapped(page: Page, content: None) -> None:
    resize(page, PHONE)
    page.goto("/help/")

    links = page.get_by_role("contentinfo").get_by_role("listitem").get_by_role("link")

    heights = [link.bounding_box()["height"] for link in links.all()]  # type: ignore[index]
    assert len(heights) == 8
    assert min(heights) >= 30
