import logging
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from django.core import mail

from accounts.errors import DeliveryError
from accounts.models import AuditEntry, Message, PrivateFile
from accounts.services import messages as outbox
from accounts.services.files import store_private_file
from accounts.services.messages import (
    LEASE,
    RETRY_PAUSES,
    deliver_due_messages,
    retry_message,
    send_message,
    send_to_many,
)
from accounts.tasks import deliver_messages
from portal.lib.spreadsheet import XLSX
from tests.clock import stopped
from tests.factories.accounts import make_phone

PHONE = make_phone(5000)
SMS = Message.Channel.SMS

pytestmark = pytest.mark.django_db


class Recorder:
    """A provider that keeps what it was given, or fails as told."""

    error: Exception | None = None
    sent: list[dict]

    def __init__(self):
        self.sent = []

    def send(self, **given):
        if self.error is not None:
            raise self.error
        self.sent.append(given)


@pytest.fixture
def provider(monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(outbox, "_load_provider", lambda path: recorder)
    return recorder


def send(now, **kwargs):
    arguments = {
        "channel": SMS,
        "recipient": PHONE,
        "template": "code_login",
        "context": {"code": "123456"},
        "now": now,
    }
    return send_message(**arguments | kwargs)


def test_a_message_is_a_row_without_anything_in_clear(now):
    message = send(now)

    message.refresh_from_db()
    assert message.state == Message.State.WAITING
    assert message.recipient == PHONE
    assert "123456" in message.text
    assert message.values == {"code": "123456"}
    assert message.recipient_mask == "199****5000"
    assert PHONE.encode() not in bytes(message.recipient_cipher)
    assert b"123456" not in bytes(message.text_cipher)


def test_a_ciphertext_belongs_to_its_row(now):
    first, second = send(now), send(now)
    second.text_cipher = first.text_cipher

    with pytest.raises(InvalidTag):
        _ = second.text


def test_delivery(now, provider):
    message = send(now)

    assert deliver_due_messages(clock=stopped(now)) == 1

    message.refresh_from_db()
    assert (message.state, message.tries, message.sent_at) == ("sent", 1, now)
    assert provider.sent == [
        {
            "phone": PHONE,
            "text": message.text,
            "template": "code_login",
            "values": {"code": "123456"},
            "reference": message.code,
        }
    ]
    assert deliver_due_messages(clock=stopped(now)) == 0


def test_the_oldest_goes_first_and_the_future_waits(now, provider):
    later = send(now)
    sooner = send(now - timedelta(minutes=1))
    send(now + timedelta(seconds=1))

    assert deliver_due_messages(clock=stopped(now)) == 2
    assert [given["reference"] for given in provider.sent] == [sooner.code, later.code]


def test_a_failure_is_tried_again_after_longer_and_longer_pauses(now, provider):
    provider.error = DeliveryError("busy")
    message = send(now)
    moment = now
    for tries, pause in enumerate(RETRY_PAUSES, start=1):
        assert deliver_due_messages(clock=stopped(moment)) == 0
        message.refresh_from_db()
        assert (message.state, message.tries) == ("waiting", tries)
        assert message.due_at == moment + pause
        assert message.error == "busy"
        moment = message.due_at

    deliver_due_messages(clock=stopped(moment))

    message.refresh_from_db()
    assert (message.state, message.tries) == ("failed", len(RETRY_PAUSES) + 1)


def test_a_permanent_failure_is_not_tried_again(now, provider):
    provider.error = DeliveryError("no such number", permanent=True)
    message = send(now)

    deliver_due_messages(clock=stopped(now))

    message.refresh_from_db()
    assert (message.state, message.error) == ("failed", "no such number")


def test_one_bad_message_does_not_stop_the_others(now, provider, caplog):
    bad = send(now)
    Message.objects.filter(pk=bad.pk).update(recipient_cipher=b"broken")
    good = send(now)

    with caplog.at_level(logging.ERROR):
        assert deliver_due_messages(clock=stopped(now)) == 1

    good.refresh_from_db()
    bad.refresh_from_db()
    assert good.state == "sent"
    assert (bad.state, bad.tries) == ("waiting", 1)
    assert "123456" not in caplog.text


def test_a_worker_that_died_loses_nothing(now, provider, monkeypatch):
    message = send(now)
    monkeypatch.setattr(outbox, "_deliver", lambda *args, **kwargs: exit_now())
    with pytest.raises(SystemExit):
        deliver_due_messages(clock=stopped(now))
    monkeypatch.undo()
    monkeypatch.setattr(outbox, "_load_provider", lambda path: provider)

    assert deliver_due_messages(clock=stopped(now + LEASE - timedelta(seconds=1))) == 0
    assert deliver_due_messages(clock=stopped(now + LEASE)) == 1

    message.refresh_from_db()
    assert (message.state, message.tries) == ("sent", 2)


def exit_now():
    raise SystemExit


def test_a_code_that_is_too_old_is_not_sent(now, provider):
    message = send(now, expires_at=now + timedelta(minutes=5))

    assert deliver_due_messages(clock=stopped(now + timedelta(minutes=5))) == 0

    message.refresh_from_db()
    assert message.state == "failed"
    assert provider.sent == []


def test_mail_goes_through_djangos_backend(now, settings):
    message = send(
        now,
        channel=Message.Channel.MAIL,
        recipient="someone@example.org",
        template="password_changed",
        context={},
    )

    assert deliver_due_messages(clock=stopped(now)) == 1
    assert message.recipient_mask == "s***@example.org"
    [sent] = mail.outbox
    assert sent.to == ["someone@example.org"]
    assert sent.subject == settings.PORTAL_NAME
    assert "密码已修改" in sent.body


def test_without_a_mail_server_mails_wait(now, settings):
    """They would count as sent otherwise, and nobody would ever know."""
    settings.MAIL_SERVER = settings.MESSAGE_BOX = False
    message = send(
        now,
        channel=Message.Channel.MAIL,
        recipient="someone@example.org",
        template="password_changed",
        context={},
    )

    assert deliver_due_messages(clock=stopped(now)) == 0

    message.refresh_from_db()
    assert (message.state, message.error) == ("waiting", "尚未配置邮件服务")
    settings.MESSAGE_BOX = True
    assert deliver_due_messages(clock=stopped(message.due_at)) == 1


def test_a_channel_without_provider_fails_visibly(now):
    message = send(now, channel=Message.Channel.WECHAT, recipient="oSANDBOX000000001")

    deliver_due_messages(clock=stopped(now))

    message.refresh_from_db()
    assert message.state == "failed"
    assert message.recipient_mask == "oSAN****0001"


def test_without_a_provider_messages_wait(now, settings):
    settings.SMS_PROVIDER = ""
    message = send(now)

    deliver_due_messages(clock=stopped(now))

    message.refresh_from_db()
    assert (message.state, message.error) == ("waiting", "尚未配置短信服务")


def test_the_message_box_provider_needs_a_message_box(now, settings):
    settings.MESSAGE_BOX = False
    message = send(now)

    deliver_due_messages(clock=stopped(now))

    message.refresh_from_db()
    assert message.state == "failed"


def test_the_task_sends_what_is_due(now):
    message = send(now)

    deliver_messages()

    message.refresh_from_db()
    assert message.state == "sent"


def test_a_failed_message_may_be_queued_again(now, provider, staff):
    message = send(now)
    Message.objects.update(state="failed", tries=6, error="busy")

    assert retry_message(message_id=message.pk, actor=staff, now=now) is True

    message.refresh_from_db()
    assert (message.state, message.tries, message.error) == ("waiting", 0, "")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.actor) == (
        "message.queued_again",
        f"message:{message.code}",
        staff,
    )


