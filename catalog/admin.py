"""Plans, courses, chapters, lecturers, videos and questions for staff."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, Prefetch, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from accounts.models import User
from catalog import queries, services, tasks
from catalog.errors import CatalogError
from catalog.forms import (
    OptionFormSet,
    PlanForm,
    QuestionForm,
    VideoForm,
    VideoUploadForm,
)
from catalog.models import (
    Chapter,
    Course,
    Lecturer,
    Option,
    Plan,
    PlanCourse,
    Question,
    Video,
)
from catalog.rules import find_course_problems, find_plan_problems
from portal.lib.money import format_yuan


def show_problems(problems: list[str]) -> str:
    """What keeps something from being published, as a list for the page of staff."""
    if not problems:
        return "检查通过，可以发布"
    return format_html(
        "<ul>{}</ul>",
        format_html_join("", "<li>{}</li>", ((problem,) for problem in problems)),
    )


def say_duration(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes}:{seconds:02d}" if milliseconds else "—"


class PublishAdmin(admin.ModelAdmin):
    """Publishing is an action with checks; the box itself cannot be ticked."""

    actions = ["publish", "withdraw"]
    publish_row: Callable[..., Any]
    withdraw_row: Callable[..., Any]
    row_argument: str

    @admin.action(description="发布所选项目（先检查）", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._apply(request, queryset, self.publish_row, "已发布")

    @admin.action(description="撤回所选项目（改为草稿）", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._apply(request, queryset, self.withdraw_row, "已撤回")

    def _apply(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        change: Callable[..., Any],
        done: str,
    ) -> None:
        actor, now = cast(User, request.user), timezone.now()
        for row in queryset.order_by("pk"):
            try:
                change(**{self.row_argument: row.pk}, actor=actor, now=now)
            except CatalogError as error:
                self.message_user(
                    request, f"《{row}》未能办理：{error.message}", messages.ERROR
                )
            else:
                self.message_user(request, f"《{row}》{done}", messages.SUCCESS)


class PlanCourseInline(admin.TabularInline):
    model = PlanCourse
    fields = ["position", "course", "kind"]
    raw_id_fields = ["course"]
    ordering = ["position", "pk"]
    extra = 0
    verbose_name = "课程"
    verbose_name_plural = "课程（按排序显示）"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanCourse]:
        rows: QuerySet[PlanCourse] = super().get_queryset(request)
        return rows.select_related("course")


@admin.register(Plan)
class PlanAdmin(PublishAdmin):
    form = PlanForm
    publish_row = staticmethod(services.publish_plan)
    withdraw_row = staticmethod(services.withdraw_plan)
    row_argument = "plan_id"
    inlines = [PlanCourseInline]
    list_display = [
        *("title", "is_published", "year", "subject", "field", "entry_number"),
        *("price", "course_count"),
    ]
    list_filter = ["is_published", "subject", "year", "entry", "field"]
    search_fields = ["title", "code"]
    ordering = ["-year", "subject", "entry", "pk"]
    readonly_fields = ["is_published", "price", "publish_check"]
    fieldsets = [
        (None, {"fields": ["title", "code", "year", "subject", "field", "entry"]}),
        (
            "学分要求",
            {
                "fields": [
                    *("hours", "required_credits"),
                    *("compulsory_credits", "elective_credits"),
                ]
            },
        ),
        ("收费", {"fields": ["pricing", "unit_price", "price"]}),
        (
            "时间",
            {
                "fields": [
                    ("training_start", "training_end"),
                    ("sale_start", "sale_end"),
                ]
            },
        ),
        ("培训说明", {"fields": ["summary"]}),
        ("发布", {"fields": ["is_published", "publish_check"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        plans: QuerySet[Plan] = super().get_queryset(request)
        return plans.annotate(course_total=Count("plan_courses"))

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        return reverse("plan-detail", args=[obj.code]) if obj else None

    def response_change(self, request: HttpRequest, obj: Plan) -> HttpResponse:
        problems = find_plan_problems(*queries.read_plan_facts(obj))
        if obj.is_published and problems:
            text = "已发布的计划现在有以下问题，请尽快处理："
            self.message_user(request, text + "；".join(problems), messages.WARNING)
        return super().response_change(request, obj)

    @admin.display(description="入口", ordering="entry")
    def entry_number(self, plan: Plan) -> str:
        return "二" if plan.entry == Plan.Entry.TWO else "一"

    @admin.display(description="总价（元）")
    def price(self, plan: Plan) -> str:
        return format_yuan(plan.price_fen) if plan.pk else "—"

    @admin.display(description="课程数", ordering="course_total")
    def course_count(self, plan: Any) -> int:
        return int(plan.course_total)

    @admin.display(description="发布检查")
    def publish_check(self, plan: Plan) -> str:
        if not plan.pk:
            return "保存后检查"
        return show_problems(find_plan_problems(*queries.read_plan_facts(plan)))


class ChapterInline(admin.TabularInline):
    model = Chapter
    fields = ["position", "title", "video", "video_state"]
    readonly_fields = ["video_state"]
    raw_id_fields = ["video"]
    ordering = ["position"]
    extra = 0

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
    inlines = [ChapterInline]
    list_display = [
        *("title", "is_published", "field", "lecturer", "credits"),
        *("chapter_count", "question_pool"),
    ]
    list_filter = ["is_published", "field", "credits"]
    list_select_related = ["lecturer"]
    search_fields = ["title", "code", "lecturer__name"]
    ordering = ["title"]
    readonly_fields = ["is_published", "publish_check", "question_pool"]
    fieldsets = [
        (None, {"fields": ["title", "code", "field", "lecturer", "credits"]}),
        ("介绍", {"fields": ["summary"]}),
        ("发布", {"fields": ["is_published", "publish_check", "question_pool"]}),
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

    @admin.display(description="发布检查")
    def publish_check(self, course: Course) -> str:
        if not course.pk:
            return "保存后检查"
        return show_problems(find_course_problems(queries.read_course_facts(course)))


@admin.register(Lecturer)
class LecturerAdmin(admin.ModelAdmin):
    list_display = ["name", "title", "organisation"]
    search_fields = ["name", "organisation"]
    ordering = ["name", "pk"]


class OptionInline(admin.TabularInline):
    model = Option
    formset = OptionFormSet
    fields = ["text", "is_correct"]
    ordering = ["pk"]
    extra = 0
    min_num = 4


@admin.register(Question)
class QuestionAdmin(admin.ModelAdmin):
    form = QuestionForm
    inlines = [OptionInline]
    list_display = ["stem", "course", "chapter", "is_active"]
    list_filter = ["is_active", "course"]
    list_select_related = ["course", "chapter"]
    search_fields = ["stem", "course__title"]
    ordering = ["course", "pk"]
    raw_id_fields = ["chapter"]


@admin.register(Video)
class VideoAdmin(admin.ModelAdmin):
    """Uploads and what became of them; a failed one says why and can be tried again."""

    list_display = [
        *("__str__", "progress", "length", "used_in", "created_at"),
    ]
    list_filter = ["state"]
    search_fields = ["source", "file", "chapters__title", "chapters__course__title"]
    ordering = ["-created_at", "-pk"]
    actions = ["retry"]
    readonly_fields = [
        *("progress", "failure", "length", "picture", "megabytes", "preview"),
        *("used_in", "created_at"),
    ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        kwargs["form"] = VideoForm if change else VideoUploadForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["source", "captions"]
        return ["captions", *self.readonly_fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        videos: QuerySet[Video] = super().get_queryset(request)
        chapters = Chapter.objects.select_related("course").order_by("pk")
        return videos.prefetch_related(Prefetch("chapters", queryset=chapters))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        # The preview's address is signed for whoever looks.
        video = super().get_object(request, object_id, from_field)
        if video is not None:
            video.viewer = request.user
        return video

    def save_model(
        self, request: HttpRequest, obj: Video, form: Any, change: bool
    ) -> None:
        if not change:
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)
        if not change:
            tasks.process_video.delay_on_commit(obj.pk)

    @admin.action(description="重新处理失败的视频", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        failed = [
            video.pk
            for video in queryset.order_by("pk")
            if services.retry_video(video_id=video.pk)
        ]
        for video_id in failed:
            tasks.process_video.delay_on_commit(video_id)
        self.message_user(request, f"已重新提交 {len(failed)} 个视频")

    @admin.display(description="状态", ordering="state")
    def progress(self, video: Video) -> str:
        now = timezone.now()
        if video.state == Video.State.FAILED:
            return f"处理失败：{video.failure}"
        if video.state == Video.State.WAITING and video.lease_until:
            return f"处理中 {video.percent}%" if video.lease_until > now else "待处理"
        return video.get_state_display()

    @admin.display(description="时长", ordering="duration_ms")
    def length(self, video: Video) -> str:
        return say_duration(video.duration_ms)

    @admin.display(description="画面")
    def picture(self, video: Video) -> str:
        return f"{video.width} × {video.height}" if video.width else "—"

    @admin.display(description="大小", ordering="size")
    def megabytes(self, video: Video) -> str:
        return f"{video.size / 1_000_000:.1f} MB" if video.size else "—"

    @admin.display(description="所在章节")
    def used_in(self, video: Video) -> str:
        names = [f"{c.course.title} / {c.title}" for c in video.chapters.all()]
        return "、".join(names) or "未使用"

    @admin.display(description="预览")
    def preview(self, video: Any) -> str:
        if video.state != Video.State.READY:
            return "处理完成后可以预览"
        address = queries.signed_video_url(video, video.viewer, timezone.now())
        return format_html('<a href="{}" target="_blank">播放</a>', address)
