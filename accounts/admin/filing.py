"""Requests that come by post or at the counter, taken down by staff for a person."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.admin.base import get_actor
from accounts.errors import AccountsError, ProofRefusedError
from accounts.forms.requests import (
    FORMS,
    DeskPhoneForm,
    RequestForm,
    build_request_form,
)
from accounts.models import PersonRequest, User
from accounts.queries import list_regions
from accounts.services.proofs import read_proofs
from accounts.services.request_decisions import DECIDE
from accounts.services.requests import file_request

Kind = PersonRequest.Kind


def file_on_behalf(
    site: AdminSite, request: HttpRequest, code: str, kind: str
) -> HttpResponse:
    """The form of one kind for one person; whoever files it cannot decide it."""
    if not get_actor(request).has_perm(DECIDE):
        raise PermissionDenied
    if kind not in Kind.values:
        raise Http404
    person = get_object_or_404(User, code=code)
    form = build_form(request, kind)
    if request.method == "POST" and form.is_valid():
        filed = submit(request, person, kind, form)
        if filed is not None:
            messages.success(request, f"{filed}：已登记，请由其他工作人员审批。")
            return redirect("admin:accounts_personrequest_change", filed.pk)
    context = site.each_context(request) | {
        "title": f"登记申请：{person.name}",
        "opts": PersonRequest._meta,
        "person": person,
        "kind": kind,
        "kinds": Kind.choices,
        "form": form,
    }
    return TemplateResponse(request, "admin/accounts/personrequest/file.html", context)


def build_form(request: HttpRequest, kind: str) -> RequestForm:
    is_post = request.method == "POST"
    data = (request.POST, request.FILES) if is_post else (None, None)
    today = timezone.localdate()
    if kind not in FORMS:
        return DeskPhoneForm(*data, today=today)
    return build_request_form(
        kind, *data, today=today, regions=list_regions(today=today)
    )


def submit(
    request: HttpRequest, person: User, kind: str, form: RequestForm
) -> PersonRequest | None:
    """File it; None with an error in the form."""
    wanted: dict[str, Any] = form.wanted
    if kind == Kind.PHONE_LOST:
        wanted = wanted | {"name": person.name, "id_number": person.id_number}
    try:
        return file_request(
            kind=kind,
            person=person,
            wanted=wanted,
            proofs=read_proofs(form.cleaned_data["proofs"]),
            actor=get_actor(request),
            now=timezone.now(),
        )
    except ProofRefusedError as error:
        form.add_error("proofs", str(error))
    except (AccountsError, ValueError) as error:
        form.add_error(None, str(error))
    return None
