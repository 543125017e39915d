"""The queue of requests: who asks for what, until when, and the page to decide it on."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.admin.base import ReadOnlyAdmin, get_actor
from accounts.admin.filing import file_on_behalf
from accounts.errors import AccountsError, DeciderRefusedError
from accounts.forms.requests import DecisionForm
from accounts.forms.staff import ReasonForm
from accounts.models import PersonRequest
from accounts.queries.requests import (
    compare_request,
    find_request,
    find_request_file,
    list_overdue,
)
from accounts.rules.requests import (
    DECIDED_BY_TWO,
    WAITING,
    refuse_decider,
    refuse_second_approver,
)
from accounts.services.proofs import open_proof
from accounts.services.request_decisions import (
    DECIDE,
    approve_request,
    refuse_request,
    refuse_without_right,
    return_request,
)
from accounts.services.staff import unmask_request
from accounts.tasks import deliver_messages
from portal.lib.file_responses import inline

UNMASK = "accounts.unmask_personal_data"
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
        self, request: HttpRequest, queryset: QuerySet[PersonRequest]
    ) -> QuerySet[PersonRequest]:
        if self.value() == "waiting":
            return queryset.filter(state__in=WAITING)
        if self.value() == "overdue":
            return queryset & list_overdue(today=timezone.localdate())
        return queryset


@admin.register(PersonRequest)
class PersonRequestAdmin(ReadOnlyAdmin):
    """Rows are decided on their own page and changed nowhere else."""

    list_display = (
        "code",
        "kind",
        "state",
        "due_text",
        "person",
        "moment",
        "first_decider",
    )
    list_select_related = ("person", "first_decider")
    list_filter = (DueFilter, "kind", "state")
    search_fields = ("=code", "=person__name")
    search_help_text = "按受理编号或学员姓名查找。"
    ordering = ("due_date", "pk")
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="办理期限", ordering="due_date")
    def due_text(self, row: PersonRequest) -> str | SafeString:
        if row.is_waiting and row.due_date < timezone.localdate():
            return format_html(
                '<b class="is-overdue">{} 已超期</b>', f"{row.due_date:%Y-%m-%d}"
            )
        return f"{row.due_date:%Y-%m-%d}"

    @admin.display(description="提交时间", ordering="filed_at")
    def moment(self, row: PersonRequest) -> str:
        return f"{timezone.localtime(row.filed_at):%m-%d %H:%M}"

    def get_urls(self) -> list[URLPattern]:
        filing = partial(file_on_behalf, self.admin_site)
        on_behalf = never_cache(sensitive_post_parameters()(filing))
        own = [
            path(
                "file/<str:code>/<slug:kind>/",
                self.admin_site.admin_view(on_behalf),
                name="accounts_personrequest_file_for",
            ),
            path(
                "<int:pk>/unmask/",
                self.admin_site.admin_view(never_cache(self.unmask_view)),
                name="accounts_personrequest_unmask",
            ),
            path(
                "<int:pk>/files/<slug:file>/",
                self.admin_site.admin_view(never_cache(self.file_view)),
                name="accounts_personrequest_file",
            ),
        ]
        return own + super().get_urls()

    # --- Deciding ----------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Old beside new, the proofs, and what may be done about it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = find_request(int(object_id)) if object_id.isdecimal() else None
        if row is None:
            raise Http404
        form = DecisionForm(
            request.POST if request.method == "POST" else None,
            initial={"version": row.version},
        )
        if request.method == "POST":
            if not get_actor(request).has_perm(DECIDE):
                raise PermissionDenied
            if form.is_valid() and self.decide(request, row, form):
                return redirect("admin:accounts_personrequest_changelist")
            row = find_request(row.pk) or row
        return self.show(request, row, form)

    def decide(
        self, request: HttpRequest, row: PersonRequest, form: DecisionForm
    ) -> bool:
        """Do it; False with words for the page where it cannot be done."""
        decision = form.cleaned_data["decision"]
        known: dict[str, Any] = {
            "request_id": row.pk,
            "seen_version": form.cleaned_data["version"],
            "actor": get_actor(request),
            "now": timezone.now(),
        }
        reason = form.cleaned_data["reason"].strip()
        try:
            if decision == DecisionForm.APPROVE:
                decided = approve_request(**known)
            elif decision == DecisionForm.RETURN:
                decided = return_request(**known, reason=reason)
            else:
                decided = refuse_request(**known, reason=reason)
        except (AccountsError, ValueError) as error:
            messages.error(request, str(error))
            return False
        deliver_messages.delay_on_commit()
        waits = decided.state == PersonRequest.State.FIRST_APPROVED
        words = "初审通过，须由另一名工作人员复核。" if waits else DONE[decision]
        messages.success(request, f"{decided}：{words}")
        return True

    def show(
        self, request: HttpRequest, row: PersonRequest, form: DecisionForm
    ) -> HttpResponse:
        actor = get_actor(request)
        may_open = actor.has_perm(DECIDE)
        context = self.admin_site.each_context(request) | {
            "title": row.get_kind_display(),
            "opts": PersonRequest._meta,
            "row": row,
            "comparison": compare_request(row),
            "events": row.events.select_related("actor").order_by("at", "pk"),
            "files": row.files.order_by("pk") if may_open else [],
            "form": form,
            "obstacle": find_obstacle(request, row),
            "obstacle_to_approval": find_obstacle_to_approval(request, row),
            "may_open": may_open,
            "may_unmask": actor.has_perm(UNMASK) and bool(row.wanted_cipher),
            "is_overdue": row.is_waiting and row.due_date < timezone.localdate(),
            "by_two": row.kind in DECIDED_BY_TWO,
        }
        return TemplateResponse(
            request, "admin/accounts/personrequest/decision.html", context
        )

    # --- Proofs and numbers ------------------------------------------------------------

    def file_view(self, request: HttpRequest, pk: int, file: str) -> HttpResponse:
        """A proof, for those who decide; each look is noted."""
        actor = get_actor(request)
        if not actor.has_perm(DECIDE):
            raise PermissionDenied
        row = get_object_or_404(PersonRequest, pk=pk)
        found = find_request_file(row, file)
        if found is None:
            raise Http404
        try:
            content = open_proof(
                file=found, request_code=row.code, actor=actor, now=timezone.now()
            )
        except FileNotFoundError as error:
            raise Http404 from error
        return inline(content, name=found.name, content_type=found.content_type)

    def unmask_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reason; after it, show the full numbers once."""
        actor = get_actor(request)
        if not actor.has_perm(UNMASK):
            raise PermissionDenied
        row = get_object_or_404(PersonRequest, pk=pk)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        comparison = None
        if request.method == "POST" and form.is_valid():
            comparison = unmask_request(
                request=row,
                actor=actor,
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        context = self.admin_site.each_context(request) | {
            "title": "查看完整号码",
            "row": row,
            "form": form,
            "comparison": comparison,
            "opts": PersonRequest._meta,
        }
        return TemplateResponse(
            request, "admin/accounts/personrequest/unmask.html", context
        )


def find_obstacle(request: HttpRequest, row: PersonRequest) -> str:
    """Why this member of the staff cannot decide it now; empty if nothing is in the way."""
    if row.state == PersonRequest.State.RETURNED:
        return "已退回，等待申请人重新提交。"
    if not row.is_waiting:
        return "该申请已办结。"
    actor = get_actor(request)
    try:
        refuse_without_right(actor=actor, kind=row.kind)
        refuse_decider(row.standing, actor.pk)
    except DeciderRefusedError as error:
        return str(error)
    return ""


def find_obstacle_to_approval(request: HttpRequest, row: PersonRequest) -> str:
    """Why somebody who may return and refuse it cannot approve it."""
    try:
        refuse_second_approver(row.standing, get_actor(request).pk)
    except DeciderRefusedError as error:
        return str(error)
    return ""
