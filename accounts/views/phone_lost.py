"""手机号码已停用: for somebody who cannot get a code to the phone on file, hence not log in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import (
    AccountsError,
    CodeRefusedError,
    PhoneTakenError,
    ProofRefusedError,
    RequestThrottledError,
)
from accounts.forms.requests import LostPhoneForm, PhoneStateForm
from accounts.models import PersonRequest, VerificationCode
from accounts.queries.requests import find_phone_request
from accounts.services.codes import check_code
from accounts.services.proofs import read_proofs
from accounts.services.requests import (
    file_phone_request,
    take_address_try,
    take_phone_try,
)
from accounts.tasks import deliver_messages
from accounts.views.requests import describe
from accounts.views.visitors import get_address, get_browser, get_posted

REFERENCE_KEY = "accounts_phone_request"
TOO_MANY_REQUESTS = 429


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def phone_lost(request: HttpRequest) -> HttpResponse:
    """File it. What is answered never depends on whether there is such an account."""
    is_post = request.method == "POST"
    form = LostPhoneForm(
        request.POST if is_post else None,
        request.FILES if is_post else None,
        today=timezone.localdate(),
    )
    status = 200
    if is_post and form.is_valid():
        try:
            filed = submit(request, form)
        except RequestThrottledError as error:
            form.add_error(None, str(error))
            status = TOO_MANY_REQUESTS
        else:
            if filed is not None:
                deliver_messages.delay_on_commit()
                request.session[REFERENCE_KEY] = filed.code
                return redirect("accounts:phone-lost-sent")
    return render(
        request, "accounts/requests/phone_lost.html", {"form": form}, status=status
    )


def submit(request: HttpRequest, form: LostPhoneForm) -> PersonRequest | None:
    """File it; None with an error in the form. Raises `RequestThrottledError`."""
    now = timezone.now()
    take_address_try(address=get_address(request), now=now)
    try:
        proofs = read_proofs(form.cleaned_data["proofs"])
        prove_phone(request, form)
        take_phone_try(phone=form.cleaned_data["phone"], now=now)
        return file_phone_request(wanted=form.wanted, proofs=proofs, now=now)
    except ProofRefusedError as error:
        form.add_error("proofs", str(error))
    except CodeRefusedError as error:
        form.add_error("code", str(error))
    except PhoneTakenError as error:
        form.add_error("phone", str(error))
    except RequestThrottledError:
        raise
    except (AccountsError, ValueError) as error:
        form.add_error(None, str(error))
    return None


def prove_phone(request: HttpRequest, form: LostPhoneForm | PhoneStateForm) -> None:
    check_code(
        phone=form.cleaned_data["phone"],
        purpose=VerificationCode.Purpose.REQUEST,
        browser=get_browser(request),
        code=form.cleaned_data["code"],
        now=timezone.now(),
    )


@never_cache
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """The number under which the request is kept, to be written down."""
    reference = request.session.get(REFERENCE_KEY)
    if reference is None:
        return redirect("accounts:phone-lost")
    return render(
        request, "accounts/requests/phone_sent.html", {"reference": reference}
    )


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def state(request: HttpRequest) -> HttpResponse:
    """How far a request is, for whoever has its number and its phone."""
    form = PhoneStateForm(
        get_posted(request),
        initial={"reference": request.session.get(REFERENCE_KEY, "")},
    )
    if request.method == "POST" and form.is_valid():
        found = look_up(request, form)
        if found is not None:
            context = describe(found)
            return render(request, "accounts/requests/phone_state.html", context)
    return render(request, "accounts/requests/phone_lookup.html", {"form": form})


def look_up(request: HttpRequest, form: PhoneStateForm) -> PersonRequest | None:
    try:
        prove_phone(request, form)
    except CodeRefusedError as error:
        form.add_error("code", str(error))
        return None
    found = find_phone_request(
        code=form.cleaned_data["reference"], phone=form.cleaned_data["phone"]
    )
    if found is None:
        form.add_error(
            None, "没有找到使用该受理编号和手机号码的申请。请核对后重新获取验证码。"
        )
    return found
