"""The outbox: messages are rows, written with what causes them and delivered afterwards."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from smtplib import SMTPRecipientsRefused
from typing import Protocol

from django.conf import settings
from django.core.cache import cache as shared_cache
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.module_loading import import_string

from accounts.errors import DeliveryError
from accounts.locks import find_locked_due_message, lock_message
from accounts.models import Message, PrivateFile, User
from accounts.models.messages import encode_content
from accounts.rules.message_texts import TEMPLATES
from accounts.services.audit import record_audit
from accounts.services.files import read_private_file
from accounts.services.sms_limits import SmsBudget, count_notice
from portal.lib.bulk_insert import insert_rows
from portal.lib.masks import mask_email, mask_phone

logger = logging.getLogger(__name__)

# How long a worker may take over one message before another tries it. Longer than any
# provider's timeout; after a crash in between, a message may come twice, never not at all.
LEASE = timedelta(seconds=90)
# Pauses after the first, second, ... failed try; after the last one the message has failed.
RETRY_PAUSES = (
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
# A sweep ends after so many messages or so long: workers have other things to do.
SWEEP_SIZE = 200
SWEEP_TIME = timedelta(seconds=20)
# A provider that hangs and then fails is left alone for a while, by all workers: each waiting
# out its timeouts, they would soon do nothing else.
HANGS_AFTER = timedelta(seconds=5)
PAUSE_SECONDS = 60
SMTP_PERMANENT = 500

Clock = Callable[[], datetime]


class SmsProvider(Protocol):
    """Hands a text to a phone. Raises `DeliveryError`; must come back within 60 seconds."""

    def send(
        self,
        *,
        phone: str,
        text: str,
        template: str,
        values: Mapping[str, str],
        reference: str,
    ) -> None:
        """`reference` stays the same over retries: providers drop the second of two."""


class MessageBoxProvider:
    """The embedded provider: the row itself is the message box's content."""

    def send(
        self,
        *,
        phone: str,
        text: str,
        template: str,
        values: Mapping[str, str],
        reference: str,
    ) -> None:
        if not settings.MESSAGE_BOX:
            raise DeliveryError("the message box is switched off", permanent=True)


@cache
def _load_provider(path: str) -> SmsProvider:
    provider: SmsProvider = import_string(path)()
    return provider


def build_message(
    *,
    channel: str,
    recipient: str,
    template: str,
    context: Mapping[str, str],
    now: datetime,
    expires_at: datetime | None = None,
    attachment: PrivateFile | None = None,
) -> Message:
    """A message for the outbox, not yet saved; the arguments are those of `send_message`."""
    message = Message(
        channel=channel,
        template=template,
        is_code=TEMPLATES[template].holds_code,
        recipient_mask=_mask_recipient(channel, recipient),
        created_at=now,
        due_at=now,
        expires_at=expires_at,
        attachment=attachment,
    )
    message.store_recipient(recipient)
    message.store_content(TEMPLATES[template].render(context), context)
    return message


