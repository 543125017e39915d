"""Question pools by sheet: looked at first, imported once, exported in the same form."""

from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import AuditEntry
from catalog.models import Course, Option, Question, QuestionSheet
from portal.lib.sheet_reading import read_sheet
from tests.factories.accounts import UserFactory
from tests.factories.catalog import (
    ChapterFactory,
    CourseFactory,
    OptionFactory,
    QuestionFactory,
    VideoFactory,
)
from tests.factories.sheets import make_book

pytestmark = pytest.mark.django_db

HEAD = [
    *("课程编号", "章节序号", "出现时间", "题干", "正确选项"),
    *("错误选项1", "错误选项2", "错误选项3", "启用"),
]
ABOUT_CHAPTER = ["law", "1", "03:20", "每年多少学时？", "90", "30", "60", "", "是"]
ABOUT_COURSE = ["law", "", "", "=1+1 等于几？", "2", "3", "", "", "否"]
BAD = ["none", "", "", "=cmd()", "对", "对", "", "", ""]
IMPORT = "admin:catalog_question_import"


@pytest.fixture
def client(client_of: Any, staff: Any) -> Client:
    return client_of(staff)


@pytest.fixture
def course() -> Course:
    course = CourseFactory(code="law")
    ChapterFactory(course=course, position=1, video=VideoFactory(duration_ms=600_000))
    return course


def upload(client: Client, *rows: list[str], content: bytes | None = None) -> str:
    """Upload a sheet; the page that follows."""
    file = make_book(HEAD, *rows) if content is None else content
    response = client.post(
        reverse(IMPORT), {"file": SimpleUploadedFile("pool.xlsx", file)}, follow=True
    )
    assert response.status_code == 200
    return response.content.decode()


def confirm(client: Client, **data: str) -> str:
    data = {"code": QuestionSheet.objects.get().code} | data
    response = client.post(reverse(f"{IMPORT}_confirm"), data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def pool() -> list[tuple[Any, ...]]:
    return [
        (
            question.stem,
            question.chapter and question.chapter.position,
            question.shown_at_ms,
            question.is_active,
            *question.options.order_by("pk").values_list("text", "is_correct"),
        )
        for question in Question.objects.order_by("pk")
    ]


def read_download(content: bytes) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in read_sheet(content)]


def has_formula(content: bytes) -> bool:
    sheets = load_workbook(BytesIO(content))
    return any(
        cell.data_type == "f" for sheet in sheets for row in sheet for cell in row
    )


def test_nothing_is_stored_before_it_is_confirmed(client: Client, course: Course):
    page = upload(client, ABOUT_CHAPTER, BAD)

    assert not Question.objects.exists()
    assert "确认导入 1 题" in page
    assert "没有这个课程编号。" in page
    assert "与其他选项重复。" in page


def test_confirmed_rows_are_imported_and_counted(
    client: Client, staff: Any, course: Course
):
    upload(client, ABOUT_CHAPTER, ABOUT_COURSE, BAD)

    page = confirm(client)

    assert "新增 2 题，更新 0 题，未变 0 题，有误未导入 1 行" in page
    assert pool() == [
        (
            *("每年多少学时？", 1, 200_000, True),
            *(("90", True), ("30", False), ("60", False)),
        ),
        ("=1+1 等于几？", None, None, False, ("2", True), ("3", False)),
    ]
    assert not QuestionSheet.objects.exists()
    entry = AuditEntry.objects.get(action="catalog.questions_imported")
    assert (entry.actor, entry.detail) == (
        staff,
        {"created": 2, "updated": 0, "unchanged": 0, "refused": 1},
    )


def test_the_same_sheet_again_changes_nothing(client: Client, course: Course):
    upload(client, ABOUT_CHAPTER, ABOUT_COURSE)
    confirm(client)
    before = list(Option.objects.values_list("pk", flat=True))

    page = upload(client, ABOUT_CHAPTER, ABOUT_COURSE)
    confirm(client)

    assert "没有可以导入的题目" in page
    assert list(Option.objects.values_list("pk", flat=True)) == before
    assert Question.objects.count() == 2


def test_a_changed_row_updates_its_question(client: Client, course: Course):
    upload(client, ABOUT_CHAPTER, ABOUT_COURSE)
    confirm(client)
    key = Question.objects.get(stem="每年多少学时？").pk
    changed = ["law", "1", "", "每年多少学时？", "九十", "三十", "", "", "否"]

    upload(client, changed, ABOUT_COURSE)
    page = confirm(client)

    assert "新增 0 题，更新 1 题，未变 1 题" in page
    assert Question.objects.get(stem="每年多少学时？").pk == key
    assert pool()[0] == (
        *("每年多少学时？", 1, None, False),
        *(("九十", True), ("三十", False)),
    )


def test_a_sheet_is_imported_once(client: Client, course: Course):
    upload(client, ABOUT_CHAPTER)
    code = QuestionSheet.objects.get().code
    confirm(client)
    upload(client, ABOUT_COURSE)

    page = confirm(client, code=code)

    assert "已经导入、放弃或被新的替代" in page
    assert Question.objects.count() == 1
    assert QuestionSheet.objects.exists()


