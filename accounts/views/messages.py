"""Codes by SMS, and the message box of the embedded default, where all messages arrive."""

from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import ActivationEndedError, CodeRateError
from accounts.forms.captcha import CaptchaForm
from accounts.models import VerificationCode
from accounts.queries import list_sent_messages
from accounts.rules.throttles import CODE_PHONE_LIMITS
from accounts.services.captchas import is_code_suspicious, make_challenge
from accounts.services.codes import send_code
from accounts.tasks import deliver_messages
from accounts.views.captcha import give_pass, is_answer_right
from accounts.views.visitors import get_address, get_browser, get_person
from accounts.views.waiting import get_waiting_person
from portal.lib.masks import mask_phone
from portal.lib.phones import PhoneError, normalise_phone

Purpose = VerificationCode.Purpose
# Asked for by anybody, for a phone that the form names.
OPEN_PURPOSES = (Purpose.REGISTER, Purpose.LOGIN, Purpose.RESET, Purpose.REQUEST)
# Asked for by whoever is logged in: for the phone on file, and for the one that is to be.
OWN_PURPOSES = (Purpose.OLD_PHONE, Purpose.CLOSE, Purpose.SIGN)
UNPROCESSABLE = 422
TOO_MANY_REQUESTS = 429


@never_cache
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Send a code; the answer is the line under the field, for htmx."""
    if request.POST.get("purpose") not in Purpose.values:
        raise Http404
    purpose, now = Purpose(request.POST["purpose"]), timezone.now()
    try:
        phone = find_phone(request, purpose, now=now)
    except (PhoneError, ActivationEndedError) as error:
        return answer(request, {"error": str(error)}, status=UNPROCESSABLE)
    form = CaptchaForm(request.POST)
    suspicious = is_code_suspicious(phone=phone, address=get_address(request), now=now)
    if suspicious and not (form.is_valid() and is_answer_right(form, now=now)):
        # The fresh picture lies beside the line.
        form.picture = make_challenge(now=now)
        context: dict[str, object] = {
            "error": "请填写图形验证码后再获取短信验证码。",
            "form": form,
        }
        return answer(request, context, status=UNPROCESSABLE)
    try:
        send_code(
            phone=phone,
            purpose=purpose,
            browser=get_browser(request),
            address=get_address(request),
            now=now,
        )
    except CodeRateError as error:
        context = {"error": str(error), "wait": error.wait_seconds}
        if suspicious:
            form.picture = make_challenge(now=now)
            context["form"] = form
        return answer(request, context, status=TOO_MANY_REQUESTS)
    deliver_messages.delay_on_commit()
    if suspicious:
        give_pass(request, now=now)
    wait = int(CODE_PHONE_LIMITS[0].window.total_seconds())
    context = {"phone": mask_phone(phone), "wait": wait, "passed": suspicious}
    return answer(request, context, status=200)


def find_phone(request: HttpRequest, purpose: Purpose, *, now: datetime) -> str:
    """Where the code goes: to the typed phone, or to the one on file of who is known.

    Raises `PhoneError`, and `ActivationEndedError` for a first login that took too long.
    """
    if purpose is Purpose.ACTIVATE:
        return normalise_phone(get_waiting_person(request, now=now).phone)
    if purpose not in OPEN_PURPOSES and not request.user.is_authenticated:
        raise Http404
    if purpose in OWN_PURPOSES:
        return normalise_phone(get_person(request).phone)
    return normalise_phone(request.POST.get("phone", ""))


def answer(
    request: HttpRequest, context: dict[str, object], *, status: int
) -> HttpResponse:
    return render(request, "accounts/_code_status.html", context, status=status)


@never_cache
@require_safe
def message_box(request: HttpRequest) -> HttpResponse:
    """SMS and mails of the last hour; in production there is no such page."""
    if not settings.MESSAGE_BOX:
        raise Http404
    is_partial = request.headers.get("HX-Request") == "true"
    template = "accounts/_messages.html" if is_partial else "accounts/message_box.html"
    context = {"sent": list_sent_messages(now=timezone.now())}
    return render(request, template, context)
