"""How many SMS may go out: a cap an hour for everybody, and notices a day for one phone."""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.locks import lock_counter
from accounts.models import Message, ThrottleCounter
from accounts.rules.throttles import (
    HOUR,
    NOTICE_PERCENT,
    NOTICE_PHONE,
    Window,
    count_try,
    is_allowed,
)
from accounts.services.throttling import throttle_key

logger = logging.getLogger(__name__)

# How many are sent between two looks at what other workers have sent meanwhile.
RECOUNT_AFTER = 20


class SmsBudget:
    """What is left of `SMS_HOURLY_CAP`; notices leave the last fifth to codes."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now
        self._spent = 0
        self._sent = self._count()
        if not self.allows_notices:
            logger.warning("hourly cap of SMS reached", extra={"sent": self._sent})

    @property
    def allows_codes(self) -> bool:
        return self._sent < settings.SMS_HOURLY_CAP

    @property
    def allows_notices(self) -> bool:
        return self._sent * 100 < settings.SMS_HOURLY_CAP * NOTICE_PERCENT

    def spend(self) -> None:
        """One more was sent."""
        self._spent += 1
        self._sent = self._sent + 1 if self._spent % RECOUNT_AFTER else self._count()

    def _count(self) -> int:
        return Message.objects.filter(
            channel=Message.Channel.SMS, sent_at__gt=self._now - HOUR
        ).count()


@dataclass(frozen=True)
class NoticeCount:
    """Whether a phone may get one more notice, and when the next day of counting begins."""

    is_allowed: bool
    free_at: datetime


@transaction.atomic
def count_notice(message: Message, *, now: datetime) -> NoticeCount | None:
    """Count one more notice for the message's phone; None for codes and other channels.

    The try counts and not the success: a provider that says no may have sent all the same.
    """
    if message.channel != Message.Channel.SMS or message.is_code:
        return None
    key = throttle_key("notice", message.recipient)
    row = lock_counter(ThrottleCounter.Scope.NOTICE_PHONE, key, now=now)
    known = Window(row.count, row.window_started_at) if row.count else None
    window = count_try(known, NOTICE_PHONE, now=now)
    if is_allowed(window, NOTICE_PHONE):
        row.count, row.window_started_at = window.count, window.started_at
        row.save(update_fields=["count", "window_started_at"])
    return NoticeCount(
        is_allowed(window, NOTICE_PHONE), window.started_at + NOTICE_PHONE.window
    )
