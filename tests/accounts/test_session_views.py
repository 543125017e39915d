from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.urls import reverse

from accounts.models import PersonSession
from accounts.services.sessions import begin_session

LIST = reverse("accounts:sessions")
END_OTHERS = reverse("accounts:sessions-end-others")
WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) MicroMessenger/8.0.50"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)
    return time_machine


@pytest.fixture
def here(client_of, owner):
    return client_of(owner)


@pytest.fixture
def phone(owner, now):
    """Another device on which the owner is logged in."""
    return begin_session(
        person=owner,
        user_agent=WECHAT,
        address="203.0.113.77",
        at_a_time=9,
        now=now - HOUR,
    )


def end(session):
    return reverse("accounts:session-end", args=[session.code])


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_this_device_and_the_others_are_told_apart(here, phone):
    response = here.get(LIST)

    html = text(response)
    assert "本机" in html
    assert "微信 · iPhone" in html
    assert "地址 203.0.113.*" in html
    assert response.context["elsewhere"] == [phone]
    assert len(response.context["here"]) == 1
    assert "no-store" in response.headers["Cache-Control"]


def test_one_device_is_ended(here, phone, owner):
    response = here.post(end(phone), follow=True)

    assert "已退出 微信 · iPhone 上的登录。" in text(response)
    phone.refresh_from_db()
    assert phone.end_reason == "removed"
    assert "本人在其他设备上退出" in text(here.get(LIST))
    assert PersonSession.objects.filter(ended_at__isnull=True).count() == 1


def test_all_others_are_ended_and_hear_from_where(here, client_of, owner, phone):
    elsewhere = client_of(owner)

    response = here.post(END_OTHERS, follow=True)

    assert "已退出其他 2 台设备。" in text(response)
    assert here.get(LIST).status_code == 200
    answer = elsewhere.get(LIST)
    assert "上退出本机的登录" in text(elsewhere.get(answer.url))
    assert SESSION_KEY not in elsewhere.session


def test_nobody_elsewhere(here):
    html = text(here.get(LIST))
    assert "退出其他设备</button>" not in html

    assert "没有其他设备登录您的账号。" in text(here.post(END_OTHERS, follow=True))
    assert here.get(LIST).status_code == 200


def test_ending_this_one_is_logging_out(here, owner):
    row = owner.sessions.get()

    assert here.post(end(row)).url == reverse("home")

    row.refresh_from_db()
    assert row.end_reason == "logout"
    assert SESSION_KEY not in here.session


def test_strangers_find_nothing(client_of, stranger, here, phone):
    client = client_of(stranger)

    assert client.post(end(phone)).status_code == 404
    assert "微信 · iPhone" not in text(client.get(LIST))
    client.post(END_OTHERS)
    phone.refresh_from_db()
    assert phone.ended_at is None


def test_what_has_ended_is_not_ended_again(here, phone):
    here.post(end(phone))

    assert here.post(end(phone)).status_code == 404


def test_what_time_has_ended_is_not_shown_as_live(here, owner, now):
    begin_session(
        person=owner, user_agent="", address="", at_a_time=9, now=now - 12 * HOUR
    )

    assert here.get(LIST).context["elsewhere"] == []


def test_ends_of_long_ago_are_not_listed(here, owner, now):
    for days in (29, 31):
        row = begin_session(
            person=owner, user_agent="", address="", at_a_time=9, now=now - 40 * DAY
        )
        PersonSession.objects.filter(pk=row.pk).update(
            ended_at=now - days * DAY, end_reason="logout"
        )

    (shown,) = here.get(LIST).context["ended"]
    assert shown.ended_at == now - 29 * DAY


@pytest.mark.parametrize("method", ["get", "post"])
def test_visitors_are_led_to_the_login(client, method):
    response = getattr(client, method)(LIST if method == "get" else END_OTHERS)

    assert response.status_code == 302
    assert response.url.startswith(reverse("accounts:login"))


def test_few_queries(here, phone, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        here.get(LIST)
