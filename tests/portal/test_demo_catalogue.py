"""The sample catalogue: complete, correct by the notices, loaded twice without a difference."""

import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from openpyxl import load_workbook

from catalog import queries
from catalog.models import (
    Chapter,
    Course,
    FieldOfStudy,
    Lecturer,
    Option,
    Plan,
    PlanCourse,
    Question,
    Video,
)
from catalog.rules import find_plan_problems
from portal.content.models import Article, Download, Hotline
from portal.demo import clips
from portal.demo.catalog import load_catalogue, read_samples
from portal.demo.content import load_content
from portal.demo.papers import LIST_ROWS
from portal.demo.plans import build_plans
from portal.lib.captions import check_captions
from portal.lib.media import probe
from tests.clock import at


@pytest.fixture
def catalogue(db: None, now: datetime) -> None:
    load_catalogue(now, with_videos=False)


@pytest.mark.usefixtures("catalogue")
def test_every_year_has_both_subjects() -> None:
    years = list(range(2026, 2010, -1))

    assert queries.list_plan_years() == {"general": years, "professional": years}


@pytest.mark.usefixtures("catalogue")
def test_every_plan_can_be_finished() -> None:
    plans, today = list(Plan.objects.all()), timezone.localdate()

    assert len(plans) == 38
    assert all(plan.is_published for plan in plans)
    for plan in plans:
        assert find_plan_problems(*queries.read_plan_facts(plan, day=today)) == []


@pytest.mark.usefixtures("catalogue")
def test_prices_of_the_notices() -> None:
    plans = Plan.objects.priced(timezone.localdate())

    assert plans.get(code="gx-2026").price_fen == 3300
    assert plans.get(code="gx-2026").pricing == Plan.Pricing.PER_HOUR
    assert plans.get(code="gx-2020").pricing == Plan.Pricing.FLAT
    assert {p.price_fen for p in plans.filter(subject="general")} == {3300}
    assert {p.price_fen for p in plans.filter(subject="professional")} == {9000}


@pytest.mark.usefixtures("catalogue")
def test_rule_of_2020() -> None:
    plan = Plan.objects.get(code="gx-2020")
    offer = queries.read_plan_offer(plan.pk)

    assert (plan.compulsory_credits, plan.elective_credits) == (20, 10)
    assert offer.credits.compulsory == 20
    assert offer.credits.elective >= 10


@pytest.mark.usefixtures("catalogue")
def test_newest_year_has_two_entries_and_three_fields() -> None:
    newest = Plan.objects.filter(year=2026)
    rows = Counter(newest.values_list("subject", "field", "entry"))

    assert rows == {
        (subject, field, entry): 1
        for subject, field in (
            ("general", ""),
            ("professional", "engineering"),
            ("professional", "education"),
            ("professional", "agriculture"),
        )
        for entry in (1, 2)
    }


@pytest.mark.usefixtures("catalogue")
def test_newest_general_plan_takes_minutes_to_finish() -> None:
    plan = Plan.objects.get(code="gx-2026")
    courses = queries.read_plan_offer(plan.pk).courses
    first_six = courses[:6]

    assert sum(course.credits for course in first_six) == 30
    assert sum(course.chapter_count for course in first_six) == 9
    assert sum(course.duration_ms for course in first_six) <= 150_000
    assert len(courses) > queries.COURSES_PER_PAGE


@pytest.mark.usefixtures("catalogue")
def test_courses_cover_the_six_fields() -> None:
    assert Course.objects.count() == 28
    assert set(Course.objects.values_list("field", flat=True)) == set(
        FieldOfStudy.values
    )
    assert not Course.objects.filter(summary="").exists()
    assert not Lecturer.objects.filter(introduction="").exists()


@pytest.mark.usefixtures("catalogue")
def test_every_course_has_a_pool_with_one_right_option_each() -> None:
    for course in Course.objects.prefetch_related("questions__options"):
        questions = list(course.questions.all())
        assert len(questions) >= 5
        for question in questions:
            options = list(question.options.all())
            assert len(options) == 4
            assert sum(option.is_correct for option in options) == 1


@pytest.mark.usefixtures("catalogue")
def test_loading_twice_changes_nothing(now: datetime) -> None:
    models = (Chapter, Course, Lecturer, Option, Plan, PlanCourse, Question, Video)
    before = {model: sorted(model.objects.values_list()) for model in models}

    load_catalogue(now, with_videos=False)

    assert {m: sorted(m.objects.values_list()) for m in models} == before


@pytest.mark.parametrize(
    "today", [date(2026, 1, 1), date(2026, 12, 31), date(2025, 3, 1), date(2029, 7, 1)]
)
def test_every_plan_is_open_on_any_day(today: date) -> None:
    plans = build_plans(read_samples("general"), read_samples("professional"), today)

    for plan in plans:
        columns = plan.columns
        assert columns["sale_start"] <= today <= columns["sale_end"]
        assert columns["training_start"] <= today <= columns["training_end"]
        assert columns["training_end"] >= date(2026, 12, 31) or today.year < 2026


