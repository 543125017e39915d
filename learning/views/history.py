"""学习记录: which time counted and which did not, and the appeals against it."""

from collections.abc import Callable, Iterable
from datetime import date
from itertools import groupby
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import AccountsError, ProofRefusedError
from accounts.services.files import read_private_file
from accounts.services.proofs import read_proofs
from accounts.views.visitors import get_person
from learning.errors import AppealRefusedError, StretchNotFoundError
from learning.forms import AppealForm
from learning.models import Appeal
from learning.queries import list_enrolments_for
from learning.queries.appeals import (
    get_appeal_file_for,
    get_appeal_for,
    get_refused_for,
)
from learning.queries.records import (
    RecordRow,
    StudyRecord,
    describe_rows,
    list_record_rows,
)
from learning.rules.appeals import find_obstacle_to_appeal
from learning.services.appeals import file_appeal, resend_appeal, take_appeal_try
from portal.lib.file_responses import inline

RECORDS_PER_PAGE = 30
TONES = {
    Appeal.State.OPEN: "info",
    Appeal.State.APPROVED: "success",
    Appeal.State.RETURNED: "warning",
    Appeal.State.REFUSED: "danger",
}


@never_cache
@require_safe
@login_required
def records(request: HttpRequest) -> HttpResponse:
    """Every stretch by day and chapter, newest first; of one plan if the address names it."""
    person = get_person(request)
    plans = [enrolment.plan for enrolment in list_enrolments_for(person)]
    wanted = request.GET.get("plan", "")
    chosen = wanted if wanted in {plan.code for plan in plans} else ""
    rows = list_record_rows(person, chosen)
    page = Paginator(rows, RECORDS_PER_PAGE).get_page(request.GET.get("page"))
    shown = describe_rows([RecordRow(*row) for row in page.object_list])
    context = {
        "page_obj": page,
        "days": group_by_day(shown),
        "plans": plans,
        "chosen": chosen,
        "appeal_days": settings.LEARNING["appeal_days"],
    }
    return render(request, "learning/records.html", context)


def group_by_day(
    shown: Iterable[StudyRecord],
) -> list[tuple[date, list[dict[str, Any]]]]:
    """The rows as they come, under the day in which they ended."""
    now = timezone.now()
    days = groupby(shown, lambda each: timezone.localtime(each.row.last_at).date())
    return [
        (
            day,
            [
                {
                    "record": each,
                    "tone": TONES.get(Appeal.State(each.appeal.state), "muted")
                    if each.appeal
                    else "",
                    "may_appeal": each.is_refused
                    and each.appeal is None
                    and not find_obstacle_to_appeal(
                        each.row.why,
                        each.row.last_at,
                        days=settings.LEARNING["appeal_days"],
                        now=now,
                    ),
                }
                for each in rows
            ],
        )
        for day, rows in days
    ]


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def appeal_new(request: HttpRequest, stretch: int) -> HttpResponse:
    """Appeal one of the own refused stretches."""
    try:
        found = get_refused_for(get_person(request), stretch)
    except StretchNotFoundError as error:
        raise Http404(error.message) from error
    if hasattr(found, "appeal"):
        return redirect("learning:appeal", found.appeal.code)
    form = build_form(request)
    if request.method == "POST" and form.is_valid():
        filed = hand_in(request, form, file_appeal, stretch_id=found.pk)
        if filed:
            return redirect("learning:appeal", filed.code)
    context = {
        "form": form,
        "stretch": found,
        "obstacle": find_obstacle_to_appeal(
            found.reason,
            found.last_at,
            days=settings.LEARNING["appeal_days"],
            now=timezone.now(),
        ),
    }
    return render(request, "learning/appeal_form.html", context)


def build_form(request: HttpRequest, returned: Appeal | None = None) -> AppealForm:
    is_post = request.method == "POST"
    return AppealForm(
        request.POST if is_post else None,
        request.FILES if is_post else None,
        initial=returned.wanted if returned else None,
        has_proofs=bool(returned and returned.files.all()),
    )


def hand_in(
    request: HttpRequest, form: AppealForm, send: Callable[..., Appeal], **what: int
) -> Appeal | None:
    """File it, or send it again; None with an error in the form."""
    person, now = get_person(request), timezone.now()
    uploads = form.cleaned_data["proofs"]
    try:
        take_appeal_try(person=person, now=now)
        sent = send(
            person=person,
            text=form.cleaned_data["text"],
            proofs=read_proofs(uploads) if uploads else [],
            now=now,
            **what,
        )
    except ProofRefusedError as error:
        form.add_error("proofs", str(error))
        return None
    except (AccountsError, AppealRefusedError) as error:
        form.add_error(None, str(error))
        return None
    messages.success(request, "申诉已提交，我们将在3个工作日内审核。")
    return sent


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def appeal(request: HttpRequest, code: str) -> HttpResponse:
    """One of the own appeals: how far it is, and why; a returned one is sent again here."""
    try:
        found = get_appeal_for(get_person(request), code)
    except StretchNotFoundError as error:
        raise Http404(error.message) from error
    is_returned = found.state == Appeal.State.RETURNED
    if request.method == "POST" and not is_returned:
        return redirect("learning:appeal", found.code)
    form = build_form(request, found) if is_returned else None
    if (
        form
        and request.method == "POST"
        and form.is_valid()
        and hand_in(request, form, resend_appeal, appeal_id=found.pk)
    ):
        return redirect("learning:appeal", found.code)
    events = list(found.events.all())
    context = {
        "appeal": found,
        "form": form,
        "text": found.wanted.get("text", ""),
        "events": events,
        "reason": events[-1].reason,
        "files": list(found.files.all()),
        "tone": TONES.get(Appeal.State(found.state), "muted"),
    }
    return render(request, "learning/appeal.html", context)


@never_cache
@require_safe
@login_required
def proof(request: HttpRequest, code: str, file: str) -> HttpResponse:
    """One of the own proofs, to be looked at."""
    try:
        found = get_appeal_file_for(get_person(request), code, file)
        content = read_private_file(found)
    except (StretchNotFoundError, FileNotFoundError) as error:
        raise Http404 from error
    return inline(content, name=found.name, content_type=found.content_type)
