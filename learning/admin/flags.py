"""The queue of flags, the trace of a day, and credit taken back with it in view."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from accounts.admin.base import ReadOnlyAdmin, RegionScopedAdmin, get_actor
from accounts.errors import AccountsError
from accounts.tasks import deliver_messages
from learning.admin.trace import describe_trace, find_person_in_scope, read_day
from learning.errors import LearningError
from learning.forms import CorrectionForm, FlagForm
from learning.models import CreditedTime, StudyFlag
from learning.rules.corrections import find_obstacle_to_correction
from learning.rules.durations import show_time
from learning.rules.flags import show_facts
from learning.services.corrections import CORRECT, correct_credit
from learning.services.flags import CLOSE, close_flag, prove_flag


@admin.register(StudyFlag)
class StudyFlagAdmin(RegionScopedAdmin, ReadOnlyAdmin):
    """Flags wait for somebody to look; nothing happens by itself."""

    region_path = "person__profile__region"
    list_display = ("day", "kind", "person", "facts_text", "state", "closed_by")
    list_filter = ("state", "kind", "day")
    list_select_related = ("person", "closed_by")
    search_fields = ("=person__name", "=person__username")
    search_help_text = "按学员姓名或用户名查找。"
    show_full_result_count = False
    # What waits comes first.
    ordering: ClassVar[Any] = (
        Case(When(state=StudyFlag.State.OPEN, then=Value(0)), default=Value(1)),
        "-day",
        "pk",
    )

    @admin.display(description="数据")
    def facts_text(self, flag: StudyFlag) -> str:
        return show_facts(flag.kind, flag.facts)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "trace/<slug:person>/<slug:day>/",
                self.admin_site.admin_view(self.trace_view),
                name="learning_studyflag_trace",
            ),
            path(
                "correct/<int:credited>/",
                self.admin_site.admin_view(self.correct_view),
                name="learning_studyflag_correct",
            ),
        ]
        return own + super().get_urls()

    # --- A flag --------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What was found, the trace of the day, and what staff made of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        flags = self.get_queryset(request).select_related("person", "closed_by")
        pk = int(object_id) if object_id.isdecimal() else 0
        flag = get_object_or_404(flags, pk=pk)
        may_close = self.may(request, CLOSE)
        form = FlagForm(request.POST if request.method == "POST" else None)
        if request.method == "POST":
            if not may_close:
                raise PermissionDenied
            if form.is_valid() and self.close(request, flag, form):
                return redirect("admin:learning_studyflag_changelist")
        context = {
            "title": str(flag.get_kind_display()),
            "flag": flag,
            "form": form,
            "may_close": may_close and flag.state == StudyFlag.State.OPEN,
            **describe_trace(flag.person, flag.day),
        }
        return self.answer(request, "admin/learning/flag.html", context)

    def close(self, request: HttpRequest, flag: StudyFlag, form: FlagForm) -> bool:
        """Do it; False with words for the page where it cannot be done."""
        state = form.cleaned_data["state"]
        known: dict[str, Any] = {
            "flag_id": flag.pk,
            "note": form.cleaned_data["note"],
            "actor": get_actor(request),
            "now": timezone.now(),
        }
        try:
            if state == FlagForm.PROVEN:
                closed = prove_flag(**known)
                deliver_messages.delay_on_commit()
            else:
                closed = close_flag(**known, state=state)
        except (AccountsError, LearningError) as error:
            messages.error(request, str(error))
            return False
        messages.success(request, f"{closed}：{closed.get_state_display()}。")
        return True

    # --- A day ---------------------------------------------------------------------------

    def trace_view(self, request: HttpRequest, person: str, day: str) -> HttpResponse:
        """Everything that touched a person's day."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = find_person_in_scope(request, person)
        context = {"title": "学习轨迹", **describe_trace(found, read_day(day))}
        return self.answer(request, "admin/learning/trace.html", context)

    def correct_view(self, request: HttpRequest, credited: int) -> HttpResponse:
        """Take a credited stretch back, for a reason; says beforehand what goes with it."""
        if not (self.has_view_permission(request) and self.may(request, CORRECT)):
            raise PermissionDenied
        stretch = get_object_or_404(
            CreditedTime.objects.select_related(
                "enrolment__person",
                "enrolment__plan",
                "chapter__course",
                "correction",
            ),
            pk=credited,
        )
        obstacle = find_obstacle_to_correction(
            is_taken=hasattr(stretch, "correction"),
            is_completed=stretch.enrolment.completed_at is not None,
        )
        form = CorrectionForm(request.POST if request.method == "POST" else None)
        is_valid = request.method == "POST" and form.is_valid()
        if is_valid and not obstacle and self.correct(request, stretch, form):
            day = timezone.localtime(stretch.first_at).date()
            return redirect(
                "admin:learning_studyflag_trace",
                stretch.enrolment.person.code,
                day.isoformat(),
            )
        context = {
            "title": "扣减学时",
            "stretch": stretch,
            "form": form,
            "obstacle": obstacle,
        }
        return self.answer(request, "admin/learning/correct.html", context)

    def correct(
        self, request: HttpRequest, stretch: CreditedTime, form: CorrectionForm
    ) -> bool:
        """Do it; False with words for the page where it cannot be done."""
        try:
            decision = correct_credit(
                credited_id=stretch.pk,
                reason=form.cleaned_data["reason"],
                actor=get_actor(request),
                now=timezone.now(),
            )
        except (AccountsError, LearningError) as error:
            messages.error(request, str(error))
            return False
        deliver_messages.delay_on_commit()
        words = f"已扣减 {show_time(decision.milliseconds)}"
        if decision.withdrawn:
            words += f"，同时取消：{decision.withdrawn_text}"
        messages.success(request, f"{words}。")
        return True

    # --- Shared --------------------------------------------------------------------------

    def may(self, request: HttpRequest, permission: str) -> bool:
        return get_actor(request).has_perm(permission)

    def answer(
        self, request: HttpRequest, template: str, context: dict[str, Any]
    ) -> HttpResponse:
        shared = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "may_correct": self.may(request, CORRECT),
        }
        return TemplateResponse(request, template, shared | context)
