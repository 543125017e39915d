"""The queue of claims: decided by two, entered by staff for those who wrote a letter."""

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.admin.decisions import DecisionAdmin
from accounts.errors import AccountsError, ProofRefusedError
from accounts.models import User
from accounts.queries.people import find_person_by_number
from accounts.services.proofs import read_proofs
from orders.errors import ClaimRefusedError, OrderError
from orders.forms.claims import MAILED_FORMS, ClaimForm
from orders.models import Claim
from orders.queries.claims import find_claim, list_claimable_plans
from orders.rules.claims import list_facts
from orders.services.claims import (
    approve_claim,
    check_plan,
    file_claim,
    has_right,
    refuse_claim,
    refuse_without_right,
    return_claim,
)
from portal.lib.masks import mask_numbers

ENTER = "orders.add_claim"


@admin.register(Claim)
class ClaimAdmin(DecisionAdmin):
    decision_template: ClassVar[str] = "admin/orders/claim/decision.html"
    refusals = (AccountsError, OrderError, ValueError)
    approve = staticmethod(approve_claim)
    give_back = staticmethod(return_claim)
    turn_down = staticmethod(refuse_claim)
    row_argument: ClassVar[str] = "claim_id"
    audit_name: ClassVar[str] = "claim"
    list_display = (
        "code",
        "kind",
        "state",
        "due_text",
        "person",
        "plan_year",
        "moment",
        "first_decider",
    )
    list_select_related = ("person", "plan", "first_decider")
    search_fields = ("=code", "=person__name")
    search_help_text = "按受理编号或学员姓名查找。"

    @admin.display(description="年度", ordering="plan__year")
    def plan_year(self, row: Claim) -> int:
        return row.plan.year

    def get_urls(self) -> list[URLPattern]:
        enter = never_cache(sensitive_post_parameters()(self.enter_view))
        own = [
            path(
                "enter/<slug:kind>/",
                self.admin_site.admin_view(enter),
                name=self.name_of("enter"),
            ),
        ]
        return own + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"may_enter": request.user.has_perm(ENTER)}
        return super().changelist_view(request, context | (extra_context or {}))

    def find_row(self, pk: int) -> Claim | None:
        return find_claim(pk)

    def has_right(self, actor: User, row: Claim) -> bool:
        return has_right(actor=actor)

    def refuse_without_right(self, actor: User, row: Claim) -> None:
        refuse_without_right(actor=actor)

    def describe(self, request: HttpRequest, row: Claim) -> dict[str, Any]:
        wanted = row.wanted
        return {
            "claim_facts": list_facts(wanted),
            "letter": mask_numbers(wanted.get("letter", "")).splitlines(),
            "conflict": find_conflict(row) if row.is_waiting else "",
        }

    # --- Letters that came by mail -------------------------------------------------------

    def enter_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """The form for a letter; whoever enters it cannot decide it."""
        if not request.user.has_perm(ENTER):
            raise PermissionDenied
        if kind not in MAILED_FORMS:
            raise Http404
        form = build_form(request, kind)
        if request.method == "POST" and form.is_valid():
            filed = enter(request, form, kind)
            if filed is not None:
                messages.success(request, f"{filed}：已登记，请由其他工作人员审批。")
                return redirect(f"admin:{self.name_of('change')}", filed.pk)
        context = self.admin_site.each_context(request) | {
            "title": f"登记来信：{Claim.Kind(kind).label}",
            "opts": self.opts,
            "kind": kind,
            "kinds": Claim.Kind.choices,
            "form": form,
        }
        return TemplateResponse(request, "admin/orders/claim/enter.html", context)


def find_conflict(row: Claim) -> str:
    """Why the plan cannot be opened as things stand; empty if nothing is in the way."""
    try:
        check_plan(person=row.person, plan=row.plan, now=timezone.now())
    except ClaimRefusedError as error:
        return str(error)
    return ""


def build_form(request: HttpRequest, kind: str) -> ClaimForm:
    today = timezone.localdate()
    is_post = request.method == "POST"
    return MAILED_FORMS[kind](
        request.POST if is_post else None,
        request.FILES if is_post else None,
        plans=list(list_claimable_plans(today=today)),
        today=today,
    )


def enter(request: HttpRequest, form: ClaimForm, kind: str) -> Claim | None:
    """File it for the person with the number; None with an error in the form."""
    person = find_person_by_number(form.cleaned_data["id_number"])
    if person is None:
        form.add_error("id_number", "没有使用该证件号码的账号，请先联系学员注册。")
        return None
    try:
        return file_claim(
            kind=kind,
            person=person,
            plan=form.chosen_plan,
            wanted=form.wanted,
            proofs=read_proofs(form.uploads),
            actor=cast(User, request.user),
            now=timezone.now(),
        )
    except ProofRefusedError as error:
        form.add_error("proofs", str(error))
    except (AccountsError, OrderError) as error:
        form.add_error(None, str(error))
    return None
