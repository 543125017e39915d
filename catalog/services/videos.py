"""From an upload to a file that browsers play and seek."""

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from catalog import locks
from catalog.models import Video, VideoQuality, VideoUploadPart
from catalog.services.uploads import (
    find_parts_of,
    forget_upload,
    note_put_together,
    read_upload,
)
from portal.lib import media, streams

# Renewed with ffmpeg's progress, several times a minute. A worker that is killed leaves its
# video to another after this time.
LEASE = timedelta(minutes=3)
RENEW_AFTER = timedelta(seconds=20)
# Nothing tells of progress while a file moves as a whole, to the store or on a disk.
SLOWEST_BYTES_PER_SECOND = 4_000_000

FOLDER = "portal-video-"
# No work takes so long: a folder of this age was left behind by a worker that was killed.
LEFT_BEHIND_AFTER = timedelta(days=1)


class LeaseLostError(Exception):
    """Another worker took the video over, or staff asked for a new start: stop quietly."""


@dataclass
class VideoLease:
    """The right to process one video: the value of its `lease_until` column.

    Whoever holds another value than the row has lost the right and writes nothing.
    """

    video_id: int
    until: datetime
    clock: Callable[[], datetime]
    length: timedelta = LEASE

    def renew(self, percent: int) -> None:
        """Show progress and keep the right. Raises LeaseLostError."""
        now = self.clock()
        if self.until - now > self.length - RENEW_AFTER:
            return
        self.write(lease_until=now + self.length, percent=percent)
        self.until = now + self.length

    def lengthen(self, size: int) -> None:
        """Keep the right for as long as `size` bytes take to move. Raises LeaseLostError."""
        self.length = LEASE + timedelta(seconds=size / SLOWEST_BYTES_PER_SECOND)
        self.renew(0)

    def write(self, **columns: object) -> None:
        """Change the row if the right still holds. Raises LeaseLostError."""
        held = Video.objects.filter(pk=self.video_id, lease_until=self.until)
        if held.update(**columns) == 0:
            raise LeaseLostError


def process_video(*, video_id: int, clock: Callable[[], datetime]) -> bool:
    """Turn an upload into a file that browsers play and seek, with poster and duration.

    Says whether there was anything to do: not when the video is not waiting, another worker is
    at it, or as many as may be are at others. Whatever goes wrong leaves the video failed, with
    the reason for staff, and is raised unless it is the file's fault. May be killed at any line.
    """
    lease = _take_lease(video_id, clock)
    if lease is None:
        return False
    _remove_leftovers(clock())
    try:
        with tempfile.TemporaryDirectory(prefix=FOLDER) as folder:
            _make_playable(lease, Path(folder))
    except media.MediaError as error:
        _fail(lease, str(error))
    except LeaseLostError:
        pass
    except Exception as error:
        # By itself it would be tried, and fail, every few minutes for ever.
        _fail(lease, _explain(error))
        raise
    return True


def _take_lease(video_id: int, clock: Callable[[], datetime]) -> VideoLease | None:
    now = clock()
    with transaction.atomic():
        leases = {video.pk: video.lease_until for video in locks.lock_waiting_videos()}
        held = {pk for pk, until in leases.items() if until and until >= now}
        if video_id not in leases.keys() - held:
            return None
        if len(held) >= settings.VIDEOS_AT_ONCE:
            return None
        Video.objects.filter(pk=video_id).update(lease_until=now + LEASE, percent=0)
    return VideoLease(video_id, now + LEASE, clock)


def _remove_leftovers(now: datetime) -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with suppress(FileNotFoundError):
            made_at = datetime.fromtimestamp(folder.stat().st_mtime, tz=UTC)
            if made_at < now - LEFT_BEHIND_AFTER:
                shutil.rmtree(folder, ignore_errors=True)


