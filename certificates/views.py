from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.models import User
from certificates import queries, services, tasks
from certificates.errors import (
    CertificateError,
    CertificateNotFoundError,
    ProfileIncompleteError,
)
from certificates.forms import LARGEST_FILE, FileCheckForm, LookupForm
from certificates.models import CertificateIssue
from certificates.rules import find_missing_details, format_chinese_date
from learning.errors import EnrolmentNotFoundError
from learning.models import Enrolment
from learning.queries import get_enrolment_for
from portal.lib.addresses import client_address

# What a multipart form adds around the file.
FORM_OVERHEAD = 16 * 1024


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


# --- The person's own pages ----------------------------------------------------------------


@require_safe
@never_cache
@login_required
def certificate_list(request: HttpRequest) -> HttpResponse:
    rows = queries.list_plan_rows_for(_person(request))
    return render(request, "certificates/list.html", {"rows": rows})


@require_safe
@never_cache
@login_required
def printed(request: HttpRequest) -> HttpResponse:
    """What of 个人信息 stands on certificates already, as a part of that page, for htmx."""
    papers = queries.list_printed_papers_for(_person(request))
    return render(request, "certificates/_printed.html", {"papers": papers})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def issue(request: HttpRequest, plan: str) -> HttpResponse:
    """Show what will be printed; on confirmation issue the certificate."""
    enrolment = _get_completed(request, plan)
    if request.method == "POST":
        return _issue(request, enrolment)
    existing = queries.find_certificate_of(enrolment)
    if existing is not None:
        return redirect("certificates:detail", existing.number)
    person = _person(request)
    values = queries.preview_printed(person, enrolment.plan)
    missing = find_missing_details(values)
    if missing:
        messages.warning(request, str(ProfileIncompleteError(missing)))
        return _complete_profile(request, plan)
    context = {
        "enrolment": enrolment,
        "values": values,
        "date": format_chinese_date(timezone.localdate()),
    }
    return render(request, "certificates/confirm.html", context)


def _issue(request: HttpRequest, enrolment: Enrolment) -> HttpResponse:
    try:
        made = services.issue_certificate(
            enrolment=enrolment, actor=_person(request), now=timezone.now()
        )
    except ProfileIncompleteError as error:
        messages.warning(request, str(error))
        return _complete_profile(request, enrolment.plan.code)
    except CertificateError as error:
        messages.error(request, str(error))
        return redirect("certificates:list")
    tasks.render_issue.delay_on_commit(made.pk)
    return redirect("certificates:detail", made.certificate.number)


def _complete_profile(request: HttpRequest, plan: str) -> HttpResponse:
    """Send the person to 个人信息 and, once it is saved, back to this plan's certificate."""
    back = urlencode({"next": reverse("certificates:issue", args=[plan])})
    return redirect(f"{reverse('accounts:profile')}?{back}")


def _get_completed(request: HttpRequest, plan: str) -> Enrolment:
    try:
        enrolment = get_enrolment_for(_person(request), plan)
    except EnrolmentNotFoundError as error:
        raise Http404(str(error)) from error
    if enrolment.state != Enrolment.State.COMPLETED:
        raise Http404("not completed")
    return enrolment


@require_safe
@never_cache
@login_required
def detail(request: HttpRequest, number: str) -> HttpResponse:
    try:
        certificate = queries.get_certificate_for(_person(request), number)
    except CertificateNotFoundError as error:
        raise Http404(str(error)) from error
    issues = list(certificate.issues.all())
    context = {
        "certificate": certificate,
        "issues": issues,
        "latest": issues[0],
        "date": format_chinese_date(timezone.localdate(certificate.issued_at)),
    }
    if request.headers.get("HX-Request"):
        return render(request, "certificates/_paper_state.html", context)
    return render(request, "certificates/detail.html", context)


@require_safe
@never_cache
@login_required
def file(request: HttpRequest, number: str, version: int | None = None) -> FileResponse:
    try:
        ready = queries.get_ready_issue_for(_person(request), number, version)
    except CertificateNotFoundError as error:
        raise Http404(str(error)) from error
    return _send_file(ready, as_attachment="download" in request.GET)


def _send_file(ready: CertificateIssue, *, as_attachment: bool) -> FileResponse:
    response = FileResponse(
        ready.file.open("rb"),
        as_attachment=as_attachment,
        filename=f"专业技术人员继续教育合格证 {ready.certificate.number}.pdf",
        content_type="application/pdf",
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
@login_required
def refresh(request: HttpRequest, number: str) -> HttpResponse:
    person = _person(request)
    try:
        certificate = queries.get_certificate_for(person, number)
        made = services.refresh_certificate(
            certificate=certificate, actor=person, now=timezone.now()
        )
    except CertificateNotFoundError as error:
        raise Http404(str(error)) from error
    except CertificateError as error:
        messages.warning(request, str(error))
        return redirect("certificates:detail", number)
    tasks.render_issue.delay_on_commit(made.pk)
    messages.success(
        request, f"证书正在按最新信息重新制作，将成为第 {made.version} 版。"
    )
    return redirect("certificates:detail", number)


# --- Verification, for everybody -----------------------------------------------------------


def _too_many(request: HttpRequest, kind: str, now: datetime) -> HttpResponse | None:
    address = client_address(request.META, trusted_proxies=settings.TRUSTED_PROXY_COUNT)
    if services.allow_visit(kind=kind, address=address, now=now):
        return None
    return render(request, "certificates/too_many.html", status=429)


def _show(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Answer a verifier: no search engine keeps it, no other site learns the address."""
    response = render(request, template, context, status=status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_safe
@never_cache
def verify(request: HttpRequest, token: str) -> HttpResponse:
    refusal = _too_many(request, "page", timezone.now())
    if refusal is not None:
        return refusal
    verification = queries.find_verification(token)
    if verification is None:
        return _show(request, "certificates/unknown.html", {}, status=404)
    context = {
        "verification": verification,
        "shows_full_name": settings.VERIFY_FULL_NAME,
        "form": FileCheckForm(),
    }
    return _show(request, "certificates/verify.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def lookup(request: HttpRequest) -> HttpResponse:
    form = LookupForm(request.POST or None)
    if form.is_valid():
        refusal = _too_many(request, "lookup", timezone.now())
        if refusal is not None:
            return refusal
        found = queries.find_issue_by_number(**form.cleaned_data)
        if found is not None:
            return redirect("certificates:verify", found.token)
        form.add_error(None, "没有找到编号和姓名相符的证书，请核对后重新输入。")
    context = {"form": form, "file_form": FileCheckForm()}
    return render(request, "certificates/lookup.html", context)


# Anybody may have a file checked, without a session and without any effect; pages that
# send no referrer send no origin either, which the CSRF check demands.
@csrf_exempt
@require_POST
@never_cache
def check(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    refusal = _too_many(request, "file", now)
    if refusal is not None:
        return refusal
    # Asked before the body is read: nobody has to swallow a film to refuse it.
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_FILE + FORM_OVERHEAD:
        context = {
            "file_form": FileCheckForm(),
            "form": LookupForm(),
            "too_large": True,
        }
        return _show(request, "certificates/lookup.html", context, status=413)
    form = FileCheckForm(request.POST, request.FILES)
    if not form.is_valid():
        context = {"file_form": form, "form": LookupForm()}
        return _show(request, "certificates/lookup.html", context)
    verdict = services.check_file(content=form.cleaned_data["file"].read(), now=now)
    context = {"verdict": verdict, "shows_full_name": settings.VERIFY_FULL_NAME}
    return _show(request, "certificates/file_result.html", context)
