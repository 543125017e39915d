from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog.models import Video
from certificates.models import Certificate
from portal.staff_queries import CACHE_SECONDS, count_figures, read_figures
from portal.support.models import Conversation
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VideoFactory
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import OrderFactory

pytestmark = pytest.mark.django_db
# One for each table that is counted.
FIGURE_QUERIES = 13


def test_figures_count_since_midnight_in_chongqing(now: datetime) -> None:
    midnight = now.replace(hour=0, minute=0)
    OrderFactory(paid=True, paid_at=midnight, total_fen=3300)
    OrderFactory(paid=True, paid_at=midnight - timedelta(seconds=1), total_fen=9000)
    UserFactory(date_joined=midnight)
    UserFactory(date_joined=midnight, is_staff=True)

    figures = count_figures(now=now)

    assert figures["orders_today"] == 1
    assert figures["orders_today_fen"] == 3300
    assert figures["people_today"] == 1


def test_what_waits_is_counted(now: datetime) -> None:
    for state in (Conversation.State.OPEN, Conversation.State.ANSWERED):
        Conversation.objects.create(
            topic="其他", state=state, started_at=now, updated_at=now
        )
    VideoFactory(state=Video.State.FAILED)
    done = EnrolmentFactory(completed=True)
    Certificate.objects.create(
        number="N1", enrolment=done, person=done.person, issued_at=now
    )

    figures = count_figures(now=now)

    assert (figures["conversations"], figures["videos"]) == (1, 1)
    assert (figures["certificates"], figures["certificates_today"]) == (1, 1)
    assert (figures["enrolments_completed"], figures["enrolments_open"]) == (1, 0)


def test_figures_are_read_once_a_minute(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    minute = timedelta(seconds=CACHE_SECONDS)
    with django_assert_num_queries(FIGURE_QUERIES):
        read_figures(now=now)
    with django_assert_num_queries(0):
        read_figures(now=now + minute - timedelta(seconds=1))
    with django_assert_num_queries(FIGURE_QUERIES):
        read_figures(now=now + minute)


def test_no_figure_of_yesterday_is_shown_after_midnight(now: datetime) -> None:
    midnight = now.replace(hour=0, minute=0)
    OrderFactory(paid=True, paid_at=midnight - timedelta(hours=1))

    assert read_figures(now=midnight - timedelta(seconds=1))["orders_today"] == 1
    assert read_figures(now=midnight)["orders_today"] == 0


def test_the_start_page_is_chinese_and_links_to_what_waits(
    staff: Any, client_of: Callable[[Any], Client], now: datetime
) -> None:
    Conversation.objects.create(topic="其他", started_at=now, updated_at=now)

    html = client_of(staff).get(reverse("admin:index")).content.decode()

    assert "工作台" in html
    assert "周五，您好" in html
    url = reverse("admin:support_conversation_changelist")
    assert f'href="{url}?state__exact=open"' in html


def test_staff_see_only_the_cards_they_may_look_into(
    client_of: Callable[[Any], Client],
) -> None:
    clerk = UserFactory(name="吴六", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_conversation"))

    response = client_of(clerk).get(reverse("admin:index"))

    assert [card.label for card in response.context["waiting"]] == ["待回复咨询"]
    assert (response.context["today"], response.context["totals"]) == ([], [])


def test_a_trainee_is_not_let_in(
    owner: Any, client_of: Callable[[Any], Client]
) -> None:
    response = client_of(owner).get(reverse("admin:index"))

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


def test_no_page_of_the_staff_site_has_inline_style_or_script(
    staff: Any, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(staff)
    pages = [
        reverse("admin:index"),
        reverse("admin:content_article_changelist"),
        reverse("admin:content_article_add"),
        reverse("admin:support_conversation_changelist"),
    ]

    for page in pages:
        html = client.get(page).content.decode()
        assert " style=" not in html
        assert " onclick=" not in html
        assert "<script>" not in html
