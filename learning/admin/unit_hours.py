"""Hours that units recorded: to look at, and to keep what a spot check (抽查) found."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from accounts.admin.base import (
    ReadOnlyAdmin,
    ReadOnlyMixin,
    RegionScopedAdmin,
    get_actor,
)
from accounts.tasks import deliver_messages
from learning.errors import LearningError
from learning.forms import InspectionForm
from learning.models import UnitHours, UnitHoursEvent
from learning.services.unit_hours import inspect_unit_hours

INSPECT = "learning.inspect_unithours"


class UnitHoursEventInline(ReadOnlyMixin, admin.TabularInline):
    model = UnitHoursEvent
    fields = ["at", "state", "actor", "reason"]
    ordering = ["at", "pk"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnitHoursEvent]:
        return super().get_queryset(request).select_related("actor")


@admin.register(UnitHours)
class UnitHoursAdmin(RegionScopedAdmin, ReadOnlyAdmin):
    """A supervisor finds those of units in the own regions; others find all."""

    region_path = "unit__region"
    list_display = [
        *("person", "unit", "year", "content", "hours", "period"),
        *("kind", "state", "recorded_at"),
    ]
    list_filter = ["state", "kind", "year"]
    list_select_related = ["person", "unit"]
    search_fields = ["person__name", "unit__name", "content", "code"]
    search_help_text = "按姓名、单位、培训内容或登记编号查找"
    show_full_result_count = False
    ordering = ["-recorded_at", "-pk"]
    inlines = [UnitHoursEventInline]
    change_form_template = "admin/learning/unithours/change_form.html"
    fields = [
        ("code", "state", "state_reason"),
        ("person", "unit"),
        ("year", "hours", "kind"),
        ("content", "organiser"),
        ("starts_on", "ends_on", "result"),
        ("recorded_by", "recorded_at"),
    ]

    @admin.display(description="起止日期", ordering="starts_on")
    def period(self, row: UnitHours) -> str:
        return f"{row.starts_on:%m-%d} 至 {row.ends_on:%m-%d}"

    def get_urls(self) -> list[URLPattern]:
        inspect = path(
            "<int:pk>/inspect/",
            self.admin_site.admin_view(self.inspect_view),
            name="learning_unithours_inspect",
        )
        return [inspect, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        context["may_inspect"] = (
            row is not None
            and row.state != UnitHours.State.WITHDRAWN
            and get_actor(request).has_perm(INSPECT)
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def inspect_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the finding and its reason, then keep both."""
        actor = get_actor(request)
        if not (self.has_view_permission(request) and actor.has_perm(INSPECT)):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        form = InspectionForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                found = inspect_unit_hours(
                    record=row,
                    passes=form.cleaned_data["finding"] == InspectionForm.PASS,
                    reason=form.cleaned_data["reason"],
                    actor=actor,
                    now=timezone.now(),
                )
            except LearningError as error:
                form.add_error("reason", error.message)
            else:
                deliver_messages.delay_on_commit()
                messages.success(request, f"{found}：{found.get_state_display()}")
                return redirect("admin:learning_unithours_change", row.pk)
        context = self.admin_site.each_context(request) | {
            "title": "登记抽查结果",
            "row": row,
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(
            request, "admin/learning/unithours/inspect.html", context
        )
