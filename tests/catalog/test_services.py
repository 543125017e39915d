"""Publishing with checks, and uploads that become playable whatever happens to the worker."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import AuditEntry
from catalog import services
from catalog.errors import InUseError, NotReadyError
from catalog.models import PlanCourse, Video, VideoQuality, VideoUpload
from catalog.services import videos
from portal.lib import media
from tests.factories.catalog import (
    ChapterFactory,
    PlanFactory,
    VideoFactory,
    VideoUploadFactory,
    make_course,
    make_plan,
)

pytestmark = pytest.mark.django_db


# --- Publishing ----------------------------------------------------------------------------
def test_plan_that_can_be_finished_is_published(staff: Any, now: datetime) -> None:
    plan = make_plan(is_published=False)

    services.publish_plan(plan_id=plan.pk, actor=staff, now=now)

    plan.refresh_from_db()
    assert plan.is_published
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.target) == (
        "catalog.plan_published",
        staff,
        f"plan:{plan.code}",
    )


def test_plan_with_too_few_credits_stays_a_draft(staff: Any, now: datetime) -> None:
    plan = make_plan(courses=5, is_published=False)

    with pytest.raises(NotReadyError) as refusal:
        services.publish_plan(plan_id=plan.pk, actor=staff, now=now)

    assert refusal.value.problems == ["全部课程合计 25 学分，不足 30 学分"]
    plan.refresh_from_db()
    assert not plan.is_published
    assert not AuditEntry.objects.exists()


def test_plan_with_an_unplayable_chapter_stays_a_draft(
    staff: Any, now: datetime
) -> None:
    plan = make_plan(is_published=False)
    course = plan.courses.order_by("pk")[0]
    ChapterFactory(
        course=course, position=2, title="未就绪", video=VideoFactory(failed=True)
    )

    with pytest.raises(NotReadyError) as refusal:
        services.publish_plan(plan_id=plan.pk, actor=staff, now=now)

    assert refusal.value.message == (
        f"课程《{course.title}》的章节“未就绪”没有可播放的视频"
    )


def test_plan_of_2020_needs_both_kinds(staff: Any, now: datetime) -> None:
    plan = make_plan(is_published=False, compulsory_credits=20, elective_credits=10)
    with pytest.raises(NotReadyError):
        services.publish_plan(plan_id=plan.pk, actor=staff, now=now)

    kept = plan.plan_courses.filter(position__lte=4)
    kept.update(kind=PlanCourse.Kind.COMPULSORY)

    assert services.publish_plan(plan_id=plan.pk, actor=staff, now=now).is_published


def test_publishing_twice_leaves_one_trace(staff: Any, now: datetime) -> None:
    plan = make_plan(is_published=False)

    for _ in range(2):
        services.publish_plan(plan_id=plan.pk, actor=staff, now=now)

    assert AuditEntry.objects.count() == 1


def test_withdrawn_plan_is_a_draft(staff: Any, now: datetime) -> None:
    plan = make_plan()

    services.withdraw_plan(plan_id=plan.pk, actor=staff, now=now)

    plan.refresh_from_db()
    assert not plan.is_published


def test_course_is_published_and_withdrawn(staff: Any, now: datetime) -> None:
    course = make_course(is_published=False)

    services.publish_course(course_id=course.pk, actor=staff, now=now)
    course.refresh_from_db()
    assert course.is_published

    services.withdraw_course(course_id=course.pk, actor=staff, now=now)
    course.refresh_from_db()
    assert not course.is_published


def test_course_without_chapters_stays_a_draft(staff: Any, now: datetime) -> None:
    course = make_course(chapters=0, is_published=False)

    with pytest.raises(NotReadyError):
        services.publish_course(course_id=course.pk, actor=staff, now=now)

    course.refresh_from_db()
    assert not course.is_published


def test_course_of_a_published_plan_cannot_be_withdrawn(
    staff: Any, now: datetime
) -> None:
    plan = make_plan(courses=6)
    course = plan.courses.order_by("pk")[0]

    with pytest.raises(InUseError, match=plan.title):
        services.withdraw_course(course_id=course.pk, actor=staff, now=now)

    course.refresh_from_db()
    assert course.is_published


# --- Videos ----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    target = tmp_path_factory.mktemp("film") / "film.avi"
    media.run_ffmpeg(
        [
            *("-f", "lavfi", "-i", "testsrc=s=320x240:r=10:d=2", "-c:v", "mpeg4"),
            str(target),
        ]
    )
    return target.read_bytes()


def upload(content: bytes, **fields: object) -> Video:
    video = VideoFactory(waiting=True, source="", **fields)
    video.source.save("film.avi", ContentFile(content))
    return video


class Clock:
    """Moves on by `step` each time it is read."""

    def __init__(self, start: datetime, step: timedelta = timedelta()) -> None:
        self.now, self.step = start, step

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


def test_upload_becomes_playable(film: bytes, now: datetime) -> None:
    video = upload(film)

    services.process_video(video_id=video.pk, clock=Clock(now))

    video.refresh_from_db()
    assert video.state == Video.State.READY
    assert (video.width, video.height, video.percent) == (320, 240, 100)
    assert abs(video.duration_ms - 2000) <= 150
    assert video.lease_until is None
    assert video.failure == ""
    assert video.size == default_storage.size(video.file.name)
    assert default_storage.exists(video.poster.name)
    assert default_storage.exists(video.source.name)
    assert video.has_stream
    qualities = video.qualities.order_by("name")
    assert [(q.name, q.width, q.height) for q in qualities] == [("240p", 320, 240)]
    for quality in qualities:
        assert quality.size == default_storage.size(quality.file.name)
        assert f"\n{quality.name}.mp4\n" in quality.playlist


def test_upload_that_is_no_video_fails_with_the_reason(now: datetime) -> None:
    video = upload(b"not a video")

    services.process_video(video_id=video.pk, clock=Clock(now))

    video.refresh_from_db()
    assert video.state == Video.State.FAILED
    assert video.failure == "无法识别视频：文件中没有可播放的画面"
    assert video.lease_until is None


def test_upload_whose_file_is_gone_fails_with_the_reason(now: datetime) -> None:
    video = VideoFactory(waiting=True)

    services.process_video(video_id=video.pk, clock=Clock(now))

    video.refresh_from_db()
    assert video.failure == "原始文件不存在，请重新上传"


def test_failed_upload_is_tried_again_on_request(now: datetime) -> None:
    video = VideoFactory(failed=True)

    assert services.retry_video(video_id=video.pk)

    video.refresh_from_db()
    assert (video.state, video.failure) == (Video.State.WAITING, "")
    assert not services.retry_video(video_id=video.pk)


def test_video_of_another_worker_is_left_alone(film: bytes, now: datetime) -> None:
    video = upload(film, lease_until=now + timedelta(minutes=1))

    services.process_video(video_id=video.pk, clock=Clock(now))

    video.refresh_from_db()
    assert video.state == Video.State.WAITING
    assert video.lease_until == now + timedelta(minutes=1)


def test_video_of_a_killed_worker_is_taken_over(film: bytes, now: datetime) -> None:
    video = upload(film, lease_until=now - timedelta(seconds=1))

    services.process_video(video_id=video.pk, clock=Clock(now))

    video.refresh_from_db()
    assert video.state == Video.State.READY


def test_ready_video_is_not_processed_again(now: datetime) -> None:
    video = VideoFactory()

    services.process_video(video_id=video.pk, clock=Clock(now))

    assert Video.objects.get(pk=video.pk).file == video.file


def test_lease_is_renewed_with_the_progress(film: bytes, now: datetime) -> None:
    video = upload(film)
    clock = Clock(now)
    lease = videos._take_lease(video.pk, clock)
    assert lease is not None

    clock.now = now + timedelta(seconds=5)
    lease.renew(10)
    video.refresh_from_db()
    assert (video.percent, video.lease_until) == (0, now + videos.LEASE)

    clock.now = now + timedelta(seconds=30)
    lease.renew(40)
    video.refresh_from_db()
    assert (video.percent, video.lease_until) == (40, clock.now + videos.LEASE)


def test_worker_that_lost_its_lease_writes_nothing(
    film: bytes, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = upload(film)
    other_workers = now + timedelta(hours=1)

    def lose_lease(*_args: object, **_kwargs: object) -> None:
        Video.objects.filter(pk=video.pk).update(lease_until=other_workers)
        make_poster(*_args, **_kwargs)

    make_poster = media.make_poster
    monkeypatch.setattr(media, "make_poster", lose_lease)
    _folders, before = default_storage.listdir("videos")
    rows = VideoQuality.objects.count()

    services.process_video(video_id=video.pk, clock=Clock(now))

    video.refresh_from_db()
    assert (video.state, video.lease_until) == (Video.State.WAITING, other_workers)
    _folders, after = default_storage.listdir("videos")
    assert sorted(after) == sorted(before)
    assert VideoQuality.objects.count() == rows


def test_upload_in_parts_is_put_together_and_kept_as_one(
    film: bytes, staff: Any, now: datetime
) -> None:
    upload = VideoUploadFactory(person=staff, size=len(film))
    half = len(film) // 2
    for offset, content in ((0, film[:half]), (half, film[half:])):
        upload.refresh_from_db()
        services.receive_part(
            upload=upload, offset=offset, content=content, digest="", now=now
        )
    parts = [str(part.file.name) for part in upload.parts.all()]
    video = Video(created_at=now)
    services.take_upload(person=staff, code=upload.code, video=video)

    services.process_video(video_id=video.pk, clock=Clock(now))

    video.refresh_from_db()
    assert video.state == Video.State.READY
    with default_storage.open(str(video.source.name)) as kept:
        assert kept.read() == film
    assert not VideoUpload.objects.exists()
    assert not any(default_storage.exists(name) for name in parts)


def test_upload_whose_parts_are_no_film_can_be_tried_again(
    staff: Any, now: datetime
) -> None:
    upload = VideoUploadFactory(person=staff, size=4)
    services.receive_part(upload=upload, offset=0, content=b"junk", digest="", now=now)
    video = Video(created_at=now)
    services.take_upload(person=staff, code=upload.code, video=video)

    for _ in range(2):
        services.process_video(video_id=video.pk, clock=Clock(now))
        video.refresh_from_db()
        assert video.failure == "无法识别视频：文件中没有可播放的画面"
        assert services.retry_video(video_id=video.pk)


def test_worker_that_dies_while_storing_leaves_the_video_waiting(
    film: bytes, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = upload(film)
    store = videos._store

    def die_at_the_second(path: Any, name: str) -> str:
        if name.endswith(".jpg"):
            raise KeyboardInterrupt
        return store(path, name)

    monkeypatch.setattr(videos, "_store", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        services.process_video(video_id=video.pk, clock=Clock(now))

    video.refresh_from_db()
    assert (video.state, video.file, video.has_stream) == ("waiting", "", False)
    assert not video.qualities.exists()
    monkeypatch.undo()
    services.process_video(
        video_id=video.pk, clock=Clock(now + videos.LEASE + timedelta(seconds=1))
    )
    video.refresh_from_db()
    assert video.state == Video.State.READY


def test_lost_lease_stops_the_encoding(film: bytes, now: datetime) -> None:
    video = upload(film)
    clock = Clock(now)
    lease = videos._take_lease(video.pk, clock)
    assert lease is not None
    Video.objects.filter(pk=video.pk).update(lease_until=None)
    clock.now = now + timedelta(minutes=1)

    with pytest.raises(videos.LeaseLostError):
        lease.renew(50)


def test_published_plan_needs_a_plan(now: datetime) -> None:
    draft = PlanFactory(is_published=False)

    with pytest.raises(NotReadyError):
        services.publish_plan(plan_id=draft.pk, actor=None, now=now)
