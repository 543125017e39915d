from datetime import timedelta

import pytest
from captcha.models import CaptchaStore

from accounts.models import Message, ThrottleCounter, VerificationCode
from accounts.services.captchas import make_challenge
from accounts.services.cleaning import forget_old_traces
from accounts.services.codes import send_code
from accounts.services.messages import deliver_due_messages
from tests.clock import stopped
from tests.factories.accounts import make_phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(now):
    """A code that was sent at `now`, with its counters and its message."""
    send_code(
        phone=make_phone(1),
        purpose=VerificationCode.Purpose.REGISTER,
        browser="b",
        address="203.0.113.7",
        now=now,
    )
    deliver_due_messages(clock=stopped(now))


def test_nothing_young_is_forgotten(sent, now):
    forget_old_traces(now=now + timedelta(days=1))

    assert VerificationCode.objects.count() == 1
    assert ThrottleCounter.objects.count() == 2
    assert Message.objects.get().text


def test_codes_and_counters_go_after_two_days(sent, now):
    forget_old_traces(now=now + timedelta(days=2, seconds=1))

    assert VerificationCode.objects.count() == 0
    assert ThrottleCounter.objects.count() == 0
    assert Message.objects.get().text


def test_captchas_go_when_they_are_over(now):
    make_challenge(now=now)
    young = make_challenge(now=now + timedelta(minutes=4))

    forget_old_traces(now=now + timedelta(minutes=5, seconds=1))

    assert [row.hashkey for row in CaptchaStore.objects.all()] == [young]


def test_texts_of_messages_go_after_90_days_their_rows_stay(sent, now):
    forget_old_traces(now=now + timedelta(days=90, seconds=1))

    message = Message.objects.get()
    assert message.text == ""
    assert bytes(message.recipient_cipher) == b""
    assert message.recipient_mask == "199****0001"


def test_what_still_waits_is_not_touched(sent, now):
    Message.objects.update(state="waiting")

    forget_old_traces(now=now + timedelta(days=365))

    assert Message.objects.get().text