# --- Videos ------------------------------------------------------------------------------
@pytest.fixture
def one_course() -> list[Any]:
    lecturers = {row["key"]: row for row in read_samples("lecturers")}
    return clips.build_clips(read_samples("general")[:1], lecturers)


def test_missing_videos_are_made_and_found_again(
    one_course: list[clips.ChapterClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    clips.make_clips(one_course, said.append)

    for clip in one_course:
        found = probe(Path(default_storage.path(clip.file_name)))
        assert (found.video_codec, found.audio_codec) == ("h264", "aac")
        assert found.duration_ms == clips.SECONDS * 1000
        assert default_storage.exists(clip.poster_name)
        qualities = clip.build_qualities(Video())
        assert [quality.name for quality in qualities] == ["540p", "360p"]
        for quality in qualities:
            assert quality.size == default_storage.size(quality.file.name)
        with default_storage.open(clip.captions_name) as captions:
            words = captions.read()
        check_captions(words)
        assert all(point.encode() in words for point in clip.clip.points)
    assert said == ["制作示例视频：2 个", "示例视频 2/2"]

    monkeypatch.delattr(clips, "make_sample_clip")
    clips.make_clips(one_course, said.append)
    assert len(said) == 2


def test_video_that_a_killed_run_left_unfinished_is_made_anew(
    one_course: list[clips.ChapterClip],
) -> None:
    clip = one_course[0]
    clips.make_clips([clip], lambda _text: None)
    whole = default_storage.size(clip.file_name)
    path = Path(default_storage.path(clip.file_name))
    path.write_bytes(path.read_bytes()[:1000])
    default_storage.delete(clip.poster_name)

    clips.make_clips([clip], lambda _text: None)

    assert default_storage.size(clip.file_name) == whole


@pytest.mark.django_db
def test_files_are_known_once_the_videos_are_there(
    now: datetime, one_course: list[clips.ChapterClip], settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    load_catalogue(now, with_videos=False)
    assert not Video.objects.exclude(size=0, has_stream=False, captions="").exists()
    clip = one_course[0]
    columns = {"name": "360p", "width": 640, "height": 360, "bandwidth": 300_000}
    columns |= {"codecs": "avc1", "file": "videos/x.mp4", "size": 9, "playlist": "#"}
    stored = {clip.file_name: "film", clip.poster_name: "picture"}
    for name, text in (stored | {clip.qualities_name: json.dumps([columns])}).items():
        default_storage.save(name, ContentFile(text.encode()))

    for _ in range(2):
        load_catalogue(now, with_videos=False)

    video = Video.objects.get(has_stream=True)
    assert (video.file, video.size) == (clip.file_name, len("film"))
    assert video.captions == clip.captions_name
    assert video.qualities.values(*columns).get() == columns


# --- Content -------------------------------------------------------------------------------
@pytest.mark.django_db
def test_content_is_loaded_once(now: datetime) -> None:
    load_content(now)
    files = set(Download.objects.values_list("slug", "file"))
    articles = sorted(Article.objects.values_list())

    load_content(now)

    assert set(Download.objects.values_list("slug", "file")) == files
    assert len(files) == 5
    assert sorted(Article.objects.values_list()) == articles
    assert Hotline.objects.count() == 5
    assert Counter(Article.objects.values_list("kind", flat=True)) == {
        "notice": 6,
        "policy": 3,
        "help": 9,
    }


@pytest.mark.django_db
def test_nothing_is_published_in_the_future() -> None:
    now = at("2026-05-21 10:00")

    load_content(now)

    assert not Article.objects.filter(published_at__gt=now).exists()


@pytest.mark.django_db
def test_help_pages_keep_the_order_of_the_file(now: datetime) -> None:
    load_content(now)

    pages = Article.objects.filter(kind="help").order_by("-published_at")
    assert [page.slug for page in pages] == [
        row["slug"] for row in read_samples("articles") if row["kind"] == "help"
    ]


@pytest.mark.django_db
def test_numbers_stay_text_in_the_registration_list(now: datetime) -> None:
    load_content(now)
    form = Download.objects.get(slug="zhuce-mingdan")
    with form.file.open("rb") as file:
        sheet = load_workbook(file).worksheets[0]

    assert [sheet.cell(5, column).value.split("\n")[0] for column in range(1, 7)] == [
        *("序号", "姓名", "身份证号码", "手机号码", "性别", "备注"),
    ]
    formats = {
        sheet.cell(row, column).number_format
        for row in range(6, 6 + LIST_ROWS)
        for column in range(1, 7)
    }
    assert formats == {"@"}


@pytest.mark.django_db
def test_letters_are_pdf_files(now: datetime) -> None:
    load_content(now)

    for slug in ("caozuo-shouce", "jiaofei-chengnuo", "dengji-ka"):
        with Download.objects.get(slug=slug).file.open("rb") as file:
            assert file.read(5) == b"%PDF-"
