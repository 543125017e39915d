"""Messages as staff see them: found by what they know, sent again by who may."""

import pytest
from django.urls import reverse

from accounts.models import Message
from accounts.rules.roles import AUDIT, BUSINESS, SYSTEM
from accounts.services.messages import send_message
from tests.factories.requests import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client_of, staff):
    return client_of(staff)


def text(response):
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def message(now):
    return send_message(
        channel=Message.Channel.SMS,
        recipient="19900000009",
        template="code_login",
        context={"code": "735173"},
        now=now,
    )


def test_no_text_with_a_code_is_shown(desk, message):
    url = reverse("admin:accounts_message_change", args=[message.pk])

    html = text(desk.get(url))

    assert "含验证码或专属链接，不显示" in html
    assert "735173" not in html
    assert "19900000009" not in html
    assert "199****0009" in html


def test_failed_messages_are_queued_again(desk, message):
    Message.objects.update(state="failed")

    desk.post(
        reverse("admin:accounts_message_changelist"),
        {"action": "send_again", "_selected_action": [message.pk]},
    )

    message.refresh_from_db()
    assert message.state == "waiting"


@pytest.mark.parametrize(
    ("role", "state"), [(BUSINESS, "waiting"), (SYSTEM, "waiting"), (AUDIT, "failed")]
)
def test_who_may_send_again(client_of, message, role, state):
    Message.objects.update(state="failed")
    client = client_of(make_staff(role))
    page = reverse("admin:accounts_message_changelist")
    assert "199****0009" in text(client.get(page))

    client.post(page, {"action": "send_again", "_selected_action": [message.pk]})

    message.refresh_from_db()
    assert message.state == state


def test_messages_are_found_by_the_masked_phone(desk, message, now):
    send_message(
        channel=Message.Channel.SMS,
        recipient="19900000010",
        template="account_closed",
        context={},
        now=now,
    )
    page = reverse("admin:accounts_message_changelist")

    html = text(desk.get(page, {"q": "199****0009"}))

    assert ("登录验证码" in html, "账号注销提醒" in html) == (True, False)
