"""Uploads that wait, and the signed addresses of what can be played."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.db.models import Q, QuerySet
from django.urls import reverse

from catalog.errors import (
    UploadRefusedError,
    VideoLinkExpiredError,
    VideoNotFoundError,
)
from catalog.models import (
    Video,
    VideoQuality,
    VideoUpload,
)


def list_waiting_videos(now: datetime) -> QuerySet[Video]:
    """Uploads that no living worker is processing, oldest first."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return Video.objects.filter(free, state=Video.State.WAITING).order_by("created_at")


# An address serves through a pause for lunch, not longer than an evening. It ends on the hour,
# so that reloading a page within the hour finds the video in the browser's cache.
VIDEO_LINK_LIFETIME = timedelta(hours=2)


VIDEO_LINK_STEP_SECONDS = 3600


_VIDEO_SALT = "catalog.video"


def signed_video_url(
    video: Video, person: AbstractBaseUser, now: datetime, name: str = "video.mp4"
) -> str:
    """Address under which `person`, logged in, may fetch a file of `video` for a while.

    `name` is `video.mp4`, `poster.jpg` or `captions.vtt`. The token stands in the path, so
    that what a playlist names beside itself carries it. The caller has checked that the
    person may watch. Token: person, video and the second it ends, signed (HMAC-SHA-256).
    """
    end = int((now + VIDEO_LINK_LIFETIME).timestamp()) + video.duration_seconds
    end += -end % VIDEO_LINK_STEP_SECONDS
    token = signing.Signer(salt=_VIDEO_SALT).sign(f"{person.pk}.{video.pk}.{end}")
    return reverse("catalog:video", args=[token, name])


def signed_stream_url(video: Video, person: AbstractBaseUser, now: datetime) -> str:
    """Address of the list of a video's qualities (HLS), '' where it has none."""
    if not video.has_stream:
        return ""
    return signed_video_url(video, person, now, "stream.m3u8")


@dataclass(frozen=True)
class VideoTicket:
    """What a token says: who may fetch which video until when."""

    person_id: int
    video_id: int
    ends_at: datetime


def read_ticket(
    token: str, person: AbstractBaseUser | AnonymousUser, now: datetime
) -> VideoTicket:
    """What `token` opens for `person`.

    Raises VideoNotFoundError for a forged token or another person's, and
    VideoLinkExpiredError after its end.
    """
    try:
        value = signing.Signer(salt=_VIDEO_SALT).unsign(token)
    except signing.BadSignature as error:
        raise VideoNotFoundError from error
    person_id, video_id, end = value.split(".")
    if person.pk is None or person_id != str(person.pk):
        raise VideoNotFoundError
    ends_at = datetime.fromtimestamp(int(end), tz=UTC)
    if now >= ends_at:
        raise VideoLinkExpiredError
    return VideoTicket(int(person_id), int(video_id), ends_at)


def get_video(video_id: int) -> Video:
    """Raises VideoNotFoundError."""
    try:
        return Video.objects.get(pk=video_id)
    except Video.DoesNotExist as error:
        raise VideoNotFoundError from error


def list_qualities(video_id: int) -> list[VideoQuality]:
    """The qualities of a video that can be played, best first, without their playlists."""
    qualities = VideoQuality.objects.filter(
        video_id=video_id, video__state=Video.State.READY
    )
    return list(qualities.defer("playlist").order_by("-height"))


def get_quality(video_id: int, name: str) -> VideoQuality:
    """One quality of a video that can be played. Raises VideoNotFoundError."""
    qualities = VideoQuality.objects.filter(
        video_id=video_id, video__state=Video.State.READY
    )
    try:
        return qualities.get(name=name)
    except VideoQuality.DoesNotExist as error:
        raise VideoNotFoundError from error


def get_upload(person: AbstractBaseUser | AnonymousUser, code: str) -> VideoUpload:
    """A person's own upload that became no video yet. Raises UploadRefusedError."""
    mine = VideoUpload.objects.filter(person_id=person.pk, code=code, video=None)
    upload = mine.first()
    if upload is None:
        raise UploadRefusedError("没有找到上传的文件，请重新选择")
    return upload