def _make_playable(lease: VideoLease, folder: Path) -> None:
    source, target, poster = (
        folder / "source",
        folder / "video.mp4",
        folder / "poster.jpg",
    )
    _fetch(lease, source)
    lease.lengthen(source.stat().st_size)
    found = media.probe(source)
    media.normalise(
        source, target, found=found, on_progress=lambda done: lease.renew(done // 2)
    )
    found = media.probe(target)
    if found.duration_ms == 0:
        raise media.MediaError("无法识别视频：画面没有时长")
    media.make_poster(target, poster, at_ms=found.duration_ms // 3)
    qualities = streams.make_qualities(
        target, folder, on_progress=lambda done: lease.renew(50 + done // 2)
    )
    files = {target: ".mp4", poster: ".jpg"}
    files |= {quality.file: f"-{quality.name}.mp4" for quality in qualities}
    stored: list[str] = []
    try:
        for file, suffix in files.items():
            lease.renew(99)
            stored.append(_store(file, f"videos/{lease.video_id}{suffix}"))
        with transaction.atomic():
            lease.write(
                file=stored[0],
                poster=stored[1],
                has_stream=True,
                state=Video.State.READY,
                duration_ms=found.duration_ms,
                width=found.width,
                height=found.height,
                size=target.stat().st_size,
                failure="",
                percent=100,
                lease_until=None,
            )
            _write_qualities(
                lease.video_id, dict(zip(stored[2:], qualities, strict=True))
            )
    except BaseException:
        _discard(lease, stored)
        raise


def _discard(lease: VideoLease, names: list[str]) -> None:
    """Delete what was stored and not written down."""
    # The answer to a commit may be lost on its way: then the files are the video's.
    if not Video.objects.filter(pk=lease.video_id, file__in=names).exists():
        for name in names:
            default_storage.delete(name)


def _write_qualities(video_id: int, qualities: dict[str, streams.Quality]) -> None:
    """Replace the rows of a video's stream by these, keyed by the names of stored files."""
    VideoQuality.objects.filter(video=video_id).delete()
    VideoQuality.objects.bulk_create(
        VideoQuality(
            video_id=video_id,
            name=quality.name,
            width=quality.width,
            height=quality.height,
            bandwidth=quality.bandwidth,
            codecs=quality.codecs,
            file=name,
            size=quality.file.stat().st_size,
            playlist=quality.playlist,
        )
        for name, quality in qualities.items()
    )


def _fetch(lease: VideoLease, target: Path) -> None:
    """Bring the upload here. What came in parts is kept as one file from now on."""
    video = Video.objects.filter(pk=lease.video_id).first()
    if video is None:
        raise LeaseLostError
    upload = find_parts_of(video)
    try:
        with target.open("wb") as local:
            for chunk in read_upload(upload) if upload else _read_source(video):
                local.write(chunk)
                lease.renew(0)
    except (FileNotFoundError, ValueError) as error:
        raise media.MediaError("原始文件不存在，请重新上传") from error
    if upload:
        lease.lengthen(upload.size)
        source = _store(target, str(video.source.name))
        try:
            with transaction.atomic():
                lease.write(source=source)
                note_put_together(upload)
        except LeaseLostError:
            default_storage.delete(source)
            raise
        forget_upload(upload)


def _read_source(video: Video) -> Iterator[bytes]:
    with video.source.open("rb") as stored:
        yield from stored.chunks()


def _store(path: Path, name: str) -> str:
    with path.open("rb") as local:
        return default_storage.save(name, File(local))


def _explain(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "存储空间不足：请腾出空间后重新处理"
    return f"处理中断（{type(error).__name__}）：请重新处理，再次失败请告知技术人员"


def _fail(lease: VideoLease, reason: str) -> None:
    with suppress(LeaseLostError):
        lease.write(state=Video.State.FAILED, failure=reason[:200], lease_until=None)


def retry_video(*, video_id: int) -> bool:
    """Put a failed video back in the queue; say whether it was one."""
    failed = Video.objects.filter(pk=video_id, state=Video.State.FAILED)
    return (
        failed.update(
            state=Video.State.WAITING, failure="", percent=0, lease_until=None
        )
        == 1
    )


@transaction.atomic
def delete_video(*, video_id: int) -> None:
    """Delete a video with everything that is stored of it; nothing happens to one that is gone.

    Raises `ProtectedError` while a chapter shows it.
    """
    video = locks.find_locked_video(video_id)
    if video is None:
        return
    files = [video.file, video.poster, video.captions]
    files += [quality.file for quality in video.qualities.all()]
    # Not before the parts are one file: until then the name may be another video's.
    if find_parts_of(video) is None:
        files.append(video.source)
    names = [str(file.name) for file in files if file]
    names += list(
        VideoUploadPart.objects.filter(upload__video=video).values_list(
            "file", flat=True
        )
    )
    video.delete()
    transaction.on_commit(lambda: _delete_files(names), robust=True)


def _delete_files(names: list[str]) -> None:
    for name in names:
        default_storage.delete(name)
