"""Sample plans, courses and videos: every year from 2011 to 2026, all of it can be finished."""

import tomllib
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.models import (
    Chapter,
    Course,
    FieldOfStudy,
    Lecturer,
    Option,
    Plan,
    PlanCourse,
    PlanPrice,
    Question,
    Video,
    VideoQuality,
)
from catalog.services import publish_course, publish_plan
from portal.demo.clips import ChapterClip, build_clips, make_clips
from portal.demo.plans import PlanSample, build_plans

DATA = Path(__file__).resolve().parent / "data"


@cache
def read_samples(name: str) -> list[dict[str, Any]]:
    """The rows of one file of `data/`; the file's only table gives its name to them."""
    with (DATA / f"{name}.toml").open("rb") as file:
        tables = tomllib.load(file)
    (rows,) = tables.values()
    return list(rows)


def load_catalogue(
    now: datetime,
    *,
    with_videos: bool = True,
    say: Callable[[str], None] = lambda _text: None,
) -> None:
    """Load or refresh the sample catalogue; running twice changes nothing.

    Without videos the chapters name files that are not there: enough for tests that do not
    play them. Raises portal.lib.media.MediaError when a video cannot be made.
    """
    general, professional = read_samples("general"), read_samples("professional")
    courses = [*general, *professional]
    lecturers = {row["key"]: row for row in read_samples("lecturers")}
    clips = build_clips(courses, lecturers)
    if with_videos:
        make_clips(clips, say)
    with transaction.atomic():
        people = {key: _save_lecturer(row) for key, row in lecturers.items()}
        videos = _save_videos(clips, now)
        for row in courses:
            course = _save_course(row, people[row["lecturer"]])
            _save_chapters(
                course, [c for c in clips if c.course == course.code], videos
            )
            _save_questions(course, row)
            publish_course(course_id=course.pk, actor=None, now=now)
        for plan in build_plans(general, professional, timezone.localdate(now)):
            _save_plan(plan, now)


def _save_lecturer(row: dict[str, Any]) -> Lecturer:
    lecturer, _created = Lecturer.objects.update_or_create(
        name=row["name"],
        organisation=row["organisation"],
        defaults={"title": row["title"], "introduction": row["introduction"]},
    )
    return lecturer


def _save_videos(clips: list[ChapterClip], now: datetime) -> dict[str, Video]:
    """Videos by the name of their file, which is made of what the clip shows."""
    names = [clip.file_name for clip in clips]
    found = {video.file.name: video for video in Video.objects.filter(file__in=names)}
    missing = [clip for clip in clips if clip.file_name not in found]
    made = Video.objects.bulk_create(clip.build_video(now) for clip in missing)
    videos = {str(video.file.name): video for video in [*found.values(), *made]}
    for clip in clips:
        video = videos[clip.file_name]
        # Loaded without videos before, or just now, with them from here on.
        if clip.is_stored() and video.size != clip.stored_size:
            _save_files(clip, video)
    return videos


def _save_files(clip: ChapterClip, video: Video) -> None:
    video.size = clip.stored_size
    video.captions = clip.captions_name
    video.has_stream = True
    video.save()
    video.qualities.all().delete()
    VideoQuality.objects.bulk_create(clip.build_qualities(video))


def _save_course(row: dict[str, Any], lecturer: Lecturer) -> Course:
    course, _created = Course.objects.update_or_create(
        code=row["code"],
        defaults={
            "title": row["title"],
            "field": FieldOfStudy(row["field"]),
            "lecturer": lecturer,
            "credits": row["credits"],
            "summary": row["summary"],
        },
    )
    return course


def _save_chapters(
    course: Course, clips: list[ChapterClip], videos: dict[str, Video]
) -> None:
    for clip in clips:
        Chapter.objects.update_or_create(
            course=course,
            position=clip.position,
            defaults={"title": clip.clip.title, "video": videos[clip.file_name]},
        )


def _save_questions(course: Course, row: dict[str, Any]) -> None:
    known = set(course.questions.values_list("stem", flat=True))
    chapters = {chapter.position: chapter for chapter in course.chapters.all()}
    samples = [sample for sample in row["question"] if sample["stem"] not in known]
    questions = Question.objects.bulk_create(
        Question(
            course=course,
            chapter=chapters.get(sample.get("chapter")),
            stem=sample["stem"],
        )
        for sample in samples
    )
    Option.objects.bulk_create(
        Option(question=question, text=text, is_correct=number == 0)
        for question, sample in zip(questions, samples, strict=True)
        for number, text in enumerate(sample["options"])
    )


def _save_plan(sample: PlanSample, now: datetime) -> None:
    plan, _created = Plan.objects.update_or_create(
        code=sample.code, defaults=sample.columns
    )
    courses = {c.code: c for c in Course.objects.filter(code__in=sample.courses)}
    for position, (code, kind) in enumerate(sample.courses.items(), start=1):
        PlanCourse.objects.update_or_create(
            plan=plan,
            course=courses[code],
            defaults={"kind": kind, "position": position},
        )
    if not plan.prices.exists():
        # Written as it would have been on the first day of the sale: the sample people have
        # bought since then, and staff may set no price for a day that is over.
        PlanPrice.objects.create(
            plan=plan,
            valid_from=min(plan.sale_start, timezone.localdate(now)),
            pricing=sample.pricing,
            unit_price_fen=sample.unit_price_fen,
            reason="示例价格",
            set_at=now,
        )
    publish_plan(plan_id=plan.pk, actor=None, now=now)
