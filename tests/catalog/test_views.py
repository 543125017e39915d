"""Videos under signed addresses: who may fetch what, and byte ranges."""

from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client, override_settings
from django.utils import timezone

from catalog.models import Video
from catalog.queries import (
    read_served_bytes,
    signed_stream_url,
    signed_video_url,
)
from tests.app_client import app_of, with_token
from tests.factories.catalog import VideoFactory, VideoQualityFactory

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def video(db: None) -> Video:
    row = VideoFactory(size=len(CONTENT))
    row.file.save("lecture.mp4", ContentFile(CONTENT), save=False)
    row.poster.save("lecture.jpg", ContentFile(b"jpeg"), save=False)
    row.save()
    return row


@pytest.fixture
def address(video: Video, owner: Any) -> str:
    return signed_video_url(video, owner, timezone.now())


@pytest.fixture
def client(client_of: Any, owner: Any) -> Any:
    return client_of(owner)


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_whole_video(client: Any, address: str) -> None:
    response = client.get(address)

    assert response.status_code == 200
    assert body(response) == CONTENT
    assert response["Content-Length"] == str(len(CONTENT))
    assert response["Content-Type"] == "video/mp4"
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"] == "private, max-age=3600"


def test_part_of_a_video(client: Any, address: str) -> None:
    response = client.get(address, headers={"Range": "bytes=1000-1999"})

    assert response.status_code == 206
    assert body(response) == CONTENT[1000:2000]
    assert response["Content-Range"] == f"bytes 1000-1999/{len(CONTENT)}"
    assert response["Content-Length"] == "1000"


def test_last_bytes(client: Any, address: str) -> None:
    response = client.get(address, headers={"Range": "bytes=-10"})

    assert response.status_code == 206
    assert body(response) == CONTENT[-10:]


def test_range_behind_the_end(client: Any, address: str) -> None:
    response = client.get(address, headers={"Range": f"bytes={len(CONTENT)}-"})

    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(CONTENT)}"


def test_head_has_the_same_heads_and_no_body(client: Any, address: str) -> None:
    whole = client.head(address)
    part = client.head(address, headers={"Range": "bytes=0-9"})

    assert (whole.status_code, whole["Content-Length"]) == (200, str(len(CONTENT)))
    assert (part.status_code, part["Content-Length"]) == (206, "10")
    assert whole.content == part.content == b""


def test_if_range_of_the_same_file_gives_the_part(client: Any, address: str) -> None:
    known = client.head(address)
    for condition in (known["ETag"], known["Last-Modified"]):
        response = client.get(
            address, headers={"Range": "bytes=0-9", "If-Range": condition}
        )

        assert response.status_code == 206
        assert body(response) == CONTENT[:10]


def test_if_range_of_another_file_gives_the_whole(client: Any, address: str) -> None:
    for condition in ('"other"', formatdate(0, usegmt=True)):
        response = client.get(
            address, headers={"Range": "bytes=0-9", "If-Range": condition}
        )

        assert response.status_code == 200
        assert body(response) == CONTENT


def test_unchanged_file_is_not_sent_again(client: Any, address: str) -> None:
    etag = client.head(address)["ETag"]

    response = client.get(address, headers={"If-None-Match": etag})

    assert response.status_code == 304
    assert response["ETag"] == etag


def test_address_of_another_person(client_of: Any, stranger: Any, address: str) -> None:
    assert client_of(stranger).get(address).status_code == 404


def test_address_without_login(db: None, client_of: Any, address: str) -> None:
    assert Client().get(address).status_code == 404


def test_forged_address(client: Any, video: Video, owner: Any, address: str) -> None:
    other = VideoFactory()
    token = address.split("/")[2]
    forged = token.replace(f".{video.pk}.", f".{other.pk}.", 1)
    assert forged != token

    assert client.get(address.replace(token, forged)).status_code == 404
    assert client.get(address.replace(token, "x" + token)).status_code == 404
    assert client.get(address.replace(token, "nonsense")).status_code == 404


def test_address_ends(client: Any, video: Video, owner: Any) -> None:
    old = signed_video_url(video, owner, timezone.now() - timedelta(hours=4))

    response = client.get(old)

    assert response.status_code == 403
    assert response.content.decode() == "播放地址已过期，请刷新页面"


def test_only_files_of_the_video_have_addresses(
    client: Any, video: Video, owner: Any
) -> None:
    now = timezone.now()
    poster = client.get(signed_video_url(video, owner, now, "poster.jpg"))
    captions = client.get(signed_video_url(video, owner, now, "captions.vtt"))
    other = client.get(signed_video_url(video, owner, now, "source.mov"))

    assert (poster.status_code, poster["Content-Type"]) == (200, "image/jpeg")
    assert body(poster) == b"jpeg"
    assert captions.status_code == 404
    assert other.status_code == 404


def test_video_that_is_not_ready(client: Any, owner: Any) -> None:
    waiting = VideoFactory(waiting=True)

    response = client.get(signed_video_url(waiting, owner, timezone.now()))

    assert response.status_code == 404


def test_file_that_is_gone(client: Any, video: Video, address: str) -> None:
    Path(video.file.path).unlink()

    assert client.get(address).status_code == 404


def test_post_is_refused(client: Any, address: str) -> None:
    assert client.post(address).status_code == 405


def test_proxy_sends_the_file_when_configured(
    client: Any, video: Video, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "VIDEO_ACCEL_LOCATION", "/protected/")

    response = client.get(address)

    assert response["X-Accel-Redirect"] == f"/protected/{video.file.name}"
    assert response["Content-Type"] == "video/mp4"
    assert response.content == b""


def test_reading_a_part_costs_few_queries(
    client: Any, address: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3):  # session, person, video
        client.get(address, headers={"Range": "bytes=0-9"})