def test_a_sheet_can_be_dropped(client: Client, course: Course):
    upload(client, ABOUT_CHAPTER)

    page = confirm(client, drop="yes")

    assert "没有导入任何题目" in page
    assert not QuestionSheet.objects.exists()
    assert not Question.objects.exists()


def test_the_error_sheet_can_be_corrected_and_sent_again(
    client: Client, course: Course
):
    upload(client, ABOUT_CHAPTER, BAD)

    content = client.get(reverse(f"{IMPORT}_errors")).content

    head, row = read_download(content)
    assert head == [*HEAD, "错误说明", "原文件行号"]
    assert row[:6] == BAD[:6]
    assert row[9:] == ["课程编号：没有这个课程编号。\n错误选项1：与其他选项重复。", "3"]
    assert not has_formula(content)
    assert "有误" in upload(client, content=content)


def test_the_template_has_drop_downs_and_examples_apart(client: Client, course: Course):
    content = client.get(reverse(f"{IMPORT}_template")).content

    book = load_workbook(BytesIO(content))
    choices = {
        str(choice.sqref): choice.formula1
        for choice in book["题目"].data_validations.dataValidation
    }
    assert choices == {"I2:I2001": '"是,否"', "A2:A2001": "'课程和章节'!$A$2:$A$2"}
    assert read_download(content) == [HEAD]
    assert (
        book["填写说明"]["D2"].value == "每年累计参加继续教育的时间应不少于多少学时？"
    )
    assert book["课程和章节"]["A2"].value == "law"
    assert book["题目"].column_dimensions["C"].number_format == "@"
    assert "表中没有题目" in upload(client, content=content)


def test_an_exported_pool_comes_back_unchanged(client: Client, course: Course):
    upload(client, ABOUT_CHAPTER, ABOUT_COURSE)
    confirm(client)
    many = QuestionFactory(course=course, stem="五个选项")
    OptionFactory(question=many, text="第五个")

    response = client.post(
        reverse("admin:catalog_question_changelist"),
        {
            "action": "export",
            "_selected_action": [str(row.pk) for row in Question.objects.all()],
        },
    )

    head, *rows = read_download(response.content)
    assert head[5:] == ["错误选项1", "错误选项2", "错误选项3", "错误选项4", "启用"]
    assert [row[3] for row in rows] == ["每年多少学时？", "=1+1 等于几？", "五个选项"]
    assert not has_formula(response.content)
    page = upload(client, content=response.content)
    assert "<dd>3 题</dd>" in page.split("未变</dt>")[1][:20]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no sheet", "不是 Excel 表格"),
        (make_book(["姓名"], ["张三"]), "请使用模板填写"),
        (b"", "文件是空的"),
    ],
)
def test_other_files_are_refused(
    content: bytes, words: str, client: Client, course: Course
):
    page = upload(client, content=content)

    assert words in page
    assert not QuestionSheet.objects.exists()


def test_an_import_needs_the_rights_to_add_and_to_change(
    client_of: Any, course: Course
):
    clerk = UserFactory(is_staff=True)
    rights = Permission.objects.filter(
        codename__in=["view_question", "change_question"]
    )
    clerk.user_permissions.set(rights)
    client = client_of(clerk)

    statuses = [
        client.get(reverse(f"{IMPORT}{view}")).status_code
        for view in ("", "_template", "_errors", "_confirm")
    ]

    assert statuses == [403] * 4
    page = client.get(reverse("admin:catalog_question_changelist")).content.decode()
    assert "导入题目" not in page


def test_somebody_elses_sheet_is_neither_seen_nor_imported(
    client: Client, client_of: Any, course: Course
):
    upload(client, ABOUT_CHAPTER)
    other = client_of(UserFactory(is_staff=True, is_superuser=True))

    page = confirm(other)

    assert "已经导入、放弃或被新的替代" in page
    assert "检查结果" not in page
    assert not Question.objects.exists()


# --- One question ---------------------------------------------------------------------------
def post_question(client: Client, course: Course, **data: Any) -> str:
    rows: dict[str, str] = {"options-TOTAL_FORMS": "2", "options-INITIAL_FORMS": "0"}
    for number in range(2):
        rows[f"options-{number}-text"] = f"选项{number}"
    response = client.post(
        reverse("admin:catalog_question_add"),
        {
            "course": course.pk,
            "stem": "题目",
            "is_active": "on",
            **rows,
            "options-0-is_correct": "on",
            **data,
        },
        follow=True,
    )
    return response.content.decode()


def test_a_question_names_its_moment_in_minutes_and_seconds(
    client: Client, course: Course
):
    post_question(client, course, chapter=course.chapters.get().pk, shown_at_ms="03:20")

    question = Question.objects.get()
    assert question.shown_at_ms == 200_000
    address = reverse("admin:catalog_question_change", args=[question.pk])
    assert 'value="03:20"' in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("moment", "has_chapter", "words"),
    [
        ("3 分", True, "请填写分:秒"),
        ("10:00", True, "超出章节视频的时长（10:00）"),
        ("01:00", False, "须同时选择章节"),
    ],
)
def test_a_moment_outside_the_chapter_is_refused(
    moment: str, has_chapter: bool, words: str, client: Client, course: Course
):
    chapter = {"chapter": course.chapters.get().pk} if has_chapter else {}

    page = post_question(client, course, shown_at_ms=moment, **chapter)

    assert words in page
    assert not Question.objects.exists()
