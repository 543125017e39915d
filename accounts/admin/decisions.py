"""The queue of whatever staff decide on proofs, and the page to decide it on."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache

from accounts.admin.base import ReadOnlyAdmin, get_actor
from accounts.errors import AccountsError, DeciderRefusedError
from accounts.forms.requests import DecisionForm
from accounts.models import User
from accounts.models.decisions import DecidedPaper
from accounts.queries.requests import filter_overdue
from accounts.rules.decisions import (
    RETURNED,
    WAITING,
    refuse_decider,
    refuse_second_approver,
)
from accounts.services.proofs import open_proof
from accounts.tasks import deliver_messages
from portal.lib.file_responses import inline

DONE = {
    DecisionForm.APPROVE: "已通过。",
    DecisionForm.RETURN: "已退回，申请人将收到短信。",
    DecisionForm.REFUSE: "已不予通过，申请人将收到短信。",
}


class DueFilter(admin.SimpleListFilter):
    title = "办理期限"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "待办理"), ("overdue", "已超期")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[DecidedPaper]
    ) -> QuerySet[DecidedPaper]:
        if self.value() == "waiting":
            return queryset.filter(state__in=WAITING)
        if self.value() == "overdue":
            return filter_overdue(queryset, today=timezone.localdate())
        return queryset


class DecisionAdmin(ReadOnlyAdmin):
    """Rows are decided on their own page and changed nowhere else.

    A subclass says what its rows are, who may decide them and by which services.
    """

    decision_template: ClassVar[str]
    decision_form: ClassVar[type[DecisionForm]] = DecisionForm
    # What a decision may be refused with, to be shown to whoever decides.
    refusals: ClassVar[tuple[type[Exception], ...]] = (AccountsError, ValueError)
    approve: Callable[..., Any]
    give_back: Callable[..., Any]
    turn_down: Callable[..., Any]
    # The services' argument that names the row.
    row_argument: ClassVar[str]
    audit_name: ClassVar[str]

    list_filter: ClassVar[Any] = (DueFilter, "kind", "state")
    # What waits comes first, the longest overdue at the top.
    ordering: ClassVar[Any] = (
        Case(When(state__in=WAITING, then=Value(0)), default=Value(1)),
        "due_date",
        "pk",
    )
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="办理期限", ordering="due_date")
    def due_text(self, row: DecidedPaper) -> str | SafeString:
        if row.is_waiting and row.due_date < timezone.localdate():
            return format_html(
                '<b class="is-overdue">{} 已超期</b>', f"{row.due_date:%Y-%m-%d}"
            )
        return f"{row.due_date:%Y-%m-%d}"

    @admin.display(description="提交时间", ordering="filed_at")
    def moment(self, row: DecidedPaper) -> str:
        return f"{timezone.localtime(row.filed_at):%m-%d %H:%M}"

    # --- For the subclass ----------------------------------------------------------------

    @abstractmethod
    def find_row(self, pk: int) -> Any:
        """The row with everything its page shows, or None."""

    def title_of(self, row: Any) -> str:
        """What the page is called: the kind of the row, where there are several."""
        title: str = row.get_kind_display()
        return title

    @abstractmethod
    def has_right(self, actor: User, row: Any) -> bool:
        """Whether this member of the staff decides such rows, and opens their proofs."""

    @abstractmethod
    def refuse_without_right(self, actor: User, row: Any) -> None:
        """Raise `DeciderRefusedError` in the words of the subclass."""

    @abstractmethod
    def describe(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the subclass's page shows besides."""

    # --- Addresses -----------------------------------------------------------------------

    def name_of(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<int:pk>/files/<slug:file>/",
                self.admin_site.admin_view(never_cache(self.file_view)),
                name=self.name_of("file"),
            ),
        ]
        return own + super().get_urls()

    # --- Deciding ------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What is asked for, the proofs, and what may be done about it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.find_row(int(object_id)) if object_id.isdecimal() else None
        if row is None:
            raise Http404
        form = self.decision_form(
            request.POST if request.method == "POST" else None,
            initial={"version": row.version},
        )
        if request.method == "POST":
            if not self.may_decide(get_actor(request), row):
                raise PermissionDenied
            if form.is_valid() and self.decide(request, row, form):
                return redirect(f"admin:{self.name_of('changelist')}")
            row = self.find_row(row.pk) or row
        return self.show(request, row, form)

    def may_decide(self, actor: User, row: Any) -> bool:
        """Whether a decision of this person is even looked at."""
        return self.has_right(actor, row)

    def decide(self, request: HttpRequest, row: Any, form: DecisionForm) -> bool:
        """Do it; False with words for the page where it cannot be done."""
        decision = form.cleaned_data["decision"]
        known: dict[str, Any] = {
            self.row_argument: row.pk,
            "seen_version": form.cleaned_data["version"],
            "actor": get_actor(request),
            "now": timezone.now(),
        }
        reason = form.cleaned_data["reason"].strip()
        try:
            if decision == DecisionForm.APPROVE:
                decided = self.approve(**known)
            elif decision == DecisionForm.RETURN:
                decided = self.give_back(**known, reason=reason)
            else:
                decided = self.turn_down(**known, reason=reason)
        except self.refusals as error:
            messages.error(request, str(error))
            return False
        deliver_messages.delay_on_commit()
        waits = decided.state == DecidedPaper.State.FIRST_APPROVED
        words = "初审通过，须由另一名工作人员复核。" if waits else DONE[decision]
        messages.success(request, f"{decided}：{words}")
        return True

    def show(self, request: HttpRequest, row: Any, form: DecisionForm) -> HttpResponse:
        may_open = self.has_right(get_actor(request), row)
        context = self.admin_site.each_context(request) | {
            "title": self.title_of(row),
            "opts": self.opts,
            "list_url": f"admin:{self.name_of('changelist')}",
            "file_url": f"admin:{self.name_of('file')}",
            "row": row,
            "events": row.events.select_related("actor").order_by("at", "pk"),
            "files": row.files.order_by("pk") if may_open else [],
            "form": form,
            "obstacle": self.find_obstacle(request, row),
            "obstacle_to_approval": self.find_obstacle_to_approval(request, row),
            "may_open": may_open,
            "is_overdue": row.is_waiting and row.due_date < timezone.localdate(),
            "by_two": row.by_two,
        }
        return TemplateResponse(
            request, self.decision_template, context | self.describe(request, row)
        )

    def find_obstacle(self, request: HttpRequest, row: Any) -> str:
        """Why this member of the staff cannot decide it now; empty if nothing is in the way."""
        if row.state == RETURNED:
            return "已退回，等待申请人重新提交。"
        if not row.is_waiting:
            return "该申请已办结。"
        actor = get_actor(request)
        try:
            self.refuse_without_right(actor, row)
            refuse_decider(row.standing, actor.pk)
        except DeciderRefusedError as error:
            return str(error)
        return ""

    def find_obstacle_to_approval(self, request: HttpRequest, row: Any) -> str:
        """Why somebody who may return and refuse it cannot approve it."""
        try:
            refuse_second_approver(row.standing, get_actor(request).pk)
        except DeciderRefusedError as error:
            return str(error)
        return ""

    # --- Proofs --------------------------------------------------------------------------

    def file_view(self, request: HttpRequest, pk: int, file: str) -> HttpResponse:
        """A proof, for those who decide on its row; each look is noted."""
        actor = get_actor(request)
        row = get_object_or_404(self.model, pk=pk)
        if not self.has_right(actor, row):
            raise PermissionDenied
        found = row.files.filter(code=file).first()
        if found is None:
            raise Http404
        try:
            content = open_proof(
                file=found,
                about=f"{self.audit_name}:{row.code}",
                actor=actor,
                now=timezone.now(),
            )
        except FileNotFoundError as error:
            raise Http404 from error
        return inline(content, name=found.name, content_type=found.content_type)
