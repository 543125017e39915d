"""The hourly cap of all SMS and the daily limit of one phone: what is too much waits."""

from datetime import timedelta

import pytest

from accounts.errors import CodeRateError, DeliveryError
from accounts.models import Message, VerificationCode
from accounts.rules.throttles import NOTICE_PHONE
from accounts.services import messages as outbox
from accounts.services import sms_limits
from accounts.services.codes import send_code
from accounts.services.messages import deliver_due_messages, send_message
from tests.clock import stopped
from tests.factories.accounts import make_phone

HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


class Recorder:
    error = None

    def __init__(self):
        self.sent = []

    def send(self, *, phone, template, **_rest):
        if self.error is not None:
            raise self.error
        self.sent.append((template, phone))


@pytest.fixture
def provider(monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(outbox, "_load_provider", lambda path: recorder)
    return recorder


def write(now, count, *, template="password_changed", first=0, **arguments):
    values = {"code": "123456"} if template.startswith("code_") else {}
    return [
        send_message(
            channel=arguments.pop("channel", "sms"),
            recipient=make_phone(first + number),
            template=template,
            context=values,
            now=now,
        )
        for number in range(count)
    ]


def waiting():
    return Message.objects.filter(state="waiting").count()


def test_codes_go_before_older_notices(now, provider):
    write(now - timedelta(minutes=9), 2)
    write(now, 1, template="code_login", first=10)

    deliver_due_messages(clock=stopped(now))

    assert [template for template, _ in provider.sent] == [
        "code_login",
        "password_changed",
        "password_changed",
    ]


def test_notices_wait_at_four_fifths_and_codes_at_the_cap(now, provider, settings):
    settings.SMS_HOURLY_CAP = 10
    write(now, 12)

    assert deliver_due_messages(clock=stopped(now)) == 8
    assert waiting() == 4
    write(now, 4, template="code_login", first=20)
    assert deliver_due_messages(clock=stopped(now)) == 2
    assert waiting() == 6
    # Waiting is no failed try.
    assert set(Message.objects.filter(state="waiting").values_list("tries")) == {(0,)}


def test_an_hour_later_they_go(now, provider, settings):
    settings.SMS_HOURLY_CAP = 10
    write(now, 12)
    deliver_due_messages(clock=stopped(now))

    assert deliver_due_messages(clock=stopped(now + HOUR - timedelta(seconds=1))) == 0
    assert deliver_due_messages(clock=stopped(now + HOUR)) == 4
    assert waiting() == 0


def test_mail_is_not_held_back(now, provider, settings):
    settings.SMS_HOURLY_CAP = 0
    write(now, 1)
    mail = send_message(
        channel="mail",
        recipient="person@example.com",
        template="invoice_issued",
        context={"order": "1", "number": "2", "address": "https://x"},
        now=now,
    )

    assert deliver_due_messages(clock=stopped(now)) == 1

    mail.refresh_from_db()
    assert mail.state == "sent"
    assert waiting() == 1


def test_what_other_workers_send_is_counted_meanwhile(
    now, provider, settings, monkeypatch
):
    settings.SMS_HOURLY_CAP = 100
    monkeypatch.setattr(sms_limits, "RECOUNT_AFTER", 2)
    write(now, 10)
    others = write(now - timedelta(minutes=1), 90, template="code_login", first=100)
    Message.objects.filter(pk__in=[m.pk for m in others]).update(state="failed")
    first_send = provider.send

    def send(**given):
        first_send(**given)
        Message.objects.filter(pk__in=[m.pk for m in others]).update(
            state="sent", sent_at=now
        )

    monkeypatch.setattr(provider, "send", send)

    assert deliver_due_messages(clock=stopped(now)) == 2


def test_no_code_is_asked_for_that_could_not_be_sent(now, provider, settings):
    settings.SMS_HOURLY_CAP = 3
    write(now, 3, template="code_login")
    deliver_due_messages(clock=stopped(now))

    with pytest.raises(CodeRateError, match="短信服务繁忙"):
        send_code(
            phone=make_phone(50),
            purpose=VerificationCode.Purpose.REGISTER,
            browser="b",
            address="192.0.2.1",
            now=now,
        )

    assert VerificationCode.objects.count() == 0
    assert Message.objects.count() == 3


def test_one_phone_gets_no_more_notices_a_day(now, provider):
    count = NOTICE_PHONE.count
    for _ in range(count + 2):
        write(now, 1)

    assert deliver_due_messages(clock=stopped(now)) == count

    late = Message.objects.filter(state="waiting")
    assert late.count() == 2
    assert {(row.tries, row.due_at, row.error) for row in late} == {
        (0, now + NOTICE_PHONE.window, "该手机号码短信过多，稍后再发")
    }
    # Another phone, and codes to this one, are sent.
    write(now, 1, first=5)
    write(now, 1, template="code_login")
    assert deliver_due_messages(clock=stopped(now)) == 2
    assert deliver_due_messages(clock=stopped(now + NOTICE_PHONE.window)) == 2


def test_a_failed_try_counts_too(now, provider):
    """A provider that says no may have sent all the same."""
    provider.error = DeliveryError("busy")
    write(now, 1)

    deliver_due_messages(clock=stopped(now))

    counter = sms_limits.ThrottleCounter.objects.get(scope="notice_phone")
    assert counter.count == 1
    assert make_phone(0) not in counter.key
