"""Forgetting: what was kept for a moment is not kept for years (个人信息保护法, article 19)."""

from datetime import datetime, timedelta

from captcha.models import CaptchaStore
from django.contrib.sessions.models import Session

from accounts.models import Message, ThrottleCounter, VerificationCode
from accounts.services.files import delete_expired_files
from accounts.services.lists import forget_old_lists
from accounts.services.requests import forget_old_requests
from accounts.services.sessions import settle_old_sessions

# The longest rate limit looks back one day.
CODE_AGE = timedelta(days=2)
COUNTER_AGE = timedelta(days=2)
# Long enough to answer "I never got an SMS"; after it the row stays without its text.
TEXT_AGE = timedelta(days=90)


def forget_old_traces(*, now: datetime) -> None:
    """Delete what has served its purpose: codes, captchas, counters, ended sessions and files,
    texts of messages, rows of lists.

    Each kind in transactions of its own: nobody waits for all of it, and what has gone stays
    gone. Files come last, for their storage may be out of reach.
    """
    forget_old_lists(now=now)
    settle_old_sessions(now=now)
    forget_old_requests(now=now)
    VerificationCode.objects.filter(sent_at__lt=now - CODE_AGE).delete()
    ThrottleCounter.objects.filter(window_started_at__lt=now - COUNTER_AGE).delete()
    CaptchaStore.objects.filter(expiration__lt=now).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    Message.objects.filter(created_at__lt=now - TEXT_AGE).exclude(
        state=Message.State.WAITING
    ).exclude(text_cipher=b"").update(text_cipher=b"", recipient_cipher=b"")
    delete_expired_files(now=now)
