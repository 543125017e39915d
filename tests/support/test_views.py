from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.support import services
from portal.support.models import Conversation, ConversationMessage
from portal.support.rules import BURST_LIMIT, STARTS

pytestmark = pytest.mark.django_db
PAGE = "/support/"
MESSAGE = {"topic": "其他", "text": "无法登录"}


def test_a_visitor_without_login_writes_and_reads_back(client: Client) -> None:
    response = client.post(PAGE, MESSAGE)

    assert response.status_code == 302
    assert "无法登录" in client.get(PAGE).content.decode()
    assert Conversation.objects.get().person is None


def test_another_browser_sees_nothing_of_it(client: Client) -> None:
    client.post(PAGE, MESSAGE)

    assert "无法登录" not in Client().get(PAGE).content.decode()


def test_a_person_finds_the_conversation_in_any_browser(
    owner: Any, client_of: Callable[[Any], Client]
) -> None:
    client_of(owner).post(PAGE, MESSAGE)

    assert "无法登录" in client_of(owner).get(PAGE).content.decode()


def test_what_was_begun_without_login_stays_visible_after_it(
    client: Client, owner: Any
) -> None:
    client.post(PAGE, MESSAGE)
    client.force_login(owner)

    assert "无法登录" in client.get(PAGE).content.decode()
    client.post(PAGE, {"text": "已登录，仍有问题"})

    assert Conversation.objects.get().messages.count() == 2
    client.logout()
    assert "无法登录" not in client.get(PAGE).content.decode()


def test_the_topic_is_asked_for_once(client: Client) -> None:
    assert "topic" in client.get(PAGE).context["form"].fields

    client.post(PAGE, MESSAGE)

    assert "topic" not in client.get(PAGE).context["form"].fields


def test_an_empty_message_is_refused_beside_its_field(client: Client) -> None:
    response = client.post(PAGE, MESSAGE | {"text": "  "})

    assert response.status_code == 200
    assert 'id="id_text_error"' in response.content.decode()
    assert ConversationMessage.objects.count() == 0


def test_markup_in_a_message_is_shown_as_text(client: Client) -> None:
    client.post(PAGE, MESSAGE | {"text": "<script>alert(1)</script>"})

    html = client.get(PAGE).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert" not in html


def test_a_flood_answers_429(client: Client) -> None:
    for _ in range(BURST_LIMIT):
        client.post(PAGE, MESSAGE)

    response = client.post(PAGE, MESSAGE)

    assert response.status_code == 429
    assert "发送过于频繁" in response.content.decode()
    assert ConversationMessage.objects.count() == BURST_LIMIT


def test_new_browsers_of_one_address_cannot_start_without_end() -> None:
    for _ in range(STARTS.count):
        Client().post(PAGE, MESSAGE)

    response = Client().post(PAGE, MESSAGE)

    assert response.status_code == 429
    assert Conversation.objects.count() == STARTS.count


def test_polling_answers_only_when_something_is_new(client: Client, staff: Any) -> None:
    url = reverse("support:messages")
    assert client.get(url).status_code == 286
    client.post(PAGE, MESSAGE)
    conversation = Conversation.objects.get()
    seen = {"seen": conversation.messages.get().pk, "state": "open"}
    assert client.get(url, seen).status_code == 204

    services.answer_conversation(
        conversation_id=conversation.pk,
        text="请重置密码",
        actor=staff,
        now=timezone.now(),
    )

    response = client.get(url, seen)
    assert response.status_code == 200
    assert "请重置密码" in response.content.decode()


def test_a_closed_conversation_is_polled_no_more(client: Client) -> None:
    client.post(PAGE, MESSAGE)
    conversation = Conversation.objects.get()
    services.close_conversation(conversation_id=conversation.pk, now=timezone.now())

    response = client.get(reverse("support:messages"), {"seen": 1, "state": "open"})

    assert "hx-get" not in response.content.decode()
    assert "本次会话已结束" in response.content.decode()


@pytest.mark.parametrize("seen", ["", "x", "-1", "٣", "9" * 40])
def test_a_senseless_position_means_from_the_start(client: Client, seen: str) -> None:
    client.post(PAGE, MESSAGE)

    response = client.get(reverse("support:messages"), {"seen": seen, "state": "open"})

    assert response.status_code == 200


def admin_url(conversation: Conversation) -> str:
    return reverse("admin:support_conversation_change", args=[conversation.pk])


INLINE = {
    "messages-TOTAL_FORMS": "0",
    "messages-INITIAL_FORMS": "0",
    "messages-MIN_NUM_FORMS": "0",
    "messages-MAX_NUM_FORMS": "0",
}


def test_staff_answer_and_close_in_the_admin(
    owner: Any, staff: Any, client_of: Callable[[Any], Client], now: datetime
) -> None:
    client_of(owner).post(PAGE, MESSAGE)
    conversation = Conversation.objects.get()

    response = client_of(staff).post(
        admin_url(conversation), INLINE | {"answer": "请重置密码", "close": "on"}
    )

    assert response.status_code == 302
    conversation.refresh_from_db()
    assert conversation.state == Conversation.State.CLOSED
    assert conversation.messages.get(from_staff=True).author == staff


def test_saving_without_an_answer_changes_nothing(
    owner: Any, staff: Any, client_of: Callable[[Any], Client]
) -> None:
    client_of(owner).post(PAGE, MESSAGE)
    conversation = Conversation.objects.get()

    client_of(staff).post(admin_url(conversation), INLINE | {"answer": ""})

    assert conversation.messages.count() == 1
    conversation.refresh_from_db()
    assert conversation.state == Conversation.State.OPEN


def test_staff_are_told_that_a_closed_conversation_takes_no_answer(
    owner: Any, staff: Any, client_of: Callable[[Any], Client]
) -> None:
    client_of(owner).post(PAGE, MESSAGE)
    conversation = Conversation.objects.get()
    services.close_conversation(conversation_id=conversation.pk, now=timezone.now())

    response = client_of(staff).post(
        admin_url(conversation), INLINE | {"answer": "迟到的回复"}, follow=True
    )

    assert "会话已结束，不能再回复。" in response.content.decode()
    assert conversation.messages.count() == 1
