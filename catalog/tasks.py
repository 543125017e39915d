"""Wake-up calls for uploads; the rows say what is to be done."""

from celery import shared_task
from django.utils import timezone

from catalog import queries, services

# A day of recorded lectures encodes in this time on one core. Longer than the broker keeps a
# message from others: a second delivery finds the lease and does nothing.
LIMIT_SECONDS = 6 * 3600
VIDEOS_PER_SWEEP = 2
CAPTIONS_PER_SWEEP = 20


@shared_task(soft_time_limit=LIMIT_SECONDS - 60, time_limit=LIMIT_SECONDS)
def process_video(video_id: int, **_kwargs: object) -> None:
    """Make one upload playable, and let the next begin."""
    if services.process_video(video_id=video_id, clock=timezone.now):
        process_waiting_videos.delay_on_commit()


@shared_task
def process_waiting_videos(**_kwargs: object) -> None:
    """Find uploads whose wake-up call was lost or whose worker was killed."""
    waiting = queries.list_waiting_videos(timezone.now())
    for video_id in waiting.values_list("pk", flat=True)[:VIDEOS_PER_SWEEP]:
        process_video.delay(video_id)


@shared_task
def forget_abandoned_uploads(**_kwargs: object) -> None:
    """Delete the parts of uploads that nobody went on with."""
    services.forget_abandoned_uploads(now=timezone.now())


@shared_task
def read_new_captions(**_kwargs: object) -> None:
    """Read captions that were added or exchanged."""
    unread = queries.list_unread_captions()
    for video_id in unread.values_list("pk", flat=True)[:CAPTIONS_PER_SWEEP]:
        services.read_captions(video_id=video_id, now=timezone.now())
