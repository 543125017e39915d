"""Codes by SMS, and the message box of the embedded default where they arrive."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import CodeRateError
from accounts.models import VerificationCode
from accounts.queries import list_sent_messages
from accounts.rules.throttles import CODE_PHONE_LIMITS
from accounts.services.codes import send_code
from accounts.tasks import deliver_messages
from accounts.views.visitors import get_address, get_browser
from portal.lib.masks import mask_phone
from portal.lib.phones import PhoneError, normalise_phone

OFFERED_PURPOSES = (
    VerificationCode.Purpose.REGISTER,
    VerificationCode.Purpose.LOGIN,
    VerificationCode.Purpose.RESET,
    VerificationCode.Purpose.REQUEST,
)
UNPROCESSABLE = 422
TOO_MANY_REQUESTS = 429


@never_cache
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Send a code; the answer is the line under the field, for htmx."""
    purpose = request.POST.get("purpose", "")
    if purpose not in OFFERED_PURPOSES:
        raise Http404
    try:
        phone = normalise_phone(request.POST.get("phone", ""))
        send_code(
            phone=phone,
            purpose=VerificationCode.Purpose(purpose),
            browser=get_browser(request),
            address=get_address(request),
            now=timezone.now(),
        )
    except PhoneError as error:
        return answer(request, {"error": str(error)}, status=UNPROCESSABLE)
    except CodeRateError as error:
        context = {"error": str(error), "wait": error.wait_seconds}
        return answer(request, context, status=TOO_MANY_REQUESTS)
    deliver_messages.delay_on_commit()
    wait = int(CODE_PHONE_LIMITS[0].window.total_seconds())
    return answer(request, {"phone": mask_phone(phone), "wait": wait}, status=200)


def answer(
    request: HttpRequest, context: dict[str, object], *, status: int
) -> HttpResponse:
    return render(request, "accounts/_code_status.html", context, status=status)


@never_cache
@require_safe
def message_box(request: HttpRequest) -> HttpResponse:
    """The SMS of the last hour; of no phone at all in production."""
    if not settings.MESSAGE_BOX:
        raise Http404
    is_partial = request.headers.get("HX-Request") == "true"
    template = "accounts/_messages.html" if is_partial else "accounts/message_box.html"
    context = {"sent": list_sent_messages(now=timezone.now())}
    return render(request, template, context)
