"""The queue of appeals, each decided by one with the trace in view."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from accounts.admin.base import ReadOnlyAdmin, RegionScopedAdmin, get_actor
from accounts.admin.decisions import DecisionAdmin, DueFilter
from accounts.errors import AccountsError
from accounts.models import User
from learning.admin.trace import describe_trace
from learning.errors import LearningError
from learning.forms import AppealDecisionForm
from learning.models import Appeal, CreditDecision
from learning.queries.appeals import find_appeal, find_progress, list_creditable
from learning.rules.durations import show_time
from learning.rules.intervals import total_ms
from learning.services.appeals import (
    approve_appeal,
    has_right,
    refuse_appeal,
    refuse_without_right,
    return_appeal,
)
from learning.services.corrections import CORRECT


@admin.register(Appeal)
class AppealAdmin(RegionScopedAdmin, DecisionAdmin):
    region_path = "person__profile__region"
    decision_template: ClassVar[str] = "admin/learning/appeal/decision.html"
    decision_form = AppealDecisionForm
    refusals = (AccountsError, LearningError, ValueError)
    approve = staticmethod(approve_appeal)
    give_back = staticmethod(return_appeal)
    turn_down = staticmethod(refuse_appeal)
    row_argument: ClassVar[str] = "appeal_id"
    audit_name: ClassVar[str] = "appeal"
    list_filter: ClassVar[Any] = (DueFilter, "stretch__reason", "state")
    list_display = (
        *("code", "state", "due_text", "person"),
        *("reason_text", "time_text", "moment", "decider"),
    )
    list_select_related = ("person", "stretch", "first_decider")
    search_fields = ("=code", "=person__name")
    search_help_text = "按受理编号或学员姓名查找。"

    @admin.display(description="未计入原因", ordering="stretch__reason")
    def reason_text(self, row: Appeal) -> str:
        return row.stretch.get_reason_display()

    @admin.display(description="办理人", ordering="first_decider__name")
    def decider(self, row: Appeal) -> User | None:
        return row.first_decider

    @admin.display(description="时长", ordering="stretch__milliseconds")
    def time_text(self, row: Appeal) -> str:
        return show_time(row.stretch.milliseconds)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Only of the regions that bind the member of the staff."""
        self.refuse_outside_scope(request, object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def file_view(self, request: HttpRequest, pk: int, file: str) -> HttpResponse:
        self.refuse_outside_scope(request, str(pk))
        return super().file_view(request, pk, file)

    def refuse_outside_scope(self, request: HttpRequest, object_id: str) -> None:
        """Raises Http404 for a row of another region."""
        is_number = object_id.isdecimal()
        if not (is_number and self.get_queryset(request).filter(pk=object_id).exists()):
            raise Http404

    def find_row(self, pk: int) -> Appeal | None:
        return find_appeal(pk)

    def title_of(self, row: Appeal) -> str:
        return str(Appeal._meta.verbose_name)

    def has_right(self, actor: User, row: Appeal) -> bool:
        return has_right(actor=actor)

    def refuse_without_right(self, actor: User, row: Appeal) -> None:
        refuse_without_right(actor=actor)

    def describe(self, request: HttpRequest, row: Appeal) -> dict[str, Any]:
        stretch = row.stretch
        progress = find_progress(stretch.enrolment_id, stretch.chapter_id)
        day = timezone.localtime(stretch.first_at).date()
        return {
            "text": row.wanted.get("text", ""),
            "creditable_ms": total_ms(list_creditable(stretch, progress)),
            "is_live": stretch.enrolment.is_live,
            "may_correct": get_actor(request).has_perm(CORRECT),
            **describe_trace(row.person, day),
        }


@admin.register(CreditDecision)
class CreditDecisionAdmin(ReadOnlyAdmin):
    """What staff added to the ledger and took from it, to look at."""

    list_display = ("at", "kind", "person", "chapter", "time_text", "actor", "reason")
    list_filter = ("kind", "at")
    list_select_related = ("enrolment__person", "chapter", "actor")
    search_fields = ("=enrolment__person__name",)
    search_help_text = "按学员姓名查找。"
    show_full_result_count = False
    ordering = ("-pk",)
    fields = (
        ("kind", "at", "actor"),
        ("enrolment", "chapter", "time_text"),
        ("appeal", "corrected"),
        ("reason", "undone"),
    )

    @admin.display(description="同时取消")
    def undone(self, row: CreditDecision) -> str:
        return row.withdrawn_text or "—"

    @admin.display(description="学员", ordering="enrolment__person__name")
    def person(self, row: CreditDecision) -> str:
        return row.enrolment.person.name

    @admin.display(description="时长", ordering="milliseconds")
    def time_text(self, row: CreditDecision) -> str:
        return show_time(row.milliseconds)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditDecision]:
        rows = super().get_queryset(request)
        return rows.select_related("enrolment__person", "enrolment__plan")
