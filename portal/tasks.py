"""Tasks of the portal itself."""

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

WORKER_SEEN_KEY = "portal.worker-seen-at"


@shared_task
def mark_worker_seen(**_kwargs: object) -> None:
    """Note in the cache when a worker last did something that beat had asked for."""
    cache.set(WORKER_SEEN_KEY, timezone.now(), timeout=None)
