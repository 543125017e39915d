from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.support import queries, services
from portal.support.errors import ConversationClosedError, TooManyMessagesError
from portal.support.models import Conversation, ConversationMessage
from portal.support.queries import Visitor
from portal.support.rules import BURST_LIMIT, DAY_LIMIT, may_write

pytestmark = pytest.mark.django_db
State = Conversation.State


def write(visitor: Visitor, now: datetime, text: str = "无法登录") -> Conversation:
    return services.send_message(visitor=visitor, topic="其他", text=text, now=now)


def test_the_first_message_opens_a_conversation(owner: Any, now: datetime) -> None:
    conversation = write(Visitor(owner), now)

    message = conversation.messages.get()
    assert (conversation.person, conversation.state) == (owner, State.OPEN)
    assert (message.author, message.from_staff, message.text) == (
        owner,
        False,
        "无法登录",
    )


def test_later_messages_stay_in_the_conversation(owner: Any, now: datetime) -> None:
    first = write(Visitor(owner), now)
    second = write(Visitor(owner), now + timedelta(minutes=2))

    assert first == second
    assert Conversation.objects.get().messages.count() == 2


def test_an_answer_turns_the_state_and_a_new_message_turns_it_back(
    owner: Any, staff: Any, now: datetime
) -> None:
    conversation = write(Visitor(owner), now)

    answer = services.answer_conversation(
        conversation_id=conversation.pk, text="请重置密码", actor=staff, now=now
    )
    conversation.refresh_from_db()
    assert (conversation.state, answer.from_staff, answer.author) == (
        State.ANSWERED,
        True,
        staff,
    )

    write(Visitor(owner), now + timedelta(minutes=2))
    conversation.refresh_from_db()
    assert conversation.state == State.OPEN


def test_a_closed_conversation_takes_no_answer(
    owner: Any, staff: Any, now: datetime
) -> None:
    conversation = write(Visitor(owner), now)
    services.close_conversation(conversation_id=conversation.pk, now=now)

    with pytest.raises(ConversationClosedError):
        services.answer_conversation(
            conversation_id=conversation.pk, text="迟到的回复", actor=staff, now=now
        )

    assert conversation.messages.count() == 1


def test_writing_after_the_close_starts_another(owner: Any, now: datetime) -> None:
    first = write(Visitor(owner), now)
    services.close_conversation(conversation_id=first.pk, now=now)

    second = write(Visitor(owner), now + timedelta(minutes=2))

    assert second != first
    assert queries.find_conversation(Visitor(owner)) == second
    first.refresh_from_db()
    assert first.state == State.CLOSED


def test_closing_twice_is_harmless(owner: Any, now: datetime) -> None:
    conversation = write(Visitor(owner), now)
    services.close_conversation(conversation_id=conversation.pk, now=now)
    services.close_conversation(
        conversation_id=conversation.pk, now=now + timedelta(hours=1)
    )

    conversation.refresh_from_db()
    assert conversation.updated_at == now


def test_a_flood_is_refused_and_nothing_is_stored(owner: Any, now: datetime) -> None:
    for _ in range(BURST_LIMIT):
        write(Visitor(owner), now)

    with pytest.raises(TooManyMessagesError):
        write(Visitor(owner), now)

    assert ConversationMessage.objects.count() == BURST_LIMIT
    write(Visitor(owner), now + timedelta(minutes=1, seconds=1))


@pytest.mark.parametrize(
    ("burst", "day", "allowed"),
    [
        (0, 0, True),
        (BURST_LIMIT - 1, DAY_LIMIT - 1, True),
        (BURST_LIMIT, BURST_LIMIT, False),
        (0, DAY_LIMIT, False),
    ],
)
def test_limits_of_a_minute_and_a_day(burst: int, day: int, allowed: bool) -> None:
    assert may_write(in_burst_period=burst, in_day_period=day) is allowed


def test_without_login_only_the_code_finds_the_conversation(now: datetime) -> None:
    conversation = write(Visitor(None), now)

    assert queries.find_conversation(Visitor(None, conversation.code)) == conversation
    assert queries.find_conversation(Visitor(None)) is None
    assert queries.find_conversation(Visitor(None, "0000000000000000")) is None


def test_the_code_of_a_persons_conversation_opens_nothing_without_login(
    owner: Any, stranger: Any, now: datetime
) -> None:
    conversation = write(Visitor(owner), now)

    assert queries.find_conversation(Visitor(None, conversation.code)) is None
    assert queries.find_conversation(Visitor(stranger, conversation.code)) is None
