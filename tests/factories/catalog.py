"""Rows of the catalogue for tests. A READY video needs no file on disk unless it is played."""

from datetime import UTC, date, datetime
from typing import Any

import factory

from catalog.models import (
    Chapter,
    Course,
    FieldOfStudy,
    Lecturer,
    Option,
    Plan,
    PlanCourse,
    PlanPrice,
    Pricing,
    Question,
    Subject,
    Video,
    VideoQuality,
    VideoUpload,
)


class LecturerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Lecturer

    name = factory.Sequence(lambda n: f"讲师{n}")
    title = "教授"
    organisation = "示例大学"


class VideoFactory(factory.django.DjangoModelFactory):
    """A video of fifteen seconds; traits `waiting` and `failed`."""

    class Meta:
        model = Video

    class Params:
        waiting = factory.Trait(
            state=Video.State.WAITING,
            file="",
            duration_ms=0,
            source=factory.Sequence(lambda n: f"uploads/upload-{n}.mov"),
        )
        failed = factory.Trait(
            state=Video.State.FAILED,
            file="",
            duration_ms=0,
            source=factory.Sequence(lambda n: f"uploads/upload-{n}.mov"),
            failure="无法识别视频",
        )

    file = factory.Sequence(lambda n: f"videos/video-{n}.mp4")
    state = Video.State.READY
    duration_ms = 15_000
    width = 960
    height = 540
    size = 200_000
    created_at = datetime(2026, 1, 5, tzinfo=UTC)


class VideoQualityFactory(factory.django.DjangoModelFactory):
    """A quality of a playable video, in one segment of six seconds."""

    class Meta:
        model = VideoQuality

    video = factory.SubFactory(VideoFactory, has_stream=True)
    name = "540p"
    width = 960
    height = 540
    bandwidth = 800_000
    codecs = "avc1.4d401f,mp4a.40.2"
    file = factory.LazyAttribute(lambda q: f"videos/{q.video.pk}-{q.name}.mp4")
    size = 1000
    playlist = factory.LazyAttribute(
        lambda q: (
            "#EXTM3U\n"
            f'#EXT-X-MAP:URI="{q.name}.mp4",BYTERANGE="100@0"\n'
            "#EXTINF:6.000000,\n#EXT-X-BYTERANGE:900@100\n"
            f"{q.name}.mp4\n#EXT-X-ENDLIST\n"
        )
    )


class VideoUploadFactory(factory.django.DjangoModelFactory):
    """An upload of twelve bytes of which nothing came yet."""

    class Meta:
        model = VideoUpload

    code = factory.Sequence(lambda n: f"upload{n:026d}")
    name = "film.avi"
    size = 12
    modified_ms = 1_767_571_200_000
    touched_at = datetime(2026, 1, 5, tzinfo=UTC)


class CourseFactory(factory.django.DjangoModelFactory):
    """A published course without chapters; `make_course` adds them."""

    class Meta:
        model = Course

    code = factory.Sequence(lambda n: f"course-{n}")
    title = factory.Sequence(lambda n: f"课程{n}")
    field = FieldOfStudy.ENGINEERING
    lecturer = factory.SubFactory(LecturerFactory)
    credits = 5
    is_published = True


class ChapterFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Chapter

    course = factory.SubFactory(CourseFactory)
    position = factory.Sequence(lambda n: n + 1)
    title = factory.Sequence(lambda n: f"第{n}章")
    video = factory.SubFactory(VideoFactory)


class QuestionFactory(factory.django.DjangoModelFactory):
    """A question with four options, the first of them right."""

    class Meta:
        model = Question
        skip_postgeneration_save = True

    course = factory.SubFactory(CourseFactory)
    stem = factory.Sequence(lambda n: f"题目{n}")

    @factory.post_generation
    def options(self, create: bool, extracted: object, **_kwargs: object) -> None:
        if create and extracted is not False:
            for number in range(4):
                OptionFactory(
                    question=self, text=f"选项{number}", is_correct=number == 0
                )


class OptionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Option

    question = factory.SubFactory(QuestionFactory, options=False)
    text = factory.Sequence(lambda n: f"选项{n}")


class PlanFactory(factory.django.DjangoModelFactory):
    """A published general plan of 2026: 30 hours, 33.00 yuan; traits `entry_two`, `closed`."""

    class Meta:
        model = Plan

    class Params:
        entry_two = factory.Trait(entry=Plan.Entry.TWO)
        professional = factory.Trait(
            subject=Subject.PROFESSIONAL,
            field=FieldOfStudy.ENGINEERING,
            hours=60,
            required_credits=60,
            unit_price_fen=150,
        )
        closed = factory.Trait(
            sale_start=date(2025, 1, 1),
            sale_end=date(2025, 12, 31),
            training_start=date(2025, 1, 1),
            training_end=date(2025, 12, 31),
        )

    code = factory.Sequence(lambda n: f"plan-{n}")
    year = 2026
    subject = Subject.GENERAL
    title = factory.Sequence(lambda n: f"培训计划{n}")
    hours = 30
    required_credits = 30
    pricing = Pricing.PER_HOUR
    unit_price_fen = 110
    training_start = date(2026, 1, 1)
    training_end = date(2026, 12, 31)
    sale_start = date(2026, 1, 1)
    sale_end = date(2026, 12, 31)
    is_published = True

    @classmethod
    def _create(
        cls,
        model_class: type[Plan],
        *args: Any,
        pricing: str,
        unit_price_fen: int,
        **columns: Any,
    ) -> Plan:
        """The plan as one that was read on a day of its one price; 0 fen for none."""
        plan: Plan = super()._create(model_class, *args, **columns)
        if unit_price_fen:
            PlanPriceFactory(plan=plan, pricing=pricing, unit_price_fen=unit_price_fen)
        plan.pricing, plan.unit_price_fen = pricing, unit_price_fen
        return plan


class PlanPriceFactory(factory.django.DjangoModelFactory):
    """A price since ever, unless told otherwise."""

    class Meta:
        model = PlanPrice

    plan = factory.SubFactory(PlanFactory, unit_price_fen=0)
    valid_from = date(2000, 1, 1)
    pricing = Pricing.PER_HOUR
    unit_price_fen = 110
    reason = "按通知"
    set_at = datetime(2026, 1, 5, tzinfo=UTC)


class PlanCourseFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PlanCourse

    plan = factory.SubFactory(PlanFactory)
    course = factory.SubFactory(CourseFactory)
    kind = PlanCourse.Kind.ELECTIVE
    position = factory.Sequence(lambda n: n + 1)


def make_course(*, chapters: int = 1, **fields: object) -> Course:
    """Return a course with `chapters` playable chapters, numbered from 1."""
    course = CourseFactory(**fields)
    for position in range(1, chapters + 1):
        ChapterFactory(course=course, position=position)
    return course


def make_plan(*, courses: int = 6, chapters: int = 1, **fields: object) -> Plan:
    """Return a plan that can be finished: `courses` courses of five credits each."""
    plan = PlanFactory(**fields)
    for position in range(1, courses + 1):
        course = make_course(chapters=chapters)
        PlanCourseFactory(plan=plan, course=course, position=position)
    return plan