@pytest.mark.parametrize("state", ["sent", "waiting", "withheld"])
def test_others_may_not(now, state, staff):
    message = send(now)
    Message.objects.update(state=state)

    assert retry_message(message_id=message.pk, actor=staff, now=now) is False
    assert AuditEntry.objects.count() == 0


def test_nor_may_a_code_that_is_too_old(now, staff):
    message = send(now, expires_at=now)
    Message.objects.update(state="failed")

    assert retry_message(message_id=message.pk, actor=staff, now=now) is False
    assert AuditEntry.objects.count() == 0


def test_a_mail_takes_its_file_along(now, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    file = store_private_file(
        content=b"PK sheet",
        name="办理结果.xlsx",
        content_type=XLSX,
        purpose=PrivateFile.Purpose.RESULT,
        owner=None,
        now=now,
    )
    send(
        now,
        channel=Message.Channel.MAIL,
        recipient="hr@example.org",
        template="list_returned_mail",
        context=dict.fromkeys(("unit", "code", "reason", "address"), "x"),
        attachment=file,
    )

    deliver_due_messages(clock=stopped(now))

    [sent] = mail.outbox
    assert sent.attachments == [("办理结果.xlsx", b"PK sheet", XLSX)]


def test_one_notice_to_many_phones(now, provider):
    send_to_many(
        phones=[make_phone(6000), make_phone(6001)],
        template="already_registered",
        context={},
        now=now,
    )

    deliver_due_messages(clock=stopped(now))

    assert [each["phone"] for each in provider.sent] == [
        make_phone(6000),
        make_phone(6001),
    ]
    assert len({each["text"] for each in provider.sent}) == 1
    assert len({each["reference"] for each in provider.sent}) == 2
