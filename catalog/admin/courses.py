"""Courses with their chapters, and lecturers."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from catalog import locks, queries, services
from catalog.admin.base import (
    OrderedInline,
    PublishAdmin,
    save_in_order,
    say_duration,
    show_problems,
)
from catalog.models import Chapter, Course, Lecturer
from catalog.rules import find_course_problems


def find_problems(course: Course) -> list[str]:
    """What keeps the course from being published."""
    return find_course_problems(queries.read_course_facts(course))


class ChapterInline(OrderedInline):
    model = Chapter
    fields = ["position", "title", "video", "video_state"]
    readonly_fields = ["video_state"]
    raw_id_fields = ["video"]
    ordering = ["position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Chapter]:
        chapters: QuerySet[Chapter] = super().get_queryset(request)
        return chapters.select_related("video")

    @admin.display(description="视频状态")
    def video_state(self, chapter: Chapter) -> str:
        if chapter.video is None:
            return "没有视频"
        length = say_duration(chapter.video.duration_ms)
        return f"{chapter.video.get_state_display()} {length}"


@admin.register(Course)
class CourseAdmin(PublishAdmin):
    publish_row = staticmethod(services.publish_course)
    withdraw_row = staticmethod(services.withdraw_course)
    row_argument = "course_id"
    lock_row = staticmethod(locks.lock_course)
    find_problems = staticmethod(find_problems)
    inlines = [ChapterInline]
    list_display = [
        *("title", "is_published", "field", "lecturer", "credits"),
        *("chapter_count", "question_pool"),
    ]
    list_filter = ["is_published", "field", "credits"]
    list_select_related = ["lecturer"]
    search_fields = ["title", "code", "lecturer__name"]
    ordering = ["title"]
    readonly_fields = ["is_published", "publish_check", "question_pool", "preview"]
    fieldsets = [
        (None, {"fields": ["title", "code", "field", "lecturer", "credits"]}),
        ("介绍", {"fields": ["summary"]}),
        (
            "发布",
            {"fields": ["is_published", "publish_check", "question_pool", "preview"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        courses: QuerySet[Course] = super().get_queryset(request)
        return courses.annotate(
            chapter_total=Count("chapters", distinct=True),
            question_total=Count("questions", distinct=True),
        )

    @admin.display(description="章节数", ordering="chapter_total")
    def chapter_count(self, course: Any) -> int:
        return int(course.chapter_total)

    @admin.display(description="题库", ordering="question_total")
    def question_pool(self, course: Any) -> str:
        if not course.pk:
            return "—"
        address = reverse("admin:catalog_question_changelist")
        return format_html(
            '<a href="{}?course__id__exact={}">{} 题</a>',
            address,
            course.pk,
            course.question_total,
        )

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        save_in_order(
            formset,
            lambda ids: services.order_chapters(
                course_id=formset.instance.pk, chapter_ids=ids
            ),
        )

    @admin.display(description="以学员身份预览")
    def preview(self, course: Course) -> str:
        """A course is studied within a plan: one link for each that holds it."""
        plans = course.plans.order_by("-year", "pk") if course.pk else []
        links = [
            (reverse("learning:player", args=[plan.code, course.code]), plan.title)
            for plan in plans
        ]
        return (
            format_html_join("、", '<a href="{}">{}</a>', links)
            or "加入培训计划后可以预览"
        )

    @admin.display(description="发布检查")
    def publish_check(self, course: Course) -> str:
        if not course.pk:
            return "保存后检查"
        return show_problems(find_problems(course))


@admin.register(Lecturer)
class LecturerAdmin(admin.ModelAdmin):
    list_display = ["name", "title", "organisation"]
    search_fields = ["name", "organisation"]
    ordering = ["name", "pk"]
