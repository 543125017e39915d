"""Uploads in parts: what is kept, what is refused, and what a second try finds."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core.files.storage import default_storage

from catalog import services
from catalog.errors import (
    PartDamagedError,
    PartOutOfPlaceError,
    UploadIncompleteError,
    UploadRefusedError,
)
from catalog.models import Video, VideoUpload, VideoUploadPart
from catalog.rules import LARGEST_UPLOAD
from catalog.services.uploads import ABANDONED_AFTER, read_upload
from tests.factories.catalog import VideoUploadFactory

pytestmark = pytest.mark.django_db

CONTENT = b"twelve bytes"


def begin(staff: Any, now: datetime, **changes: Any) -> VideoUpload:
    told = {"name": "第一讲.MP4", "size": 12, "modified_ms": 5} | changes
    return services.begin_upload(person=staff, now=now, **told)


def receive(upload: VideoUpload, offset: int, content: bytes, now: datetime) -> int:
    upload.refresh_from_db()
    return services.receive_part(
        upload=upload, offset=offset, content=content, digest="", now=now
    )


def stored_parts() -> list[str]:
    return sorted(default_storage.listdir("uploads/parts")[1])


@pytest.fixture
def upload(staff: Any) -> VideoUpload:
    return VideoUploadFactory(person=staff)


def test_parts_in_order_make_the_file(upload: VideoUpload, now: datetime) -> None:
    assert receive(upload, 0, CONTENT[:5], now) == 5
    assert receive(upload, 5, CONTENT[5:], now) == 12

    upload.refresh_from_db()
    assert (upload.received, upload.touched_at) == (12, now)
    assert b"".join(read_upload(upload)) == CONTENT


def test_part_that_is_there_already_changes_nothing(
    upload: VideoUpload, now: datetime
) -> None:
    receive(upload, 0, CONTENT[:5], now)
    before = stored_parts()

    assert receive(upload, 0, b"other", now) == 5

    assert stored_parts() == before
    assert b"".join(read_upload(upload)) == CONTENT[:5]


@pytest.mark.parametrize(
    ("offset", "content"), [(6, b"x"), (-1, b"x"), (5, b"far too many")]
)
def test_part_out_of_place_is_refused_and_knows_the_place(
    offset: int, content: bytes, upload: VideoUpload, now: datetime
) -> None:
    receive(upload, 0, CONTENT[:5], now)
    before = stored_parts()

    with pytest.raises(PartOutOfPlaceError) as refusal:
        receive(upload, offset, content, now)

    assert refusal.value.received == 5
    assert (stored_parts(), VideoUploadPart.objects.count()) == (before, 1)


def test_damaged_part_is_refused(upload: VideoUpload, now: datetime) -> None:
    before = stored_parts() if default_storage.exists("uploads/parts") else []
    digest = sha256(CONTENT[:5]).hexdigest()
    for content, accepted in ((b"twelv", False), (CONTENT[:5], True)):
        try:
            services.receive_part(
                upload=upload, offset=0, content=content, digest=digest, now=now
            )
        except PartDamagedError:
            assert not accepted
    upload.refresh_from_db()
    assert upload.received == 5
    assert len(stored_parts()) == len(before) + 1


def test_same_file_goes_on_where_it_stopped(staff: Any, now: datetime) -> None:
    first = begin(staff, now)
    receive(first, 0, CONTENT[:5], now)

    again = begin(staff, now + timedelta(days=1))

    assert (again.pk, again.received) == (first.pk, 5)
    again.refresh_from_db()
    assert again.touched_at == now + timedelta(days=1)


@pytest.mark.parametrize(
    "change", [{"name": "第二讲.mp4"}, {"size": 13}, {"modified_ms": 6}]
)
def test_another_file_begins_anew(change: Any, staff: Any, now: datetime) -> None:
    first = begin(staff, now)

    assert begin(staff, now, **change).pk != first.pk


def test_same_file_of_another_person_begins_anew(
    staff: Any, stranger: Any, now: datetime
) -> None:
    assert begin(stranger, now).pk != begin(staff, now).pk


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "讲义.exe"}, "不支持这种文件类型"),
        ({"name": "mp4"}, "不支持这种文件类型"),
        ({"size": 0}, "文件是空的"),
        ({"size": -1}, "文件是空的"),
        ({"size": LARGEST_UPLOAD + 1}, "文件超过 4 GB"),
    ],
)
def test_files_that_are_not_taken(
    change: Any, message: str, staff: Any, now: datetime
) -> None:
    with pytest.raises(UploadRefusedError, match=message):
        begin(staff, now, **change)

    assert not VideoUpload.objects.exists()


def test_name_cannot_lead_elsewhere(staff: Any, now: datetime) -> None:
    assert begin(staff, now, name="../../etc/第 一讲.mp4").name == "第_一讲.mp4"


def test_complete_upload_becomes_a_video_once(
    upload: VideoUpload, staff: Any, now: datetime
) -> None:
    receive(upload, 0, CONTENT, now)
    video = Video(created_at=now)

    services.take_upload(person=staff, code=upload.code, video=video)

    assert Video.objects.get() == video
    assert (video.state, str(video)) == (Video.State.WAITING, "film.avi")
    with pytest.raises(UploadRefusedError):
        services.take_upload(
            person=staff, code=upload.code, video=Video(created_at=now)
        )
    assert Video.objects.count() == 1


def test_incomplete_upload_becomes_no_video(
    upload: VideoUpload, staff: Any, now: datetime
) -> None:
    receive(upload, 0, CONTENT[:5], now)

    with pytest.raises(UploadIncompleteError):
        services.take_upload(
            person=staff, code=upload.code, video=Video(created_at=now)
        )

    assert not Video.objects.exists()


def test_upload_of_another_person_becomes_no_video(
    upload: VideoUpload, stranger: Any, now: datetime
) -> None:
    receive(upload, 0, CONTENT, now)

    with pytest.raises(UploadRefusedError):
        services.take_upload(
            person=stranger, code=upload.code, video=Video(created_at=now)
        )

    assert not Video.objects.exists()


def test_abandoned_uploads_are_deleted_with_their_parts(
    staff: Any, now: datetime
) -> None:
    old, fresh, taken = (VideoUploadFactory(person=staff) for _ in range(3))
    for row in (old, fresh, taken):
        receive(row, 0, CONTENT, now)
    services.take_upload(person=staff, code=taken.code, video=Video(created_at=now))
    later = now + ABANDONED_AFTER + timedelta(seconds=1)
    begin(staff, later, name=fresh.name, modified_ms=fresh.modified_ms)
    VideoUpload.objects.filter(pk=fresh.pk).update(touched_at=later)
    VideoUpload.objects.filter(pk=old.pk).update(touched_at=now)
    lost = str(old.parts.get().file.name)

    assert services.forget_abandoned_uploads(now=later) == 1

    assert set(VideoUpload.objects.all()) == {fresh, taken}
    assert not default_storage.exists(lost)
    assert default_storage.exists(str(fresh.parts.get().file.name))
