"""Reads of conversations: a visitor's own only."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from accounts.models import User
from portal.support import rules
from portal.support.models import Conversation, ConversationMessage


@dataclass(frozen=True)
class Visitor:
    """Who writes: a person, or a browser that keeps the code of its conversation."""

    person: User | None
    code: str = ""
    address: str = ""


def find_conversation(visitor: Visitor) -> Conversation | None:
    """The visitor's latest conversation.

    The code finds what was begun without login, also after the same browser has logged in.
    It never finds a conversation of a person: a browser left behind shows nothing of it.
    """
    mine = Q()
    if visitor.person is not None:
        mine |= Q(person=visitor.person)
    if visitor.code:
        mine |= Q(person=None, code=visitor.code)
    if not mine:
        return None
    return Conversation.objects.filter(mine).order_by("-started_at", "-pk").first()


def list_messages(conversation: Conversation | None) -> list[ConversationMessage]:
    """The messages in the order they were sent."""
    if conversation is None:
        return []
    return list(conversation.messages.order_by("sent_at", "pk"))


def has_news(conversation: Conversation, *, seen: int, state: str) -> bool:
    """Whether the page that shows messages up to `seen` and `state` is out of date."""
    if conversation.state != state:
        return True
    return conversation.messages.filter(pk__gt=seen).exists()


def may_write(conversation: Conversation, *, now: datetime) -> bool:
    """Whether the visitor's messages of the last minute and day leave room for one more."""
    counts = conversation.messages.filter(
        from_staff=False, sent_at__gt=now - rules.DAY_PERIOD
    ).aggregate(
        day=Count("pk"),
        burst=Count("pk", filter=Q(sent_at__gt=now - rules.BURST_PERIOD)),
    )
    return rules.may_write(in_burst_period=counts["burst"], in_day_period=counts["day"])
