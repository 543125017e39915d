"""Work at videos that goes wrong, is killed, or is more than there are workers for."""

import errno
import os
import re
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from catalog import services, tasks
from catalog.models import Video, VideoUpload
from catalog.services import videos
from portal.lib import media
from tests.factories.catalog import VideoFactory, VideoUploadFactory

pytestmark = pytest.mark.django_db

JUNK = b"no film at all"
NO_FILM = "无法识别视频：文件中没有可播放的画面"


def process(video: Video, now: datetime) -> bool:
    done = services.process_video(video_id=video.pk, clock=lambda: now)
    video.refresh_from_db()
    return done


def come_in_parts(staff: Any, now: datetime, content: bytes = JUNK) -> Video:
    """A video whose file is two parts yet."""
    upload = VideoUploadFactory(person=staff, size=len(content))
    for offset, part in ((0, content[:5]), (5, content[5:])):
        upload.refresh_from_db()
        services.receive_part(
            upload=upload, offset=offset, content=part, digest="", now=now
        )
    video = Video(created_at=now)
    services.take_upload(person=staff, code=upload.code, video=video)
    return video


def list_parts(video: Video) -> list[str]:
    return [str(part.file.name) for part in video.upload.parts.order_by("offset")]


# --- Failures ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left"), "存储空间不足：请腾出空间后重新处理"),
        (
            RuntimeError("secret"),
            "处理中断（RuntimeError）：请重新处理，再次失败请告知技术人员",
        ),
    ],
)
def test_what_goes_wrong_is_told_and_not_tried_for_ever(
    error: Exception, reason: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_args: object) -> None:
        raise error

    monkeypatch.setattr(videos, "_make_playable", break_down)
    video = VideoFactory(waiting=True)

    with pytest.raises(type(error)):
        process(video, now)

    video.refresh_from_db()
    assert (video.state, video.failure) == (Video.State.FAILED, reason)
    assert video.lease_until is None


