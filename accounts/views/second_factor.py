"""What a member of the staff does between the password and the staff site."""

from base64 import b64decode, b64encode
from io import BytesIO
from typing import Any

import django_otp
import segno
from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import SecondFactorRefusedError, SecondFactorThrottledError
from accounts.forms.second_factor import SecondFactorForm
from accounts.models import StaffDevice, User
from accounts.personal_data import cipher
from accounts.queries.second_factor import count_recovery_codes, find_device
from accounts.rules.second_factor import make_otpauth_uri, make_secret, spell_secret
from accounts.services.second_factor import check_second_factor, enrol_device
from accounts.views.visitors import get_next_url, get_person, get_posted

# The secret of an app that has not shown a code yet: ciphertext in the browser's session.
DRAFT_KEY = "accounts_second_factor"
TOO_MANY_REQUESTS = 429
QR_SCALE = 5
FEW_CODES = 2


def find_hurdle(request: HttpRequest) -> str:
    """The address of what a member of the staff has to do first; empty: the way is free.

    The code comes before a password's change: who has stolen no more than an old password
    must not be the one who chooses the new one.
    """
    if settings.STAFF_TOTP and not is_verified(request):
        return reverse("admin:second-factor")
    if find_password_fault(get_person(request)):
        return reverse("accounts:password-change")
    return ""


def is_verified(request: HttpRequest) -> bool:
    """Whether this session has shown a second factor (django-otp's middleware)."""
    return getattr(request.user, "otp_device", None) is not None


def find_password_fault(person: User) -> str:
    """Why a member of the staff must choose a new password first; empty: no need."""
    days: int = settings.STAFF_PASSWORD_DAYS
    if person.has_given_password:
        return "使用管理后台前，请先设置只有您自己知道的新密码。"
    if days > 0 and person.password_age(now=timezone.now()).days >= days:
        return f"您的密码已使用超过{days}天，请先修改密码。"
    return ""


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Bind an app at the first time, enter its code at every later login."""
    if not is_staff_member(request):
        return redirect("admin:login")
    next_url = get_next_url(request, default="admin:index")
    if is_verified(request):
        return redirect(next_url)
    device = find_device(get_person(request))
    if device is None:
        return enrol(request, next_url)
    return verify(request, next_url)


def verify(request: HttpRequest, next_url: str) -> HttpResponse:
    form = SecondFactorForm(get_posted(request))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            device = check_second_factor(
                person=get_person(request),
                code=form.cleaned_data["code"],
                now=timezone.now(),
            )
        except SecondFactorThrottledError as error:
            form.add_error("code", str(error))
            status = TOO_MANY_REQUESTS
        except SecondFactorRefusedError as error:
            form.add_error("code", str(error))
        else:
            admit(request, device)
            warn_of_few_codes(request, device)
            return redirect(next_url)
    return show(request, "verify", form=form, next=next_url, status=status)


def enrol(request: HttpRequest, next_url: str) -> HttpResponse:
    person = get_person(request)
    form = SecondFactorForm(get_posted(request))
    secret = read_draft(request)
    status = 200
    if secret is None:
        # A code cannot be of a secret that this browser was never shown.
        secret = write_draft(request)
        form = SecondFactorForm()
    elif request.method == "POST" and form.is_valid():
        try:
            enrolled = enrol_device(
                person=person,
                secret=secret,
                code=form.cleaned_data["code"],
                now=timezone.now(),
            )
        except SecondFactorThrottledError as error:
            form.add_error("code", str(error))
            status = TOO_MANY_REQUESTS
        except SecondFactorRefusedError as error:
            form.add_error("code", str(error))
        else:
            del request.session[DRAFT_KEY]
            admit(request, enrolled.device)
            return show(request, "codes", codes=enrolled.recovery_codes, next=next_url)
    return show(
        request,
        "enrol",
        form=form,
        secret=spell_secret(secret),
        next=next_url,
        status=status,
    )


@never_cache
@require_safe
def qr_code(request: HttpRequest) -> HttpResponse:
    """The secret on the page as a picture for the app."""
    secret = read_draft(request) if is_staff_member(request) else None
    if secret is None:
        raise Http404
    uri = make_otpauth_uri(
        secret, account=get_person(request).username, issuer=settings.PORTAL_NAME
    )
    picture = BytesIO()
    segno.make(uri, error="m").save(picture, kind="svg", scale=QR_SCALE, light="#fff")
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


def is_staff_member(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.is_authenticated and user.is_active and user.is_staff)


def admit(request: HttpRequest, device: StaffDevice) -> None:
    """From here on the session may more than before, so its key is another."""
    request.session.cycle_key()
    django_otp.login(request, device)


def warn_of_few_codes(request: HttpRequest, device: StaffDevice) -> None:
    left = count_recovery_codes(device)
    if left <= FEW_CODES:
        messages.warning(
            request, f"恢复码仅剩 {left} 个，请尽快联系系统管理员重置后重新绑定。"
        )


def read_draft(request: HttpRequest) -> bytes | None:
    sealed = request.session.get(DRAFT_KEY)
    if sealed is None:
        return None
    try:
        return cipher().decrypt_bytes(b64decode(sealed), context=draft_context(request))
    except (InvalidTag, KeyError):
        return None


def write_draft(request: HttpRequest) -> bytes:
    secret = make_secret()
    sealed = cipher().encrypt_bytes(secret, context=draft_context(request))
    request.session[DRAFT_KEY] = b64encode(sealed).decode()
    return secret


def draft_context(request: HttpRequest) -> str:
    return f"accounts.second_factor_draft:{get_person(request).code}"


def show(
    request: HttpRequest, step: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    frame = admin.site.each_context(request)
    return TemplateResponse(
        request,
        f"admin/second_factor/{step}.html",
        {**frame, "title": "两步验证", **context},
        status=status,
    )
