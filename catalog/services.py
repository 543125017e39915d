"""Use cases of the catalogue: publishing with checks, and making uploads playable."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copyfileobj

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from accounts.services.audit import record_audit
from catalog import locks, queries
from catalog.errors import InUseError, NotReadyError
from catalog.models import Course, Plan, Video
from catalog.rules import find_course_problems, find_plan_problems
from portal.lib import media

# Renewed with ffmpeg's progress, several times a minute. A worker that is killed leaves its
# video to another after this time.
LEASE = timedelta(minutes=3)
RENEW_AFTER = timedelta(seconds=20)


def publish_plan(*, plan_id: int, actor: User | None, now: datetime) -> Plan:
    """Put a plan on the pages; nothing happens to one that is there.

    Raises NotReadyError with everything that is missing: courses, credits, videos.
    """
    with transaction.atomic():
        plan = locks.lock_plan(plan_id)
        if not plan.is_published:
            problems = find_plan_problems(*queries.read_plan_facts(plan))
            if problems:
                raise NotReadyError(problems)
            _set_published(plan, value=True, actor=actor, now=now)
    return plan


def withdraw_plan(*, plan_id: int, actor: User | None, now: datetime) -> Plan:
    """Take a plan off the pages; who holds it keeps studying."""
    with transaction.atomic():
        plan = locks.lock_plan(plan_id)
        if plan.is_published:
            _set_published(plan, value=False, actor=actor, now=now)
    return plan


def publish_course(*, course_id: int, actor: User | None, now: datetime) -> Course:
    """Let plans with this course be published. Raises NotReadyError."""
    with transaction.atomic():
        course = locks.lock_course(course_id)
        if not course.is_published:
            problems = find_course_problems(queries.read_course_facts(course))
            if problems:
                raise NotReadyError(problems)
            _set_published(course, value=True, actor=actor, now=now)
    return course


def withdraw_course(*, course_id: int, actor: User | None, now: datetime) -> Course:
    """Make a course a draft again. Raises InUseError while a published plan holds it."""
    with transaction.atomic():
        course = locks.lock_course(course_id)
        plans = [plan.title for plan in queries.list_published_plans_with(course)]
        if plans:
            raise InUseError(plans)
        if course.is_published:
            _set_published(course, value=False, actor=actor, now=now)
    return course


def _set_published(
    row: Plan | Course, *, value: bool, actor: User | None, now: datetime
) -> None:
    row.is_published = value
    row.save(update_fields=["is_published"])
    kind = "plan" if isinstance(row, Plan) else "course"
    record_audit(
        action=f"catalog.{kind}_{'published' if value else 'withdrawn'}",
        target=f"{kind}:{row.code}",
        actor=actor,
        now=now,
    )


# --- Videos ------------------------------------------------------------------------------


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

    def renew(self, percent: int) -> None:
        """Show progress and keep the right. Raises LeaseLostError."""
        now = self.clock()
        if self.until - now > LEASE - RENEW_AFTER:
            return
        self.write(lease_until=now + LEASE, percent=percent)
        self.until = now + LEASE

    def write(self, **columns: object) -> None:
        """Change the row if the right still holds. Raises LeaseLostError."""
        held = Video.objects.filter(pk=self.video_id, lease_until=self.until)
        if held.update(**columns) == 0:
            raise LeaseLostError


def process_video(*, video_id: int, clock: Callable[[], datetime]) -> None:
    """Turn an upload into a file that browsers play and seek, with poster and duration.

    Does nothing when the video is not waiting or another worker is at it. A file that cannot
    be used leaves the video failed, with the reason for staff. May be killed at any line.
    """
    lease = _take_lease(video_id, clock)
    if lease is None:
        return
    video = Video.objects.get(pk=video_id)
    try:
        with tempfile.TemporaryDirectory(prefix="video-") as folder:
            _make_playable(video, lease, Path(folder))
    except media.MediaError as error:
        _fail(lease, str(error))
    except LeaseLostError:
        return


def _take_lease(video_id: int, clock: Callable[[], datetime]) -> VideoLease | None:
    now = clock()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    waiting = Video.objects.filter(free, pk=video_id, state=Video.State.WAITING)
    if waiting.update(lease_until=now + LEASE, percent=0) == 0:
        return None
    return VideoLease(video_id, now + LEASE, clock)


def _make_playable(video: Video, lease: VideoLease, folder: Path) -> None:
    source, target, poster = (
        folder / "source",
        folder / "video.mp4",
        folder / "poster.jpg",
    )
    _fetch(video, source)
    media.normalise(source, target, found=media.probe(source), on_progress=lease.renew)
    found = media.probe(target)
    media.make_poster(target, poster, at_ms=found.duration_ms // 3)
    stored = [_store(target, f"videos/{video.pk}.mp4")]
    stored.append(_store(poster, f"videos/{video.pk}.jpg"))
    try:
        lease.write(
            file=stored[0],
            poster=stored[1],
            state=Video.State.READY,
            duration_ms=found.duration_ms,
            width=found.width,
            height=found.height,
            size=target.stat().st_size,
            failure="",
            percent=100,
            lease_until=None,
        )
    except LeaseLostError:
        for name in stored:
            default_storage.delete(name)
        raise


def _fetch(video: Video, target: Path) -> None:
    try:
        with video.source.open("rb") as stored, target.open("wb") as local:
            copyfileobj(stored, local)
    except (FileNotFoundError, ValueError) as error:
        raise media.MediaError("原始文件不存在，请重新上传") from error


def _store(path: Path, name: str) -> str:
    with path.open("rb") as local:
        return default_storage.save(name, File(local))


def _fail(lease: VideoLease, reason: str) -> None:
    try:
        lease.write(state=Video.State.FAILED, failure=reason[:200], lease_until=None)
    except LeaseLostError:
        return


def retry_video(*, video_id: int) -> bool:
    """Put a failed video back in the queue; say whether it was one."""
    failed = Video.objects.filter(pk=video_id, state=Video.State.FAILED)
    return (
        failed.update(
            state=Video.State.WAITING, failure="", percent=0, lease_until=None
        )
        == 1
    )
