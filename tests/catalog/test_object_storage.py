"""Videos in S3-compatible storage: kept there, played from there by addresses that end."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from catalog import services
from catalog.models import Video
from catalog.queries import (
    read_served_bytes,
    signed_stream_url,
    signed_video_url,
)
from portal.lib import media
from portal.object_storage import read_storage_url
from tests.factories.catalog import VideoFactory, VideoUploadFactory
from tests.object_store import Store, open_store

pytest.importorskip("storages.backends.s3", reason="requirements/s3.txt")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    target = tmp_path_factory.mktemp("film") / "film.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=s=480x270:r=5:d=1"]
    media.run_ffmpeg([*source, "-pix_fmt", "yuv420p", str(target)])
    return target.read_bytes()


@pytest.fixture
def store(settings: Any) -> Iterator[Store]:
    with open_store() as opened:
        storage = read_storage_url(opened.storage_url)
        settings.STORAGES = settings.STORAGES | {"default": storage.backend}
        settings.STORAGE_ORIGIN = storage.origin
        # As docker-compose.yml has it, whatever the storage.
        settings.VIDEO_ACCEL_LOCATION = "/protected-media/"
        yield opened


@pytest.fixture
def video(store: Store, db: None, staff: Any, film: bytes) -> Video:
    """Came in parts, and was processed by a worker that shares nothing but the store."""
    now = timezone.now()
    upload = VideoUploadFactory(person=staff, size=len(film), name="film.mp4")
    services.receive_part(upload=upload, offset=0, content=film, digest="", now=now)
    row = Video(created_at=now)
    row.captions.save("film.vtt", ContentFile(b"WEBVTT\n"), save=False)
    services.take_upload(person=staff, code=upload.code, video=row)
    services.process_video(video_id=row.pk, clock=timezone.now)
    row.refresh_from_db()
    return row


@pytest.fixture
def client(client_of: Any, owner: Any) -> Any:
    return client_of(owner)


def fetch(address: str, wanted: str = "") -> tuple[int, bytes]:
    request = Request(address, headers={"Range": wanted} if wanted else {})
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        error.close()
        return error.code, b""


def test_everything_lies_in_the_store(video: Video, store: Store, film: bytes) -> None:
    qualities = list(video.qualities.all())
    names = {video.file.name, video.poster.name, video.captions.name}
    names |= {video.source.name, *(quality.file.name for quality in qualities)}

    assert video.state == Video.State.READY
    assert len(qualities) == 2
    assert set(store.objects) == names
    assert store.objects[str(video.source.name)] == film
    assert len(store.objects[str(video.file.name)]) == video.size


def test_video_and_poster_come_from_the_store(
    client: Any, client_of: Any, stranger: Any, video: Video, store: Store, owner: Any
) -> None:
    for name, file in (("video.mp4", video.file), ("poster.jpg", video.poster)):
        address = signed_video_url(video, owner, timezone.now(), name)
        answer = client.get(address)
        place = answer["Location"]

        assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
        assert place.startswith(f"{store.origin}/videos/{file.name}?")
        content = store.objects[str(file.name)]
        assert fetch(place) == (200, content)
        assert fetch(place, "bytes=5-9") == (206, content[5:10])
        assert fetch(place.replace(file.name, str(video.source.name)))[0] == 403
        assert client_of(stranger).get(address).status_code == 404


def test_segments_come_from_the_store(
    client: Any, video: Video, store: Store, owner: Any
) -> None:
    stream = signed_stream_url(video, owner, timezone.now())
    names = re.findall(
        r"^\w+\.m3u8$", client.get(stream).content.decode(), re.MULTILINE
    )
    assert names == ["270p.m3u8", "240p.m3u8"]
    for name in names:
        playlist = client.get(urljoin(stream, name)).content.decode()
        content = store.objects[
            str(video.qualities.get(name=name.removesuffix(".m3u8")).file.name)
        ]
        (head,) = re.findall(r'#EXT-X-MAP:URI="([^"]+)"', playlist)
        (place,) = re.findall(r"^http.*$", playlist, re.MULTILINE)
        assert head == place
        size, start = re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)", playlist)[0]
        end = int(start) + int(size)
        wanted = fetch(place, f"bytes={start}-{end - 1}")
        assert wanted == (206, content[int(start) : end])


def test_address_at_the_store_ends_with_the_token(
    client: Any, video: Video, owner: Any, now: datetime, time_machine: Any
) -> None:
    time_machine.move_to(now, tick=False)
    place = client.get(signed_video_url(video, owner, now))["Location"]

    seconds = int(re.findall(r"X-Amz-Expires=(\d+)", place)[0])

    # Two hours and the video, up to the full hour.
    assert 2 * 3600 < seconds <= 3 * 3600 + 1
    long_ago = now - timedelta(hours=4)
    assert client.get(signed_video_url(video, owner, long_ago)).status_code == 403


def test_captions_come_from_the_portal(client: Any, video: Video, owner: Any) -> None:
    address = signed_video_url(video, owner, timezone.now(), "captions.vtt")

    answer = client.get(address)

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/vtt")
    assert b"".join(answer.streaming_content) == b"WEBVTT\n"


def test_nobody_counts_what_the_store_sends(
    client: Any, video: Video, owner: Any
) -> None:
    client.get(signed_video_url(video, owner, timezone.now()))

    assert read_served_bytes(owner.pk, video.pk) is None


@pytest.mark.django_db
def test_upload_that_is_gone_from_the_store_fails_with_the_reason(store: Store) -> None:
    video = VideoFactory(waiting=True)

    services.process_video(video_id=video.pk, clock=timezone.now)

    video.refresh_from_db()
    assert video.failure == "原始文件不存在，请重新上传"


def test_two_files_of_one_name_are_two(store: Store) -> None:
    first = default_storage.save("a.txt", ContentFile(b"1"))
    second = default_storage.save("a.txt", ContentFile(b"2"))

    assert first != second
    assert sorted(store.objects.values()) == [b"1", b"2"]