def test_storage_that_fails_halfway_keeps_nothing(
    now: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    media.run_ffmpeg(
        ["-f", "lavfi", "-i", "testsrc=s=64x48:r=5:d=1", str(tmp_path / "a.avi")]
    )
    video = VideoFactory(waiting=True, source="")
    video.source.save("a.avi", ContentFile((tmp_path / "a.avi").read_bytes()))
    store, stored = videos._store, []

    def fill_up(path: Path, name: str) -> str:
        if name.endswith(".jpg"):
            raise OSError(errno.ENOSPC, "No space left")
        stored.append(store(path, name))
        return stored[-1]

    monkeypatch.setattr(videos, "_store", fill_up)
    with pytest.raises(OSError, match="No space left"):
        process(video, now)

    assert len(stored) == 1
    assert not default_storage.exists(stored[0])
    video.refresh_from_db()
    assert (video.state, video.file) == (Video.State.FAILED, "")


def test_files_of_a_commit_whose_answer_was_lost_stay(now: datetime) -> None:
    kept = default_storage.save("videos/kept.mp4", ContentFile(b"film"))
    video = VideoFactory(file=kept)

    videos._discard(videos.VideoLease(video.pk, now, lambda: now), [kept])

    assert default_storage.exists(kept)


def test_film_without_a_length_fails_with_the_reason(
    now: datetime, monkeypatch: pytest.MonkeyPatch, staff: Any
) -> None:
    empty = media.Probe(0, 64, 48, "h264", "yuv420p", "", "mp4")
    monkeypatch.setattr(media, "probe", lambda _path: empty)
    monkeypatch.setattr(media, "normalise", lambda *_args, **_facts: None)
    video = come_in_parts(staff, now)

    process(video, now)

    assert video.failure == "无法识别视频：画面没有时长"


# --- Killed workers ------------------------------------------------------------------------
def test_worker_killed_while_it_deletes_the_parts_costs_nothing(
    staff: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = come_in_parts(staff, now)
    parts = list_parts(video)

    def be_killed(upload: VideoUpload) -> None:
        default_storage.delete(parts[0])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(videos, "forget_upload", be_killed)
        with pytest.raises(KeyboardInterrupt):
            process(video, now)
    process(video, now + timedelta(minutes=4))

    # It was read as a whole again.
    assert video.failure == NO_FILM
    with default_storage.open(str(video.source.name)) as source:
        assert source.read() == JUNK
    assert services.forget_abandoned_uploads(now=now) == 1
    assert not VideoUpload.objects.exists()
    assert not any(default_storage.exists(name) for name in parts)


def test_folder_of_a_killed_worker_is_removed(
    now: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ages = {"portal-video-old": 25, "portal-video-new": 23, "somebody-else": 99}
    for name, hours in ages.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "source").write_bytes(b"film")
        then = (now - timedelta(hours=hours)).timestamp()
        os.utime(tmp_path / name, (then, then))

    process(VideoFactory(waiting=True), now)

    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["portal-video-new", "somebody-else"]


def test_lease_lasts_while_a_large_file_moves(
    staff: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "SLOWEST_BYTES_PER_SECOND", 1)
    video = come_in_parts(staff, now)
    while_storing: list[Any] = []
    while_reading: list[Any] = []
    store = videos._store

    def look(seen: list[Any]) -> None:
        seen.append(Video.objects.get().lease_until)

    def slow(path: Path, name: str) -> str:
        look(while_storing)
        return store(path, name)

    def read(_path: Path) -> None:
        look(while_reading)
        raise media.MediaError("enough")

    monkeypatch.setattr(videos, "_store", slow)
    monkeypatch.setattr(media, "probe", read)
    monkeypatch.setattr(videos, "RENEW_AFTER", timedelta(0))

    process(video, now)
    long = now + videos.LEASE + timedelta(seconds=len(JUNK))
    assert while_storing == while_reading == [long]
    assert services.retry_video(video_id=video.pk)
    process(video, now)

    # The second time the source was one file.
    assert (while_storing, while_reading) == ([long], [long, long])


# --- As many as may be ---------------------------------------------------------------------
def test_other_videos_wait_while_one_is_worked_at(now: datetime, settings: Any) -> None:
    VideoFactory(waiting=True, lease_until=now + timedelta(minutes=1))
    VideoFactory(waiting=True, lease_until=now - timedelta(minutes=1))
    VideoFactory(failed=True, lease_until=now + timedelta(minutes=1))
    waiting = VideoFactory(waiting=True)

    assert not process(waiting, now)
    assert (waiting.state, waiting.lease_until) == (Video.State.WAITING, None)

    settings.VIDEOS_AT_ONCE = 2
    assert process(waiting, now)
    assert waiting.state == Video.State.FAILED


def test_next_video_begins_when_one_is_done(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    first, second = VideoFactory(waiting=True), VideoFactory(waiting=True)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.process_video.delay(first.pk)

    assert set(Video.objects.values_list("state", flat=True)) == {Video.State.FAILED}
    assert second.pk != first.pk


# --- Deleting ------------------------------------------------------------------------------
def make_files(video: Video) -> list[str]:
    """Something for every file of a video."""
    fields = (video.source, video.file, video.poster, video.captions)
    for field in fields:
        field.save("film.bin", ContentFile(b"film"), save=False)
    video.save()
    quality = video.qualities.create(
        name="360p", width=640, height=360, bandwidth=1, size=4, playlist=""
    )
    quality.file.save("film-360p.mp4", ContentFile(b"film"))
    return [str(field.name) for field in (*fields, quality.file)]


def test_deleted_video_takes_its_files_along(
    client_of: Any, staff: Any, django_capture_on_commit_callbacks: Any
) -> None:
    one, two, kept = (VideoFactory() for _ in range(3))
    names = [*make_files(one), *make_files(two)]
    left = make_files(kept)
    client = client_of(staff)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/staff/catalog/video/{one.pk}/delete/", {"post": "yes"})
    with django_capture_on_commit_callbacks(execute=True):
        chosen = {"action": "delete_selected", "_selected_action": two.pk}
        client.post("/staff/catalog/video/", chosen | {"post": "yes"})

    assert Video.objects.get() == kept
    assert [name for name in names if default_storage.exists(name)] == []
    assert all(default_storage.exists(name) for name in left)


def test_video_deleted_before_its_parts_were_one_file(
    staff: Any, now: datetime, django_capture_on_commit_callbacks: Any
) -> None:
    """Two uploads of one name: until it is put together, a file of that name is the other's."""
    first = come_in_parts(staff, now)
    process(first, now)
    second = come_in_parts(staff, now)
    Video.objects.filter(pk=second.pk).update(source=first.source)
    parts = list_parts(second)

    with django_capture_on_commit_callbacks(execute=True):
        services.delete_video(video_id=second.pk)

    assert not any(default_storage.exists(name) for name in parts)
    assert default_storage.exists(str(first.source.name))
    services.delete_video(video_id=second.pk)
    assert Video.objects.get() == first


def test_video_deleted_under_the_hands_of_a_worker(
    staff: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = come_in_parts(staff, now)
    store, stored = videos._store, []

    def store_and_delete(path: Path, name: str) -> str:
        stored.append(store(path, name))
        services.delete_video(video_id=video.pk)
        return stored[-1]

    monkeypatch.setattr(videos, "_store", store_and_delete)

    assert services.process_video(video_id=video.pk, clock=lambda: now)

    assert not Video.objects.exists()
    assert not default_storage.exists(stored[0])


# --- The page of a video -------------------------------------------------------------------
def test_new_captions_leave_alone_what_a_worker_writes(
    client_of: Any, staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = VideoFactory(waiting=True)

    def become_ready(_content: bytes) -> None:
        Video.objects.filter(pk=video.pk).update(
            state=Video.State.READY, file="videos/done.mp4", duration_ms=5000
        )

    monkeypatch.setattr("catalog.forms.check_captions", become_ready)
    page = f"/staff/catalog/video/{video.pk}/change/"
    captions = ContentFile(b"WEBVTT\n", name="zimu.vtt")

    assert client_of(staff).post(page, {"captions": captions}).status_code == 302

    video.refresh_from_db()
    assert (video.state, video.file, video.duration_ms) == (
        *(Video.State.READY, "videos/done.mp4", 5000),
    )
    assert video.captions.read() == b"WEBVTT\n"


def test_captions_that_are_there_open(client_of: Any, staff: Any) -> None:
    video = VideoFactory()
    video.captions.save("zimu.vtt", ContentFile(b"WEBVTT\n"))
    client = client_of(staff)

    html = client.get(f"/staff/catalog/video/{video.pk}/change/").content.decode()

    link = re.search(r'<a href="([^"]+captions.vtt)">zimu\w*\.vtt</a>', html)
    assert link
    assert b"".join(client.get(link[1]).streaming_content) == b"WEBVTT\n"


def test_failed_video_is_tried_again_from_its_page(client_of: Any, staff: Any) -> None:
    video, ready = VideoFactory(failed=True), VideoFactory()
    client = client_of(staff)
    page = f"/staff/catalog/video/{video.pk}/change/"
    assert 'name="_retry"' in client.get(page).content.decode()
    other = client.get(f"/staff/catalog/video/{ready.pk}/change/").content.decode()
    assert 'name="_retry"' not in other

    answer = client.post(page, {"_retry": "1"}, follow=True)

    assert "已重新提交 1 个视频" in answer.content.decode()
    video.refresh_from_db()
    assert (video.state, video.failure) == (Video.State.WAITING, "")
