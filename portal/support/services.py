"""Use cases of customer service: a visitor writes, staff answer and close."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services.throttling import Counter, Scope, take_tries, throttle_key
from portal.support import locks, queries
from portal.support.errors import ConversationClosedError, TooManyMessagesError
from portal.support.models import Conversation, ConversationMessage
from portal.support.queries import Visitor
from portal.support.rules import STARTS


@transaction.atomic
def send_message(
    *, visitor: Visitor, topic: str, text: str, now: datetime
) -> Conversation:
    """Add the visitor's message to the conversation that is not closed, or to a new one.

    Raises TooManyMessagesError when the visitor writes faster than a person does.
    """
    found = queries.find_conversation(visitor)
    conversation = locks.lock_conversation(found.pk) if found else None
    if conversation is not None and not queries.may_write(conversation, now=now):
        raise TooManyMessagesError
    if conversation is None or conversation.state == Conversation.State.CLOSED:
        conversation = _begin_conversation(visitor, topic, now)
    _add_message(conversation, author=visitor.person, text=text, now=now)
    _set_state(conversation, Conversation.State.OPEN, now)
    return conversation


@transaction.atomic
def answer_conversation(
    *, conversation_id: int, text: str, actor: User, now: datetime
) -> ConversationMessage:
    """Answer as staff. Raises ConversationClosedError for a closed conversation."""
    conversation = locks.lock_conversation(conversation_id)
    if conversation.state == Conversation.State.CLOSED:
        raise ConversationClosedError
    message = _add_message(
        conversation, author=actor, text=text, now=now, from_staff=True
    )
    _set_state(conversation, Conversation.State.ANSWERED, now)
    return message


@transaction.atomic
def close_conversation(*, conversation_id: int, now: datetime) -> None:
    """Close a conversation; the visitor's next message starts another. Twice is harmless."""
    conversation = locks.lock_conversation(conversation_id)
    if conversation.state != Conversation.State.CLOSED:
        _set_state(conversation, Conversation.State.CLOSED, now)


def _begin_conversation(visitor: Visitor, topic: str, now: datetime) -> Conversation:
    if visitor.person is None:
        key = throttle_key("support", visitor.address)
        counter = Counter(Scope.SUPPORT_ADDRESS, key, STARTS)
        if not take_tries([counter], now=now):
            raise TooManyMessagesError
    return Conversation.objects.create(
        person=visitor.person, topic=topic, started_at=now, updated_at=now
    )


def _add_message(
    conversation: Conversation,
    *,
    author: User | None,
    text: str,
    now: datetime,
    from_staff: bool = False,
) -> ConversationMessage:
    return ConversationMessage.objects.create(
        conversation=conversation,
        author=author,
        from_staff=from_staff,
        text=text,
        sent_at=now,
    )


def _set_state(
    conversation: Conversation, state: Conversation.State, now: datetime
) -> None:
    conversation.state = state
    conversation.updated_at = now
    conversation.save(update_fields=["state", "updated_at"])
