"""Large files in parts, which survive a broken line, a closed browser and a killed server."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import PurePosixPath

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.crypto import get_random_string

from accounts.models import User
from catalog.errors import (
    PartDamagedError,
    PartOutOfPlaceError,
    UploadIncompleteError,
    UploadRefusedError,
)
from catalog.models import Video, VideoUpload, VideoUploadPart
from catalog.rules import refuse_upload

# Files that nobody has gone on with are given up.
ABANDONED_AFTER = timedelta(days=2)
CODE_LENGTH = 32


def begin_upload(
    *, person: User, name: str, size: int, modified_ms: int, now: datetime
) -> VideoUpload:
    """The person's upload of this file: a new one, or the one that was broken off.

    Raises UploadRefusedError for a type or size that is not taken.
    """
    refuse_upload(name, size)
    name = default_storage.get_valid_name(PurePosixPath(name).name)[-100:]
    open_uploads = VideoUpload.objects.filter(person=person, video=None)
    known = open_uploads.filter(name=name, size=size, modified_ms=modified_ms)
    upload = known.order_by("pk").last()
    if upload is not None:
        VideoUpload.objects.filter(pk=upload.pk).update(touched_at=now)
        return upload
    return VideoUpload.objects.create(
        code=get_random_string(CODE_LENGTH),
        person=person,
        name=name,
        size=size,
        modified_ms=modified_ms,
        touched_at=now,
    )


def receive_part(
    *, upload: VideoUpload, offset: int, content: bytes, digest: str, now: datetime
) -> int:
    """Keep the bytes from `offset` on; say how many are there now.

    A part that is there already changes nothing, so a lost answer may be asked for again.
    `digest` is the part's SHA-256 in hexadecimal digits, or empty where the browser has none.
    Raises PartOutOfPlaceError, which knows where to go on, PartDamagedError, and
    UploadRefusedError for an upload that was given up meanwhile.
    """
    if 0 <= offset < upload.received:
        return upload.received
    if offset != upload.received or offset + len(content) > upload.size:
        raise PartOutOfPlaceError(upload.received)
    if digest and sha256(content).hexdigest() != digest.lower():
        raise PartDamagedError
    stored = default_storage.save(
        f"uploads/parts/{upload.code}-{offset}", ContentFile(content)
    )
    end = offset + len(content)
    try:
        with transaction.atomic():
            VideoUploadPart.objects.create(upload=upload, offset=offset, file=stored)
            VideoUpload.objects.filter(pk=upload.pk).update(
                received=end, touched_at=now
            )
    except IntegrityError:
        # The same part came twice at once; the other one is kept.
        default_storage.delete(stored)
        there = VideoUpload.objects.filter(pk=upload.pk).first()
        if there is None:
            raise UploadRefusedError("没有找到上传的文件，请重新选择") from None
        return there.received
    return end


def take_upload(*, person: User, code: str, video: Video) -> VideoUpload:
    """Make a complete upload the source of a new video, once.

    Raises UploadRefusedError for an unknown one or one that was taken, and
    UploadIncompleteError. The worker puts the parts together.
    """
    with transaction.atomic():
        mine = VideoUpload.objects.select_for_update().filter(person=person, code=code)
        upload = mine.filter(video=None).first()
        if upload is None:
            raise UploadRefusedError("没有找到上传的文件，请重新上传")
        if upload.received < upload.size:
            raise UploadIncompleteError
        video.source = default_storage.generate_filename(f"uploads/{upload.name}")
        video.save()
        upload.video = video
        upload.save(update_fields=["video"])
    return upload


def find_parts_of(video: Video) -> VideoUpload | None:
    """The upload whose parts are all there is of a video yet; None where they are one file."""
    return VideoUpload.objects.filter(video=video, received__gt=0).first()


def note_put_together(upload: VideoUpload) -> None:
    """Write down that the video has its source, in the transaction that gives it one.

    The parts are deleted one by one after it; a sweep goes on where a worker was killed.
    """
    VideoUpload.objects.filter(pk=upload.pk).update(received=0)


def read_upload(upload: VideoUpload) -> Iterator[bytes]:
    """The bytes of a complete upload, in order. Raises FileNotFoundError."""
    for part in upload.parts.order_by("offset"):
        with part.file.open("rb") as stored:
            yield from stored.chunks()


def forget_upload(upload: VideoUpload) -> None:
    """Delete an upload with what was received of it."""
    for part in upload.parts.all():
        default_storage.delete(str(part.file.name))
    upload.delete()


def forget_abandoned_uploads(*, now: datetime) -> int:
    """Delete uploads that nobody went on with for two days, and what was left of those that
    became a video; say how many."""
    given_up = Q(video=None, touched_at__lt=now - ABANDONED_AFTER)
    put_together = Q(video__isnull=False, received=0)
    abandoned = VideoUpload.objects.filter(given_up | put_together)
    forgotten = 0
    for key in list(abandoned.values_list("pk", flat=True)):
        with transaction.atomic():
            # Somebody may have gone on with it this moment.
            upload = abandoned.select_for_update().filter(pk=key).first()
            if upload is not None:
                forget_upload(upload)
                forgotten += 1
    return forgotten