def send_to_many(
    *,
    phones: Iterable[str],
    template: str,
    context: Mapping[str, str],
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Write the same notice by SMS for each of the phones, like `send_message` for one."""
    content = encode_content(TEMPLATES[template].render(context), context)
    insert_rows(
        Message,
        same={
            "channel": Message.Channel.SMS,
            "template": template,
            "created_at": now,
            "due_at": now,
            "expires_at": expires_at,
        },
        each=("code", "recipient_mask", "recipient_cipher", "text_cipher"),
        rows=(_seal(phone, content) for phone in phones),
    )


def _seal(phone: str, content: str) -> tuple[str | bytes, ...]:
    """The columns in which the same message to another phone differs."""
    message = Message()
    message.store_recipient(phone)
    message.store_encoded(content)
    return (
        message.code,
        mask_phone(phone),
        bytes(message.recipient_cipher),
        bytes(message.text_cipher),
    )


def send_message(
    *,
    channel: str,
    recipient: str,
    template: str,
    context: Mapping[str, str],
    now: datetime,
    expires_at: datetime | None = None,
    attachment: PrivateFile | None = None,
) -> Message:
    """Write a message into the outbox, to be called in the transaction that causes it.

    `recipient` is a phone, a mail address or an OpenID, `template` a key of the message
    texts and `context` its values. Not sent any more after `expires_at`. An `attachment`
    goes along by mail only; it must not end before the message does. The edge wakes the
    worker: `accounts.tasks.deliver_messages.delay_on_commit()`.
    """
    message = build_message(
        channel=channel,
        recipient=recipient,
        template=template,
        context=context,
        now=now,
        expires_at=expires_at,
        attachment=attachment,
    )
    message.save(force_insert=True)
    return message


def deliver_due_messages(*, clock: Clock) -> int:
    """Try the messages that are due, codes first; the number of those that were sent.

    Beyond the hourly cap SMS wait, notices earlier than codes. Each is claimed in a
    transaction of its own before the provider is called, so that several workers may sweep
    at once and one that is killed loses nothing. The clock is read for each message: a lease
    counted from the beginning of a long sweep would be over before its message's turn.
    """
    began = clock()
    sent, budget = 0, SmsBudget(now=began)
    for _ in range(SWEEP_SIZE):
        now = clock()
        if now - began >= SWEEP_TIME:
            break
        message = _claim_message(budget, now=now)
        if message is None:
            break
        if _deliver(message, now=now, clock=clock):
            sent += 1
            if message.channel == Message.Channel.SMS:
                budget.spend()
    return sent


@transaction.atomic
def _claim_message(budget: SmsBudget, *, now: datetime) -> Message | None:
    paused = _list_paused()
    capped = set() if budget.allows_notices else {Message.Channel.SMS}
    message = None
    if budget.allows_codes:
        message = find_locked_due_message(now=now, is_code=True, without=paused)
    if message is None:
        message = find_locked_due_message(
            now=now, is_code=False, without=paused | capped
        )
    if message is not None:
        message.tries += 1
        message.due_at = now + LEASE
        message.save(update_fields=["tries", "due_at"])
    return message


def _deliver(message: Message, *, now: datetime, clock: Clock) -> bool:
    if message.expires_at is not None and message.expires_at <= now:
        _finish(
            message, state=Message.State.FAILED, error="已过有效期，不再发送", now=now
        )
        return False
    counter = count_notice(message, now=now)
    if counter is not None and not counter.is_allowed:
        _postpone(message, until=counter.free_at)
        return False
    try:
        _hand_over(message)
    except DeliveryError as error:
        logger.warning("message not delivered", extra={"reference": message.code})
        _give_up_for_now(message, error=error, began=now, now=clock())
        return False
    except Exception as error:  # One bad message must not stop the others.
        logger.exception("provider broke", extra={"reference": message.code})
        broken = DeliveryError(type(error).__name__)
        _give_up_for_now(message, error=broken, began=now, now=clock())
        return False
    _finish(message, state=Message.State.SENT, error="", now=clock())
    return True


def _list_paused() -> set[str]:
    """The channels whose provider hung lately."""
    keys = {_pause_key(channel): channel for channel in Message.Channel.values}
    return {keys[key] for key in shared_cache.get_many(keys)}


def _pause_key(channel: str) -> str:
    return f"accounts.outbox.paused.{channel}"


def _postpone(message: Message, *, until: datetime) -> None:
    """Leave the message for later; that is no failed try."""
    Message.objects.filter(pk=message.pk, state=Message.State.WAITING).update(
        due_at=until, tries=message.tries - 1, error="该手机号码短信过多，稍后再发"
    )


def _hand_over(message: Message) -> None:
    if message.channel == Message.Channel.SMS:
        if not settings.SMS_PROVIDER:
            raise DeliveryError("尚未配置短信服务")
        _load_provider(settings.SMS_PROVIDER).send(
            phone=message.recipient,
            text=message.text,
            template=message.template,
            values=message.values,
            reference=message.code,
        )
    elif message.channel == Message.Channel.MAIL:
        _send_mail(message)
    else:
        raise DeliveryError("尚未配置该渠道", permanent=True)


def _send_mail(message: Message) -> None:
    if not (settings.MAIL_SERVER or settings.MESSAGE_BOX):
        raise DeliveryError("尚未配置邮件服务")
    mail = EmailMessage(
        message.subject or settings.PORTAL_NAME,
        message.text,
        None,
        [message.recipient],
    )
    if message.attachment is not None:
        file = message.attachment
        mail.attach(file.name, read_private_file(file), file.content_type)
    try:
        mail.send()
    except SMTPRecipientsRefused as error:
        # 4xx: the mailbox is full or the server greylists; 5xx: there is no such mailbox.
        codes = [code for code, _ in error.recipients.values()]
        raise DeliveryError(
            f"收件人被拒绝（{codes[0]}）", permanent=min(codes) >= SMTP_PERMANENT
        ) from None
    except OSError as error:  # smtplib's errors are OSErrors
        raise DeliveryError(type(error).__name__) from error


@transaction.atomic
def _finish(message: Message, *, state: str, error: str, now: datetime) -> None:
    row = lock_message(message.pk)
    if row.state == Message.State.SENT:
        # By another worker, after this one's lease had ended.
        return
    row.state = state
    row.error = error
    if state == Message.State.SENT:
        row.sent_at = now
    row.save(update_fields=["state", "error", "sent_at"])


def _give_up_for_now(
    message: Message, *, error: DeliveryError, began: datetime, now: datetime
) -> None:
    """Try again later, if that may help; a channel that hangs rests meanwhile."""
    if now - began >= HANGS_AFTER:
        logger.warning("provider hangs", extra={"channel": message.channel})
        shared_cache.set(_pause_key(message.channel), True, PAUSE_SECONDS)
    if error.permanent or message.tries > len(RETRY_PAUSES):
        _finish(message, state=Message.State.FAILED, error=str(error)[:200], now=now)
        return
    Message.objects.filter(pk=message.pk, state=Message.State.WAITING).update(
        due_at=now + RETRY_PAUSES[message.tries - 1], error=str(error)[:200]
    )


def _mask_recipient(channel: str, recipient: str) -> str:
    if channel == Message.Channel.SMS:
        return mask_phone(recipient)
    if channel == Message.Channel.MAIL:
        return mask_email(recipient)
    return f"{recipient[:4]}****{recipient[-4:]}"


@transaction.atomic
def retry_message(*, message_id: int, actor: User, now: datetime) -> bool:
    """Put a failed message at the head of the queue again; False if it cannot be any more."""
    row = lock_message(message_id)
    is_over = row.expires_at is not None and row.expires_at <= now
    if row.state != Message.State.FAILED or is_over or not row.text_cipher:
        return False
    row.state = Message.State.WAITING
    row.tries = 0
    row.due_at = now
    row.error = ""
    row.save(update_fields=["state", "tries", "due_at", "error"])
    record_audit(
        action="message.queued_again",
        target=f"message:{row.code}",
        actor=actor,
        now=now,
    )
    return True
