from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import CalendarDay, Message
from accounts.services.messages import send_message
from catalog.models import Video
from certificates.models import Certificate
from portal.staff_queries import CACHE_SECONDS, count_figures, read_figures
from portal.support.models import Conversation
from tests.factories.accounts import UserFactory, make_phone
from tests.factories.catalog import VideoFactory
from tests.factories.learning import EnrolmentFactory
from tests.factories.orders import OrderFactory

pytestmark = pytest.mark.django_db
# One for each table that is counted.
FIGURE_QUERIES = 19


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


def test_failed_messages_of_a_week_are_counted(now: datetime) -> None:
    week = timedelta(days=7)
    for moment, state in (
        (now - week, "failed"),
        (now - week - timedelta(seconds=1), "failed"),
        (now, "waiting"),
    ):
        message = send_message(
            channel="sms",
            recipient=make_phone(1),
            template="password_changed",
            context={},
            now=moment,
        )
        Message.objects.filter(pk=message.pk).update(state=state)

    assert count_figures(now=now)["messages"] == 1


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


@pytest.mark.usefixtures("working_calendar")
def test_whoever_keeps_the_calendar_is_told_of_a_year_that_is_missing(
    staff: Any, client_of: Callable[[Any], Client]
) -> None:
    CalendarDay.objects.all().delete()
    clerk = UserFactory(name="吴六", is_staff=True)
    words = f"{timezone.localdate().year}年的节假日安排尚未录入"
    calendar = reverse("admin:accounts_calendarday_changelist")

    page = client_of(staff).get(reverse("admin:index")).content.decode()
    other = client_of(clerk).get(reverse("admin:index")).content.decode()

    assert words in page
    assert f'<a href="{calendar}">录入节假日与调休</a>' in page
    assert words not in other


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


def test_filters_stand_before_the_list_and_are_read_in_that_order(
    staff: Any, client_of: Callable[[Any], Client]
) -> None:
    html = client_of(staff).get(reverse("admin:accounts_unit_changelist"))

    page = html.content.decode()
    assert page.count('id="changelist-filter"') == 1
    places = [
        page.index(mark)
        for mark in ('id="searchbar"', 'id="changelist-filter"', 'id="changelist-form"')
    ]
    assert places == sorted(places)


def test_a_filter_that_is_set_can_be_taken_away(
    staff: Any, client_of: Callable[[Any], Client]
) -> None:
    url = reverse("admin:accounts_unit_changelist")
    client = client_of(staff)

    assert "清除所有筛选" not in client.get(url).content.decode()
    page = client.get(url, {"is_active__exact": "1"}).content.decode()
    assert "清除所有筛选" in page
    assert 'aria-current="true">是</a>' in page


def test_the_page_of_an_app_greets_nobody_by_halves(
    staff: Any, client_of: Callable[[Any], Client]
) -> None:
    page = client_of(staff).get(reverse("admin:app_list", args=["accounts"]))

    html = page.content.decode()
    assert "您好" not in html
    assert "Model name" not in html


def test_the_title_of_a_form_with_errors_is_chinese(
    staff: Any, client_of: Callable[[Any], Client]
) -> None:
    page = client_of(staff).post(reverse("admin:content_hotline_add"), {})

    assert "<title>有误：增加 咨询方式 | 管理后台</title>" in page.content.decode()


def test_the_title_of_a_refused_login_is_chinese() -> None:
    page = Client().post(reverse("admin:login"), {"username": "x", "password": "y"})

    assert "<title>有误：登录 | 管理后台</title>" in page.content.decode()
