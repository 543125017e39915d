"""One upload in two windows: every byte is kept once, and one video comes of it."""

from typing import Any

import pytest
from django.utils import timezone

from catalog import services
from catalog.errors import UploadRefusedError
from catalog.models import Video, VideoUpload
from catalog.services.uploads import read_upload
from catalog.services.videos import _take_lease
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VideoFactory, VideoUploadFactory
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = b"twelve bytes"
THREADS = 6


def at_once(action: Any) -> list[Any]:
    return run_together(*[action] * THREADS)


def test_part_sent_many_times_at_once_is_kept_once() -> None:
    upload = VideoUploadFactory(person=UserFactory())

    def send() -> int:
        return services.receive_part(
            upload=VideoUpload.objects.get(),
            offset=0,
            content=CONTENT,
            digest="",
            now=timezone.now(),
        )

    assert at_once(send) == [12] * THREADS
    assert upload.parts.count() == 1
    assert b"".join(read_upload(upload)) == CONTENT


def test_upload_taken_many_times_at_once_is_one_video() -> None:
    person = UserFactory()
    upload = VideoUploadFactory(person=person, size=12, received=12)

    def take() -> bool:
        try:
            services.take_upload(
                person=person, code=upload.code, video=Video(created_at=timezone.now())
            )
        except UploadRefusedError:
            return False
        return True

    assert sorted(at_once(take)) == [False] * (THREADS - 1) + [True]
    assert Video.objects.count() == 1


def test_part_of_an_upload_that_was_given_up_is_refused() -> None:
    upload = VideoUploadFactory(person=UserFactory())
    VideoUpload.objects.all().delete()

    with pytest.raises(UploadRefusedError):
        services.receive_part(
            upload=upload, offset=0, content=CONTENT, digest="", now=timezone.now()
        )


def test_workers_at_many_videos_take_as_many_as_may_be(settings: Any) -> None:
    settings.VIDEOS_AT_ONCE = 2
    keys = [VideoFactory(waiting=True).pk for _ in range(THREADS)]

    leases = run_together(
        *(lambda key=key: _take_lease(key, timezone.now) for key in keys)
    )

    assert len([lease for lease in leases if lease]) == 2
    assert Video.objects.exclude(lease_until=None).count() == 2
