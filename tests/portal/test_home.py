from datetime import date, datetime

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.models import Plan, Subject
from portal.queries import PLANS_ON_HOME, get_home
from tests.factories.catalog import PlanFactory
from tests.factories.content import ArticleFactory, DownloadFactory, HotlineFactory

pytestmark = pytest.mark.django_db
# Years, plans, notices, policies, downloads, hotlines; the budget is 12.
HOME_QUERIES = 6
OPEN = {"sale_start": date(2026, 1, 1), "sale_end": date(2026, 12, 31)}


def fill(count: int) -> None:
    for number in range(count):
        PlanFactory(year=2026 - number % 16, **OPEN)
    ArticleFactory.create_batch(count)
    ArticleFactory.create_batch(count, policy=True)
    DownloadFactory.create_batch(count)
    HotlineFactory.create_batch(count)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_home_takes_the_same_queries_for_any_number_of_rows(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    fill(count)

    with django_assert_num_queries(HOME_QUERIES):
        response = client.get(reverse("home"))

    assert response.status_code == 200


def test_years_lead_to_the_plans_of_their_subject(client: Client) -> None:
    PlanFactory(subject=Subject.GENERAL, year=2026, **OPEN)
    PlanFactory(subject=Subject.GENERAL, year=2011, **OPEN)
    PlanFactory(subject=Subject.PROFESSIONAL, year=2025, **OPEN)

    html = client.get(reverse("home")).content.decode()

    assert "/plans/?subject=general&amp;year=2011" in html
    assert "/plans/?subject=professional&amp;year=2025" in html
    assert "/plans/?subject=professional&amp;year=2011" not in html


def test_only_plans_that_can_be_bought_now_are_shown(now: datetime) -> None:
    shown = PlanFactory(year=2026, **OPEN)
    PlanFactory(year=2025, **OPEN)
    PlanFactory(year=2026, is_published=False, **OPEN)
    PlanFactory(year=2026, sale_start=date(2026, 6, 16), sale_end=date(2026, 12, 31))
    PlanFactory(year=2026, sale_start=date(2026, 1, 1), sale_end=date(2026, 6, 14))

    assert get_home(now=now).plans == [shown]


def test_the_first_day_of_a_sale_begins_at_midnight_in_chongqing() -> None:
    plan = PlanFactory(
        year=2026, sale_start=date(2026, 6, 15), sale_end=date(2026, 6, 15)
    )
    before = datetime.fromisoformat("2026-06-14T23:59:59+08:00")
    midnight = datetime.fromisoformat("2026-06-15T00:00:00+08:00")
    last = datetime.fromisoformat("2026-06-15T23:59:59+08:00")

    assert get_home(now=before).plans == []
    assert get_home(now=midnight).plans == [plan]
    assert get_home(now=last).plans == [plan]


def test_plans_announced_for_next_year_do_not_hide_those_on_sale(
    now: datetime,
) -> None:
    current = PlanFactory(year=2026, **OPEN)
    PlanFactory(year=2027, sale_start=date(2026, 12, 1), sale_end=date(2027, 12, 31))

    home = get_home(now=now)

    assert (home.plans, home.plan_year) == ([current], 2026)


def test_the_list_of_plans_is_bounded(now: datetime) -> None:
    PlanFactory.create_batch(PLANS_ON_HOME + 1, year=2026, **OPEN)

    assert len(get_home(now=now).plans) == PLANS_ON_HOME


def test_the_entry_decides_the_words_of_a_plan(client: Client) -> None:
    PlanFactory(entry=Plan.Entry.ONE, sale_end=date(2999, 12, 31))
    assert "立即购买" in client.get(reverse("home")).content.decode()

    Plan.objects.update(entry=Plan.Entry.TWO)
    caches["template_fragments"].clear()
    html = client.get(reverse("home")).content.decode()

    assert "立即购买" not in html
    assert ">报名<" in html


def test_a_visitor_is_offered_registration_and_login(client: Client) -> None:
    html = client.get(reverse("home")).content.decode()

    assert f'href="{reverse("accounts:register")}">注册</a>' in html
    assert f'href="{reverse("accounts:login")}">登录</a>' in html
    assert "进入空间" not in html


def test_names_of_the_site_come_from_the_settings(
    client: Client, settings: Settings
) -> None:
    settings.PORTAL_NAME = "江城人社培训网"
    settings.PORTAL_FILING = "备案号示例"
    settings.PORTAL_SERVICE_PHONE = "400-000-0000"

    html = client.get(reverse("home")).content.decode()

    assert "江城人社培训网" in html
    assert "备案号示例" in html
    assert "400-000-0000" in html


def test_the_page_carries_no_inline_style_or_script(client: Client) -> None:
    fill(3)

    html = client.get(reverse("home")).content.decode()

    assert " style=" not in html
    assert " onclick=" not in html
    assert "<style" not in html
    assert "<script>" not in html
