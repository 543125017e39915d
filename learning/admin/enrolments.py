"""What people may study and how far they are; adding means opening a plan."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.base import ReadOnlyMixin
from accounts.forms.staff import NumberForm
from accounts.models import User
from accounts.queries import find_person_by_number
from accounts.rules.accounts import looks_like_number
from learning.forms import OpenEnrolmentForm
from learning.models import (
    ChapterProgress,
    CourseCompletion,
    Enrolment,
    FurtherRight,
    PersonClock,
    RefusedTime,
)
from learning.queries.trace import find_last_day
from learning.rules.durations import show_time
from learning.services import open_enrolment_by_staff

# An inline writes the name of every row, which names person and plan.
OWNER = ("enrolment__person", "enrolment__plan")


class FurtherRightInline(ReadOnlyMixin, admin.TabularInline):
    model = FurtherRight
    fields = ["source", "source_number", "given_at"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[FurtherRight]:
        rows = super().get_queryset(request)
        return rows.select_related(*OWNER).order_by("given_at", "pk")


class CourseCompletionInline(ReadOnlyMixin, admin.TabularInline):
    model = CourseCompletion
    fields = ["course", "credits", "is_compulsory", "completed_at"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[CourseCompletion]:
        rows = super().get_queryset(request)
        return rows.select_related("course", *OWNER).order_by("completed_at", "pk")


class ChapterProgressInline(ReadOnlyMixin, admin.TabularInline):
    model = ChapterProgress
    fields = ["course", "chapter", "credited", "waiting", "length", "completed_at"]
    readonly_fields = ["course", "credited", "waiting", "length"]
    extra = 0

    @admin.display(description="课程")
    def course(self, row: ChapterProgress) -> str:
        return row.chapter.course.title

    @admin.display(description="已计入")
    def credited(self, row: ChapterProgress) -> str:
        return show_time(row.covered_ms)

    @admin.display(description="待确认")
    def waiting(self, row: Any) -> str:
        return show_time(row.pending_ms + (row.run_ms or 0))

    @admin.display(description="时长")
    def length(self, row: ChapterProgress) -> str:
        video = row.chapter.video
        return show_time(video.duration_ms) if video else "—"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChapterProgress]:
        rows = super().get_queryset(request)
        # What the open player has played since the clock's last fold waits as well.
        clock = PersonClock.objects.filter(
            enrolment=OuterRef("enrolment"), chapter=OuterRef("chapter")
        )
        run_ms = clock.values_list(F("last_position_ms") - F("run_from_ms"))[:1]
        shown: QuerySet[ChapterProgress] = rows.annotate(run_ms=Subquery(run_ms))
        return shown.select_related(
            "chapter__course", "chapter__video", *OWNER
        ).order_by("chapter__course_id", "chapter__position")


class RefusedTimeInline(ReadOnlyMixin, admin.TabularInline):
    model = RefusedTime
    fields = ["reason", "time", "chapter", "first_at", "last_at"]
    readonly_fields = ["time"]
    extra = 0

    @admin.display(description="时长")
    def time(self, row: RefusedTime) -> str:
        return show_time(row.milliseconds)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefusedTime]:
        rows = super().get_queryset(request)
        return rows.select_related("chapter").order_by("first_at", "pk")


@admin.register(Enrolment)
class EnrolmentAdmin(admin.ModelAdmin):
    """What a person may study and how far they are; adding means opening a plan."""

    list_display = [
        "person",
        "plan",
        "state",
        "percent_text",
        "credits_text",
        "opened_at",
    ]
    list_filter = ["state", "source", "plan__year", "plan__subject"]
    list_select_related = ["person", "plan"]
    search_fields = ["person__name", "person__username", "source_number"]
    search_help_text = "按姓名、用户名或来源编号（如订单编号）查找"
    show_full_result_count = False
    ordering = ["-pk"]
    change_list_template = "admin/learning/enrolment/change_list.html"
    inlines = [
        FurtherRightInline,
        CourseCompletionInline,
        ChapterProgressInline,
        RefusedTimeInline,
    ]
    fields = [
        ("person", "plan"),
        ("state", "percent_text", "credits_text"),
        ("source", "source_number"),
        ("opened_at", "completed_at", "trace_link"),
    ]

    @admin.display(description="计划完成度", ordering="percent")
    def percent_text(self, enrolment: Enrolment) -> str:
        return f"{enrolment.percent}%"

    @admin.display(description="已得学分")
    def credits_text(self, enrolment: Enrolment) -> str:
        return f"{enrolment.credits_earned} / {enrolment.plan.required_credits}"

    @admin.display(description="学习轨迹")
    def trace_link(self, enrolment: Enrolment) -> str | SafeString:
        """The last day of it, from which the days before can be reached."""
        day = find_last_day(enrolment)
        if day is None:
            return "—"
        place = (enrolment.person.code, day.isoformat())
        address = reverse("admin:learning_studyflag_trace", args=place)
        return format_html('<a href="{}">{}</a>', address, day.isoformat())

    def has_change_permission(
        self, request: HttpRequest, obj: Enrolment | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Enrolment | None = None
    ) -> bool:
        return False

    # --- Opening a plan ------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Enrolment | None = None) -> Any:
        return self.fields if obj else ["account", "plan", "reason"]

    def get_form(
        self,
        request: HttpRequest,
        obj: Enrolment | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        if obj is None:
            return OpenEnrolmentForm
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Enrolment | None) -> Any:
        return self.inlines if obj else []

    def save_model(
        self, request: HttpRequest, obj: Enrolment, form: Any, change: bool
    ) -> None:
        opened = open_enrolment_by_staff(
            plan=form.cleaned_data["plan"],
            person=form.person,
            reason=form.cleaned_data["reason"],
            actor=cast(User, request.user),
            now=timezone.now(),
        )
        # The admin goes on with the form's own object.
        obj.pk = opened.pk
        obj.refresh_from_db()

    # --- Finding by number ---------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        find = path(
            "find/",
            self.admin_site.admin_view(self.find_view),
            name="learning_enrolment_find",
        )
        return [find, *super().get_urls()]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """List the enrolments of the person with exactly this number."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        url = reverse("admin:learning_enrolment_changelist")
        form = NumberForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            person = find_person_by_number(form.cleaned_data["number"])
            if person is not None:
                return redirect(f"{url}?person__id__exact={person.pk}")
            messages.warning(request, "没有使用该号码的账号。")
        return redirect(url)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "person__id__exact" or super().lookup_allowed(
            lookup, value, request
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Enrolment], search_term: str
    ) -> tuple[QuerySet[Enrolment], bool]:
        """Numbers are not searched for by address: it ends in histories and logs.

        Order numbers are digits with letters before or between them.
        """
        if looks_like_number(search_term) and search_term[:-1].isdecimal():
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"number_form": NumberForm()} | (extra_context or {})
        return super().changelist_view(request, context)
