"""Registration: one page to fill in, one to check, one to go on from."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import (
    AccountsError,
    CodeRefusedError,
    IdNumberTakenError,
    PhoneTakenError,
    RegistrationThrottledError,
)
from accounts.forms.registration import RegistrationForm
from accounts.models import VerificationCode
from accounts.queries import find_region, list_regions
from accounts.rules.identity import read_id_number
from accounts.rules.notices import CURRENT
from accounts.services.captchas import is_code_suspicious
from accounts.services.codes import check_code
from accounts.services.drafts import Draft, open_draft, seal_draft
from accounts.services.registration import (
    Application,
    refuse_taken_numbers,
    register_person,
)
from accounts.views.captcha import is_captcha_answered, show_captcha
from accounts.views.invitations import has_opened
from accounts.views.visitors import get_address, get_browser, get_posted
from portal.lib.masks import mask_id_number

DRAFT_KEY = "accounts_registration"
STEPS = ("填写信息", "确认信息", "注册完成")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("dashboard")
    now = timezone.now()
    draft = read_draft(request, now=now)
    form = build_form(request, draft, now=now)
    if (
        request.method == "POST"
        and form.is_valid()
        and is_captcha_answered(
            request, form, is_suspicious=needs_captcha(request, form, now=now), now=now
        )
    ):
        draft = prove_phone(request, form, draft, now=now)
        if draft is not None and accept(request, form, draft, now=now):
            return redirect("accounts:register-confirm")
    show_captcha(
        request, form, is_suspicious=needs_captcha(request, form, now=now), now=now
    )
    context = {"form": form, "steps": list_steps(0), "notices": CURRENT}
    return render(request, "accounts/register.html", context)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("accounts:register-done")
    now = timezone.now()
    draft = read_draft(request, now=now)
    if draft is None or draft.application is None:
        messages.info(request, "填写的信息已超过30分钟未确认，请重新填写。")
        return redirect("accounts:register")
    if request.method == "POST":
        return finish(request, draft.application, now=now)
    context = describe(draft.application, now=now) | {"steps": list_steps(1)}
    return render(request, "accounts/register_confirm.html", context)


@never_cache
@require_safe
@login_required
def done(request: HttpRequest) -> HttpResponse:
    context = {"steps": list_steps(3), "has_invitation": has_opened(request)}
    return render(request, "accounts/register_done.html", context)


def build_form(
    request: HttpRequest, draft: Draft | None, *, now: datetime
) -> RegistrationForm:
    today = timezone.localdate(now)
    application = draft.application if draft else None
    return RegistrationForm(
        get_posted(request),
        initial=initial_values(application) if application else None,
        regions=list_regions(today=today),
        today=today,
        proved_phone=draft.phone if draft else "",
        has_password=application is not None,
    )


def needs_captcha(
    request: HttpRequest, form: RegistrationForm, *, now: datetime
) -> bool:
    return is_code_suspicious(
        phone=getattr(form, "cleaned_data", {}).get("phone", ""),
        address=get_address(request),
        now=now,
    )


def initial_values(application: Application) -> dict[str, Any]:
    return {
        "name": application.name,
        "id_number": application.id_number,
        "phone": application.phone,
        "region": application.region_code,
        "unit_name": application.unit_name,
    }


def prove_phone(
    request: HttpRequest, form: RegistrationForm, draft: Draft | None, *, now: datetime
) -> Draft | None:
    """The draft for this phone, made when the code is right; None with an error in the form."""
    phone = form.cleaned_data["phone"]
    if draft is not None and draft.phone == phone:
        return draft
    try:
        check_code(
            phone=phone,
            purpose=VerificationCode.Purpose.REGISTER,
            browser=get_browser(request),
            code=form.cleaned_data["code"],
            now=now,
        )
    except CodeRefusedError as error:
        form.add_error("code", str(error))
        return None
    application = draft.application if draft else None
    proved = Draft(phone=phone, proved_at=now, application=application)
    write_draft(request, proved)
    return proved


def accept(
    request: HttpRequest, form: RegistrationForm, draft: Draft, *, now: datetime
) -> bool:
    """Keep what was entered; False with an error in the form where an account has it."""
    data = form.cleaned_data
    try:
        refuse_taken_numbers(id_number=data["id_number"], phone=data["phone"], now=now)
    except RegistrationThrottledError as error:
        form.add_error(None, str(error))
        return False
    except IdNumberTakenError as error:
        form.add_error("id_number", str(error))
        return False
    except PhoneTakenError as error:
        form.add_error("phone", str(error))
        return False
    known = draft.application
    password = data["password"]
    application = Application(
        name=data["name"],
        id_number=data["id_number"],
        phone=data["phone"],
        password_hash=(
            known.password_hash if known and not password else make_password(password)
        ),
        region_code=data["region"],
        unit_name=data["unit_name"],
        consents={kind: notice.version for kind, notice in CURRENT.items()},
    )
    write_draft(request, draft.with_application(application))
    return True


def finish(
    request: HttpRequest, application: Application, *, now: datetime
) -> HttpResponse:
    try:
        person = register_person(
            application=application, address=get_address(request), now=now
        )
    except (AccountsError, ValueError) as error:
        messages.error(request, str(error))
        return redirect("accounts:register")
    del request.session[DRAFT_KEY]
    login(request, person)
    return redirect("accounts:register-done")


def describe(application: Application, *, now: datetime) -> dict[str, Any]:
    """What the person is to check, with what the number itself says about them."""
    today = timezone.localdate(now)
    number, _ = read_id_number(application.id_number, today=today)
    full = number.number
    return {
        "application": application,
        "number": number,
        "printed_number": (
            full if settings.CERTIFICATE_FULL_ID_NUMBER else mask_id_number(full)
        ),
        "region": find_region(application.region_code, today=today),
    }


def read_draft(request: HttpRequest, *, now: datetime) -> Draft | None:
    sealed = request.session.get(DRAFT_KEY)
    if sealed is None:
        # No session is begun for somebody who only looks.
        return None
    return open_draft(sealed, browser=get_browser(request), now=now)


def write_draft(request: HttpRequest, draft: Draft) -> None:
    request.session[DRAFT_KEY] = seal_draft(draft, browser=get_browser(request))


def list_steps(current: int) -> list[dict[str, str]]:
    """For `components/_steps.html`: the steps before `current` are done."""
    return [
        {
            "title": title,
            "state": (
                "done" if place < current else "current" if place == current else "todo"
            ),
        }
        for place, title in enumerate(STEPS)
    ]
