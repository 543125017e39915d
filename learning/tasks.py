from celery import shared_task
from django.utils import timezone

from learning.services import sessions


@shared_task
def close_idle_sessions(**_kwargs: object) -> None:
    sessions.close_idle_sessions(now=timezone.now())
