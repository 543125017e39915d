"""The queue of requests: who asks for what, until when, and the page to decide it on."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.admin.base import get_actor
from accounts.admin.decisions import DecisionAdmin
from accounts.admin.filing import file_on_behalf
from accounts.admin.people import may_see_numbers
from accounts.forms.staff import ReasonForm
from accounts.models import PersonRequest, User
from accounts.queries.requests import compare_request, find_request
from accounts.services.request_decisions import (
    DECIDE,
    approve_request,
    has_right,
    refuse_request,
    refuse_without_right,
    return_request,
)
from accounts.services.staff import unmask_request


@admin.register(PersonRequest)
class PersonRequestAdmin(DecisionAdmin):
    decision_template: ClassVar[str] = "admin/accounts/personrequest/decision.html"
    approve = staticmethod(approve_request)
    give_back = staticmethod(return_request)
    turn_down = staticmethod(refuse_request)
    row_argument: ClassVar[str] = "request_id"
    audit_name: ClassVar[str] = "request"
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
    search_fields = ("=code", "=person__name")
    search_help_text = "按受理编号或学员姓名查找。"

    def get_urls(self) -> list[URLPattern]:
        filing = partial(file_on_behalf, self.admin_site)
        on_behalf = never_cache(sensitive_post_parameters()(filing))
        own = [
            path(
                "file/<str:code>/<slug:kind>/",
                self.admin_site.admin_view(on_behalf),
                name=self.name_of("file_for"),
            ),
            path(
                "<int:pk>/unmask/",
                self.admin_site.admin_view(never_cache(self.unmask_view)),
                name=self.name_of("unmask"),
            ),
        ]
        return own + super().get_urls()

    def find_row(self, pk: int) -> PersonRequest | None:
        return find_request(pk)

    def has_right(self, actor: User, row: PersonRequest) -> bool:
        return has_right(actor=actor, kind=row.kind)

    def refuse_without_right(self, actor: User, row: PersonRequest) -> None:
        refuse_without_right(actor=actor, kind=row.kind)

    def may_decide(self, actor: User, row: PersonRequest) -> bool:
        """Whoever decides some kinds is told which not; others are shown the door."""
        return actor.has_perm(DECIDE)

    def describe(self, request: HttpRequest, row: PersonRequest) -> dict[str, Any]:
        return {
            "comparison": compare_request(row),
            "may_unmask": may_see_numbers(request) and bool(row.wanted_cipher),
        }

    def unmask_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reason; after it, show the full numbers once."""
        actor = get_actor(request)
        if not may_see_numbers(request):
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
