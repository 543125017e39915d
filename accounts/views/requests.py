"""我的申请: requests of somebody logged in, filed, looked at, sent again and withdrawn."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.errors import (
    AccountsError,
    ProofRefusedError,
    RequestNotFoundError,
    RequestStateError,
)
from accounts.forms.requests import FORMS, RequestForm, build_request_form
from accounts.models import PersonRequest
from accounts.queries import list_regions
from accounts.queries.requests import (
    get_request_file_for,
    get_request_for,
    has_waiting_request,
    list_requests_for,
    list_wanted,
)
from accounts.services.files import read_private_file
from accounts.services.proofs import read_proofs
from accounts.services.requests import (
    file_request,
    resend_request,
    take_person_try,
    withdraw_request,
)
from accounts.views.visitors import get_person
from portal.lib.file_responses import inline

Kind, State = PersonRequest.Kind, PersonRequest.State
# What is put beside a state; the rest of the states are muted.
TONES = {
    State.OPEN: "info",
    State.FIRST_APPROVED: "info",
    State.APPROVED: "success",
    State.RETURNED: "warning",
    State.REFUSED: "danger",
}


@never_cache
@require_safe
@login_required
def request_list(request: HttpRequest) -> HttpResponse:
    rows = list_requests_for(get_person(request))
    context = {"rows": [describe(row) for row in rows]}
    return render(request, "accounts/requests/list.html", context)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Ask for something, with proofs."""
    wanted_kind = read_kind(kind)
    person = get_person(request)
    form = build_form(request, wanted_kind)
    if request.method == "POST" and form.is_valid():
        filed = submit(request, form, kind=wanted_kind)
        if filed is not None:
            messages.success(request, "申请已提交，我们将在3个工作日内审核。")
            return redirect("accounts:request", filed.code)
    context = {
        "form": form,
        "kind": Kind(wanted_kind),
        "person": person,
        "is_waiting": has_waiting_request(person, wanted_kind),
    }
    return render(request, "accounts/requests/form.html", context)


@never_cache
@require_safe
@login_required
def detail(request: HttpRequest, code: str) -> HttpResponse:
    row = get_own(request, code)
    context = describe(row) | {
        "wanted": list_wanted(row),
        "may_resend": may_resend(row),
    }
    return render(request, "accounts/requests/detail.html", context)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def resend(request: HttpRequest, code: str) -> HttpResponse:
    """Correct a returned request and send it again."""
    row = get_own(request, code)
    if not may_resend(row):
        return redirect("accounts:request", row.code)
    form = build_form(request, row.kind, returned=row)
    if request.method == "POST" and form.is_valid():
        sent = submit(request, form, kind=row.kind, returned=row)
        if sent is not None:
            messages.success(request, "申请已重新提交，我们将在3个工作日内审核。")
            return redirect("accounts:request", row.code)
    context = describe(row) | {
        "form": form,
        "kind": Kind(row.kind),
        "person": get_person(request),
        "returned": row,
    }
    return render(request, "accounts/requests/form.html", context)


@require_POST
@login_required
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    row = get_own(request, code)
    try:
        withdraw_request(request=row, actor=get_person(request), now=timezone.now())
    except RequestStateError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "申请已撤回，证明材料已删除。")
    return redirect("accounts:request", row.code)


@never_cache
@require_safe
@login_required
def proof(request: HttpRequest, code: str, file: str) -> HttpResponse:
    """One of the own proofs, to be looked at."""
    try:
        found = get_request_file_for(get_person(request), code, file)
        content = read_private_file(found)
    except (RequestNotFoundError, FileNotFoundError) as error:
        raise Http404 from error
    return inline(content, name=found.name, content_type=found.content_type)


def get_own(request: HttpRequest, code: str) -> PersonRequest:
    try:
        return get_request_for(get_person(request), code)
    except RequestNotFoundError as error:
        raise Http404(str(error)) from error


def read_kind(kind: str) -> str:
    """The kind an address names, `name-change`; only those with a form of their own."""
    name = kind.replace("-", "_")
    if name not in FORMS:
        raise Http404
    return name


def build_form(
    request: HttpRequest, kind: str, *, returned: PersonRequest | None = None
) -> RequestForm:
    today = timezone.localdate()
    is_post = request.method == "POST"
    return build_request_form(
        kind,
        request.POST if is_post else None,
        request.FILES if is_post else None,
        today=today,
        regions=list_regions(today=today),
        initial=returned.wanted if returned else initial_values(request),
        needs_proofs=returned is None or not returned.files.exists(),
    )


def initial_values(request: HttpRequest) -> dict[str, str]:
    """The person's own unit, which most coordinators act for."""
    profile = getattr(get_person(request), "profile", None)
    if profile is None:
        return {}
    region = profile.region.code if profile.region else ""
    return {"region": region, "unit_name": profile.unit_name}


def submit(
    request: HttpRequest,
    form: RequestForm,
    *,
    kind: str,
    returned: PersonRequest | None = None,
) -> PersonRequest | None:
    """File it, or send it again; None with an error in the form."""
    person, now = get_person(request), timezone.now()
    uploads = form.cleaned_data["proofs"]
    try:
        take_person_try(person=person, now=now)
        proofs = read_proofs(uploads) if uploads else []
        if returned is not None:
            return resend_request(
                request=returned,
                wanted=form.wanted,
                proofs=proofs,
                actor=person,
                now=now,
            )
        return file_request(
            kind=kind,
            person=person,
            wanted=form.wanted,
            proofs=proofs,
            actor=person,
            now=now,
        )
    except ProofRefusedError as error:
        form.add_error("proofs", str(error))
    except (AccountsError, ValueError) as error:
        form.add_error(None, str(error))
    return None


def may_resend(row: PersonRequest) -> bool:
    return row.state == State.RETURNED and row.kind in FORMS


def describe(row: PersonRequest) -> dict[str, Any]:
    """A request as its person sees it: how far it is, and what was said last."""
    events = list(row.events.all())
    reasons = [event.reason for event in events if event.reason]
    return {
        "row": row,
        "events": events,
        "files": list(row.files.all()) if row.person_id else [],
        "tone": TONES.get(State(row.state), "muted"),
        "reason": reasons[-1] if reasons and row.decided_at else "",
        "may_withdraw": row.is_waiting or row.state == State.RETURNED,
    }
