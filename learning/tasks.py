from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from learning.services import appeals, flags, sessions


@shared_task
def close_idle_sessions(**_kwargs: object) -> None:
    sessions.close_idle_sessions(now=timezone.now())


@shared_task
def raise_flags(**_kwargs: object) -> None:
    """Look at yesterday, which has ended; a second run finds nothing new."""
    now = timezone.now()
    yesterday = timezone.localdate(now) - timedelta(days=1)
    flags.raise_flags(day=yesterday, now=now)


@shared_task
def forget_old_appeals(**_kwargs: object) -> None:
    appeals.forget_old_appeals(now=timezone.now())
