"""Sweeps of the outbox beside slow and broken providers, and beside one another."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from accounts.errors import DeliveryError
from accounts.models import Message
from accounts.services import messages as outbox
from accounts.services.messages import (
    LEASE,
    RETRY_PAUSES,
    deliver_due_messages,
    send_message,
)
from tests.clock import stopped
from tests.factories.accounts import make_phone

pytestmark = pytest.mark.django_db


def send(now, **kwargs):
    arguments = {
        "channel": Message.Channel.SMS,
        "recipient": make_phone(5000),
        "template": "code_login",
        "context": {"code": "123456"},
        "now": now,
    }
    return send_message(**arguments | kwargs)


class SlowProvider:
    """A provider that takes its time, on the clock that the sweep reads."""

    def __init__(self, now, takes):
        self.now, self.takes, self.leases, self.error = now, takes, [], None

    def clock(self):
        return self.now

    def send(self, **given):
        row = Message.objects.get(code=given["reference"])
        self.leases.append((self.now, row.due_at))
        self.now += self.takes
        if self.error is not None:
            raise self.error


@pytest.fixture
def slow(now, monkeypatch):
    def make(seconds):
        provider = SlowProvider(now, timedelta(seconds=seconds))
        monkeypatch.setattr(outbox, "_load_provider", lambda path: provider)
        return provider

    return make


def test_a_lease_begins_when_its_message_is_claimed(now, slow):
    """Counted from the sweep's beginning, the later ones would be sent twice."""
    provider = slow(seconds=8)
    messages = [send(now) for _ in range(4)]

    assert deliver_due_messages(clock=provider.clock) == 3

    assert provider.leases == [
        (moment, moment + LEASE)
        for moment in (now + timedelta(seconds=s) for s in (0, 8, 16))
    ]
    sent_at = [Message.objects.get(pk=m.pk).sent_at for m in messages]
    assert sent_at == [*(now + timedelta(seconds=s) for s in (8, 16, 24)), None]


def test_a_provider_that_hangs_is_left_alone_for_a_while(now, slow):
    provider = slow(seconds=6)
    provider.error = DeliveryError("timeout")
    codes = [send(now) for _ in range(3)]
    mail_row = send(
        now,
        channel=Message.Channel.MAIL,
        recipient="someone@example.org",
        template="password_changed",
        context={},
    )

    assert deliver_due_messages(clock=provider.clock) == 1

    rows = [Message.objects.get(pk=code.pk) for code in codes]
    assert [(row.state, row.tries) for row in rows] == [
        ("waiting", 1),
        ("waiting", 0),
        ("waiting", 0),
    ]
    # The pause begins when the try has failed.
    assert rows[0].due_at == now + timedelta(seconds=6) + RETRY_PAUSES[0]
    mail_row.refresh_from_db()
    assert mail_row.state == "sent"
    assert deliver_due_messages(clock=provider.clock) == 0
    assert len(provider.leases) == 1

    cache.clear()  # As the pause does when it is over.
    provider.error = None
    provider.now += RETRY_PAUSES[0]
    assert deliver_due_messages(clock=provider.clock) == 3


def test_what_another_worker_has_sent_stays_sent(now, slow, monkeypatch):
    """This one's lease ended while its provider was still thinking."""
    message, provider = send(now), slow(seconds=0)

    def fail(**given):
        Message.objects.filter(pk=message.pk).update(state="sent", sent_at=now)
        raise DeliveryError("no such number", permanent=True)

    monkeypatch.setattr(provider, "send", fail)

    deliver_due_messages(clock=stopped(now))

    message.refresh_from_db()
    assert (message.state, message.sent_at, message.error) == ("sent", now, "")