# --- Several qualities -------------------------------------------------------------------
@pytest.fixture
def stream(video: Video, owner: Any) -> str:
    """Address of the list of two qualities, whose files are there."""
    video.has_stream = True
    video.save()
    for name, height in (("360p", 360), ("540p", 540)):
        quality = VideoQualityFactory(video=video, name=name, height=height)
        quality.file.save(f"{name}.mp4", ContentFile(CONTENT[:1000]))
    return signed_stream_url(video, owner, timezone.now())


def beside(address: str, name: str) -> str:
    """What a player makes of a relative address in a playlist."""
    return urljoin(address, name)


def test_list_of_qualities_best_first(client: Any, stream: str) -> None:
    response = client.get(stream)

    assert response["Content-Type"] == "application/vnd.apple.mpegurl"
    assert response["Cache-Control"] == "no-store"
    lines = response.content.decode().splitlines()
    assert [line for line in lines if line.endswith(".m3u8")] == [
        *("540p.m3u8", "360p.m3u8")
    ]


def test_playlist_and_segments_of_a_quality(client: Any, stream: str) -> None:
    playlist = client.get(beside(stream, "360p.m3u8"))
    segment = client.get(beside(stream, "360p.mp4"), headers={"Range": "bytes=100-999"})

    assert playlist["Content-Type"] == "application/vnd.apple.mpegurl"
    assert playlist["Cache-Control"] == "no-store"
    assert "\n360p.mp4\n" in playlist.content.decode()
    assert (segment.status_code, segment["Content-Type"]) == (206, "video/mp4")
    assert segment["Cache-Control"] == "private, max-age=3600"
    assert body(segment) == CONTENT[100:1000]


STREAM_FILES = ("stream.m3u8", "360p.m3u8", "360p.mp4")


@pytest.mark.parametrize("name", STREAM_FILES)
def test_stream_is_for_the_person_of_its_token(
    name: str, client_of: Any, stranger: Any, stream: str
) -> None:
    for client in (client_of(stranger), Client()):
        assert client.get(beside(stream, name)).status_code == 404


@pytest.mark.parametrize("name", STREAM_FILES)
def test_stream_ends(
    name: str, client: Any, stream: str, video: Video, owner: Any
) -> None:
    old = signed_stream_url(video, owner, timezone.now() - timedelta(hours=4))

    assert client.get(beside(old, name)).status_code == 403


@pytest.mark.parametrize("name", ["1080p.m3u8", "1080p.mp4", "..m3u8", "360p.ts", "x"])
def test_stream_has_no_other_files(name: str, client: Any, stream: str) -> None:
    assert client.get(beside(stream, name)).status_code == 404


@pytest.mark.parametrize("name", STREAM_FILES)
def test_stream_of_a_video_that_is_made_anew_waits(
    name: str, client: Any, stream: str
) -> None:
    Video.objects.update(state=Video.State.WAITING)

    assert client.get(beside(stream, name)).status_code == 404


def test_video_without_qualities_has_no_stream(client: Any, address: str) -> None:
    assert client.get(beside(address, "stream.m3u8")).status_code == 404


def test_proxy_sends_segments(
    client: Any, stream: str, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "VIDEO_ACCEL_LOCATION", "/protected/")

    response = client.get(beside(stream, "360p.mp4"))

    stored = video.qualities.get(name="360p").file.name
    assert response["X-Accel-Redirect"] == f"/protected/{stored}"
    assert response["Content-Type"] == "video/mp4"


def test_a_segment_costs_few_queries(
    client: Any, stream: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3):  # session, person, quality
        client.get(beside(stream, "360p.mp4"), headers={"Range": "bytes=0-9"})


# --- What was served ---------------------------------------------------------------------
@pytest.mark.parametrize("location", ["", "/protected/"])
def test_bytes_asked_for_are_counted_whoever_sends_them(
    location: str,
    client: Any,
    stream: str,
    video: Video,
    owner: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "VIDEO_ACCEL_LOCATION", location)
    assert read_served_bytes(owner.pk, video.pk) == 0

    client.get(beside(stream, "360p.mp4"), headers={"Range": "bytes=100-999"})
    client.get(beside(stream, "540p.mp4"))
    client.get(beside(stream, "video.mp4"), headers={"Range": "bytes=-10"})

    assert read_served_bytes(owner.pk, video.pk) == 900 + 1000 + 10


def test_what_sends_no_film_is_not_counted(
    client: Any, client_of: Any, stranger: Any, stream: str, video: Video, owner: Any
) -> None:
    client.head(beside(stream, "video.mp4"))
    client.get(beside(stream, "poster.jpg"))
    client.get(beside(stream, "360p.m3u8"))
    client.get(beside(stream, "360p.mp4"), headers={"Range": "bytes=5000-"})
    client_of(stranger).get(beside(stream, "360p.mp4"))

    assert read_served_bytes(owner.pk, video.pk) == 0
    assert read_served_bytes(stranger.pk, video.pk) == 0


def test_nobody_knows_what_the_store_served(owner: Any, video: Video) -> None:
    with override_settings(STORAGE_ORIGIN="https://store.example"):
        assert read_served_bytes(owner.pk, video.pk) is None


def test_an_app_fetches_with_its_token(owner: Any, address: str) -> None:
    response = app_of(owner).get(address, headers={"range": "bytes=0-9"})

    assert response.status_code == 206
    assert body(response) == CONTENT[:10]


def test_a_token_of_another_person_or_of_nobody_fetches_nothing(
    stranger: Any, address: str
) -> None:
    assert app_of(stranger).get(address).status_code == 404
    assert with_token("nobody").get(address).status_code == 404
