"""The questions of the prompts: one by one, and whole pools by sheet."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts.models import User
from catalog import queries, services
from catalog.documents import (
    write_question_errors,
    write_question_pool,
    write_question_template,
)
from catalog.errors import QuestionSheetError
from catalog.forms import OptionFormSet, QuestionForm, QuestionSheetForm
from catalog.models import Option, Question
from catalog.rules.moments import write_moment
from catalog.rules.question_sheets import list_columns_of
from portal.lib.file_responses import attachment
from portal.lib.spreadsheet import XLSX

NAME = "catalog_question"
IMPORT_PAGE = f"admin:{NAME}_import"
# A page; the error sheet has all of them.
MOST_SHOWN = 200


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
    list_display = ["stem", "course", "chapter", "moment", "is_active"]
    list_filter = ["is_active", "course"]
    list_select_related = ["course", "chapter"]
    search_fields = ["stem", "course__title"]
    ordering = ["course", "pk"]
    raw_id_fields = ["chapter"]
    actions = ["export"]
    change_list_template = "admin/catalog/question/change_list.html"

    @admin.display(description="出现时间", ordering="shown_at_ms")
    def moment(self, question: Question) -> str:
        shown_at = question.shown_at_ms
        return "—" if shown_at is None else write_moment(shown_at)

    @admin.action(description="导出所选题目（与导入模板相同）", permissions=["view"])
    def export(
        self, request: HttpRequest, queryset: QuerySet[Question]
    ) -> HttpResponse:
        content = write_question_pool(queries.list_pool_rows(queryset))
        day = timezone.localdate()
        return attachment(content, name=f"题库-{day}.xlsx", content_type=XLSX)

    # --- Import ----------------------------------------------------------------------------

    def has_import_permission(self, request: HttpRequest) -> bool:
        """An import adds questions and changes those that are there."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    def get_urls(self) -> list[URLPattern]:
        own = (
            ("import/", self.import_view, "import"),
            ("import/confirm/", self.confirm_view, "import_confirm"),
            ("import/template/", self.template_view, "import_template"),
            ("import/errors/", self.errors_view, "import_errors"),
        )
        return [
            path(
                route,
                self.admin_site.admin_view(never_cache(view)),
                name=f"{NAME}_{name}",
            )
            for route, view, name in own
        ] + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        extra = {"may_import": self.has_import_permission(request)}
        return super().changelist_view(request, extra | (extra_context or {}))

    def _get_importer(self, request: HttpRequest) -> User:
        """Who imports; the door of the views below. Raises PermissionDenied."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        return cast(User, request.user)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Upload a sheet, and look at what importing it would do."""
        actor = self._get_importer(request)
        form = QuestionSheetForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                services.upload_question_sheet(
                    content=form.cleaned_data["file"].read(),
                    actor=actor,
                    now=timezone.now(),
                )
            except QuestionSheetError as error:
                form.add_error("file", error.message)
            else:
                return redirect(IMPORT_PAGE)
        sheet = queries.find_question_sheet(actor)
        check = queries.check_question_sheet(sheet) if sheet else None
        context = {
            **self.admin_site.each_context(request),
            "title": "导入题目",
            "opts": self.model._meta,
            "form": form,
            "sheet": sheet,
            "check": check,
            **(list_preview(check) if check else {}),
        }
        return TemplateResponse(request, "admin/catalog/question/import.html", context)

    def confirm_view(self, request: HttpRequest) -> HttpResponse:
        """Import the sheet that was looked at, or drop it."""
        actor = self._get_importer(request)
        if request.method != "POST":
            return redirect(IMPORT_PAGE)
        code = request.POST.get("code", "")
        if "drop" in request.POST:
            services.drop_question_sheet(code=code, actor=actor)
            messages.success(request, "已放弃，没有导入任何题目。")
            return redirect(IMPORT_PAGE)
        try:
            counts = services.import_question_sheet(
                code=code, actor=actor, now=timezone.now()
            )
        except QuestionSheetError as error:
            messages.error(request, error.message)
            return redirect(IMPORT_PAGE)
        messages.success(
            request,
            f"导入完成：新增 {counts.created} 题，更新 {counts.updated} 题，"
            f"未变 {counts.unchanged} 题，有误未导入 {counts.refused} 行。",
        )
        return redirect(f"admin:{NAME}_changelist")

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """The blank form."""
        self._get_importer(request)
        content = write_question_template(queries.list_courses_for_sheets())
        return attachment(content, name="题目导入模板.xlsx", content_type=XLSX)

    def errors_view(self, request: HttpRequest) -> HttpResponse:
        """The rows of the uploaded sheet that have problems."""
        sheet = queries.find_question_sheet(self._get_importer(request))
        if sheet is None:
            return redirect(IMPORT_PAGE)
        content = write_question_errors(queries.check_question_sheet(sheet).bad)
        return attachment(content, name="题目错误文件.xlsx", content_type=XLSX)


def list_preview(check: queries.SheetCheck) -> dict[str, Any]:
    """The columns and rows for the page, problems first; every cell with what is wrong."""
    groups = (
        ("有误", check.bad),
        ("新增", check.new),
        ("更新", check.changed),
        ("未变", check.same),
    )
    rows = [(effect, row) for effect, group in groups for row in group]
    columns = list_columns_of(row.typed for _, row in rows)
    return {
        "columns": columns,
        "row_count": len(rows),
        "rows": [
            {
                "line": row.typed.line,
                "effect": effect,
                "is_bad": bool(row.problems),
                "cells": [
                    (row.typed.cells.get(name, ""), row.problems.get(name, ""))
                    for name in columns
                ],
            }
            for effect, row in rows[:MOST_SHOWN]
        ],
    }
