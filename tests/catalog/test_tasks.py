from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog import tasks
from catalog.models import Video, VideoUpload
from tests.factories.catalog import VideoFactory, VideoUploadFactory

pytestmark = pytest.mark.django_db


def test_task_processes_one_video() -> None:
    video = VideoFactory(waiting=True)

    tasks.process_video.delay(video.pk)

    video.refresh_from_db()
    assert video.state == Video.State.FAILED  # the factory's source is not on disk


def test_task_of_a_deleted_video_does_nothing() -> None:
    tasks.process_video.delay(-1)

    assert not Video.objects.exists()


def test_sweep_wakes_the_oldest_uploads_nobody_works_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = timezone.now()
    woken: list[Any] = []
    monkeypatch.setattr(tasks.process_video, "delay", woken.append)
    VideoFactory(waiting=True, lease_until=now + timedelta(minutes=2))
    VideoFactory(failed=True)
    new, old, middle = (
        VideoFactory(waiting=True, created_at=now - timedelta(hours=age))
        for age in (1, 3, 2)
    )

    tasks.process_waiting_videos.delay()

    assert woken == [old.pk, middle.pk]
    assert new.pk not in woken


def test_sweep_forgets_abandoned_uploads(owner: Any) -> None:
    now = timezone.now()
    VideoUploadFactory(person=owner, touched_at=now - timedelta(days=3))
    fresh = VideoUploadFactory(person=owner, touched_at=now)

    tasks.forget_abandoned_uploads.delay()

    assert VideoUpload.objects.get() == fresh
