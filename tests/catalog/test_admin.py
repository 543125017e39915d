"""Staff at work: plans with checks, courses, questions, and videos from upload to play."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Course, Option, Plan, PlanCourse, Question, Video
from portal.lib import media
from tests.factories.accounts import UserFactory
from tests.factories.catalog import (
    ChapterFactory,
    CourseFactory,
    LecturerFactory,
    PlanFactory,
    QuestionFactory,
    VideoFactory,
    make_course,
    make_plan,
)

pytestmark = pytest.mark.django_db

PLAN_DATA = {
    "title": "新计划",
    "code": "new-plan",
    "year": "2026",
    "subject": "general",
    "field": "",
    "entry": "1",
    "hours": "30",
    "required_credits": "30",
    "compulsory_credits": "0",
    "elective_credits": "0",
    "training_start": "2026-01-01",
    "training_end": "2026-12-31",
    "sale_start": "2026-01-01",
    "sale_end": "2026-12-31",
    "fastest_speed": "150",
    "summary": "",
}
PRICE = {"pricing": "per_hour", "unit_price": "1.10", "reason": "2026年通知"}


def formset(prefix: str, rows: list[dict[str, str]]) -> dict[str, str]:
    data = {f"{prefix}-TOTAL_FORMS": str(len(rows)), f"{prefix}-INITIAL_FORMS": "0"}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


@pytest.fixture
def client(client_of: Any, staff: Any) -> Client:
    return client_of(staff)


def act(client: Client, model: str, action: str, *keys: int) -> str:
    """Run an action of a change list on rows; the page that follows."""
    response = client.post(
        reverse(f"admin:catalog_{model}_changelist"),
        {"action": action, "_selected_action": [str(key) for key in keys]},
        follow=True,
    )
    assert response.status_code == 200
    return response.content.decode()


# --- Every page ----------------------------------------------------------
@pytest.mark.parametrize("model", ["plan", "course", "lecturer", "question", "video"])
def test_every_page_opens(model: str, client: Client) -> None:
    plan = make_plan(courses=1)
    question = QuestionFactory(course=plan.courses.get())
    rows = {
        "plan": plan,
        "course": plan.courses.get(),
        "lecturer": LecturerFactory(),
        "question": question,
        "video": VideoFactory(),
    }

    addresses = [
        reverse(f"admin:catalog_{model}_changelist"),
        reverse(f"admin:catalog_{model}_add"),
        reverse(f"admin:catalog_{model}_change", args=[rows[model].pk]),
    ]

    assert [client.get(address).status_code for address in addresses] == [200] * 3


@pytest.mark.parametrize("model", ["plan", "course", "question", "video"])
def test_lists_cost_the_same_for_many_rows(
    model: str, client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(15):
        plan = make_plan(courses=1)
        QuestionFactory(course=plan.courses.get())

    with django_assert_max_num_queries(12):
        client.get(reverse(f"admin:catalog_{model}_changelist"))


# --- Plans ----------------------------------------------------------
def test_new_plan_is_a_draft_with_its_price_in_fen(client: Client) -> None:
    course = make_course(credits=30)
    courses = [{"position": "1", "course": str(course.pk), "kind": "elective"}]
    today = timezone.localdate()

    client.post(
        reverse("admin:catalog_plan_add"),
        PLAN_DATA
        | formset("prices", [PRICE | {"valid_from": str(today)}])
        | formset("plan_courses", courses),
    )

    plan = Plan.objects.priced(today).get()
    assert (plan.unit_price_fen, plan.price_fen) == (110, 3300)
    assert plan.fastest_speed == Plan.Speed.HALF_MORE
    assert not plan.is_published
    assert PlanCourse.objects.get().course == course


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training_end": "2025-12-31"}, "培训结束日期不能早于培训开始日期"),
        ({"sale_end": "2025-12-31"}, "报名结束日期不能早于报名开始日期"),
        ({"elective_credits": "31"}, "必修与选修学分之和不能超过要求学分"),
    ],
)
def test_plan_that_cannot_be_is_refused(
    change: dict[str, str], message: str, client: Client
) -> None:
    response = client.post(
        reverse("admin:catalog_plan_add"),
        PLAN_DATA | change | formset("prices", []) | formset("plan_courses", []),
    )

    assert message in response.content.decode()
    assert not Plan.objects.exists()


def test_publish_action_checks_each_plan(client: Client) -> None:
    good, bad = make_plan(is_published=False), make_plan(courses=1, is_published=False)

    html = act(client, "plan", "publish", good.pk, bad.pk)

    assert f"《{good.title}》已发布" in html
    assert f"《{bad.title}》未能办理：全部课程合计 5 学分，不足 30 学分" in html
    assert list(Plan.objects.filter(is_published=True)) == [good]


def test_withdraw_action(client: Client) -> None:
    plan = make_plan()

    assert f"《{plan.title}》已撤回" in act(client, "plan", "withdraw", plan.pk)

    assert not Plan.objects.get().is_published


def test_change_page_names_what_is_missing(client: Client) -> None:
    plan = make_plan(courses=1, is_published=False)

    html = client.get(reverse("admin:catalog_plan_change", args=[plan.pk])).content

    assert "<li>全部课程合计 5 学分，不足 30 学分</li>" in html.decode()


def test_published_plan_that_lost_courses_is_pointed_out(client: Client) -> None:
    plan = PlanFactory(title="新计划", code="new-plan")

    response = client.post(
        reverse("admin:catalog_plan_change", args=[plan.pk]),
        PLAN_DATA | formset("prices", []) | formset("plan_courses", []),
        follow=True,
    )

    assert "已发布，但现在有以下问题" in response.content.decode()


def test_box_of_publication_cannot_be_ticked(client: Client) -> None:
    client.post(
        reverse("admin:catalog_plan_add"),
        PLAN_DATA
        | {"is_published": "on"}
        | formset("prices", [])
        | formset("plan_courses", []),
    )

    assert not Plan.objects.get().is_published


def test_preview_leads_to_the_page(client: Client) -> None:
    plan = make_plan(is_published=False)

    html = client.get(reverse("admin:catalog_plan_change", args=[plan.pk])).content

    assert reverse("plan-detail", args=[plan.code]) in html.decode()


def test_who_may_only_look_publishes_nothing(client_of: Any) -> None:
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_plan"))
    plan = make_plan(is_published=False)
    client = client_of(viewer)

    page = client.get(reverse("admin:catalog_plan_change", args=[plan.pk]))
    act(client, "plan", "publish", plan.pk)

    assert page.status_code == 200
    assert not Plan.objects.get().is_published


# --- Courses and questions ----------------------------------------------------------
def test_course_with_a_waiting_video_stays_a_draft(client: Client) -> None:
    course = CourseFactory(is_published=False)
    ChapterFactory(course=course, title="第一章", video=VideoFactory(waiting=True))

    html = act(client, "course", "publish", course.pk)

    assert "章节“第一章”没有可播放的视频" in html
    assert not Course.objects.get().is_published


def test_course_of_a_published_plan_is_not_withdrawn(client: Client) -> None:
    plan = make_plan(courses=6)
    course = plan.courses.order_by("pk")[0]

    html = act(client, "course", "withdraw", course.pk)

    assert "课程仍在已发布的培训计划中" in html
    course.refresh_from_db()
    assert course.is_published


def post_question(client: Client, course: Course, options: list[str], right: set[int]):
    rows = [
        {"text": text} | ({"is_correct": "on"} if number in right else {})
        for number, text in enumerate(options)
    ]
    return client.post(
        reverse("admin:catalog_question_add"),
        {"course": course.pk, "stem": "题干", "is_active": "on"}
        | formset("options", rows),
    )


def test_question_with_one_right_option(client: Client) -> None:
    post_question(client, make_course(), ["甲", "乙", "丙", "丁"], {2})

    assert Question.objects.get().stem == "题干"
    assert Option.objects.get(is_correct=True).text == "丙"


@pytest.mark.parametrize(
    ("options", "right", "message"),
    [
        (["甲", "乙", "丙", "丁"], set(), "请选定一个且只有一个正确选项"),
        (["甲", "乙", "丙", "丁"], {0, 1}, "请选定一个且只有一个正确选项"),
        (["甲", "甲", "丙", "丁"], {0}, "选项不能重复"),
        (["甲"], {0}, "至少填写 2 个选项"),
    ],
)
def test_question_without_exactly_one_answer_is_refused(
    options: list[str], right: set[int], message: str, client: Client
) -> None:
    response = post_question(client, make_course(), options, right)

    assert message in response.content.decode()
    assert not Question.objects.exists()


def test_question_about_a_chapter_of_another_course_is_refused(client: Client) -> None:
    foreign = ChapterFactory()
    response = client.post(
        reverse("admin:catalog_question_add"),
        {"course": make_course().pk, "chapter": foreign.pk, "stem": "题干"}
        | formset("options", []),
    )

    assert "该章节不属于所选课程" in response.content.decode()
    assert not Question.objects.exists()


# --- Videos ----------------------------------------------------------
@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    target = tmp_path_factory.mktemp("film") / "film.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=s=320x240:r=10:d=1"]
    media.run_ffmpeg([*source, "-pix_fmt", "yuv420p", str(target)])
    return target.read_bytes()


def upload(client: Client, name: str, content: bytes) -> Any:
    return client.post(
        reverse("admin:catalog_video_add"),
        {"source": SimpleUploadedFile(name, content)},
    )


def test_uploaded_video_becomes_playable(
    client: Client, film: bytes, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = upload(client, "第一讲.mp4", film)

    video = Video.objects.get()
    assert response.status_code == 302
    assert video.state == Video.State.READY
    assert video.duration_ms == 1000
    assert timezone.now() - video.created_at < timedelta(minutes=1)

    page = client.get(reverse("admin:catalog_video_change", args=[video.pk]))
    html = page.content.decode()
    assert "可播放" in html
    address = html.split('href="/video/')[1].split('"')[0]
    assert client.get(f"/video/{address}").status_code == 200


def test_failed_video_says_why_and_is_tried_again(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        upload(client, "broken.mp4", b"not a video")
    video = Video.objects.get()
    assert video.state == Video.State.FAILED

    listing = client.get(reverse("admin:catalog_video_changelist")).content.decode()
    assert "处理失败：无法识别视频" in listing

    video.source.storage.delete(video.source.name)
    with django_capture_on_commit_callbacks(execute=True):
        html = act(client, "video", "retry", video.pk, VideoFactory().pk)
    assert "已重新提交 1 个视频" in html
    video.refresh_from_db()
    assert video.failure == "原始文件不存在，请重新上传"


@pytest.mark.parametrize("name", ["notes.docx", "playlist.m3u8", "script.html"])
def test_other_files_are_refused(name: str, client: Client) -> None:
    response = upload(client, name, b"content")

    assert "不支持这种文件类型" in response.content.decode()
    assert not Video.objects.exists()


def test_picture_of_a_video_cannot_be_exchanged(client: Client) -> None:
    video = VideoFactory()

    client.post(
        reverse("admin:catalog_video_change", args=[video.pk]),
        {"source": SimpleUploadedFile("other.mp4", b"other"), "duration_ms": "1"},
    )

    video.refresh_from_db()
    assert not video.source
    assert video.duration_ms == 15_000


def test_progress_of_a_video_in_work_is_shown(client: Client) -> None:
    VideoFactory(
        waiting=True, percent=40, lease_until=timezone.now() + timedelta(minutes=2)
    )
    VideoFactory(
        waiting=True, percent=70, lease_until=timezone.now() - timedelta(minutes=2)
    )

    html = client.get(reverse("admin:catalog_video_changelist")).content.decode()

    assert "处理中 40%" in html
    assert "处理中 70%" not in html
