"""首次登录: the first password opens one page; what is done there opens the account."""

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.errors import (
    ActivationEndedError,
    CodeRefusedError,
    FirstLoginRefusedError,
    LoginThrottledError,
    PasswordRefusedError,
)
from accounts.forms.activation import ActivationForm, FirstLoginForm
from accounts.models import User
from accounts.queries import find_profile
from accounts.rules.notices import CURRENT
from accounts.services.activation import FirstLogin, activate_person
from accounts.services.captchas import is_code_suspicious, is_login_suspicious
from accounts.services.login import check_first_login
from accounts.views.captcha import is_captcha_answered, show_captcha
from accounts.views.login import enter
from accounts.views.visitors import (
    get_address,
    get_browser,
    get_next_url,
    get_posted,
)
from accounts.views.waiting import (
    begin_activation,
    end_activation,
    get_waiting_person,
)

TOO_MANY_REQUESTS = 429
THROTTLED = "尝试次数过多，请15分钟后再试，或联系单位经办人、在线客服。"


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def activate(request: HttpRequest) -> HttpResponse:
    """ID number and first password."""
    next_url = get_next_url(request, default="dashboard")
    if request.user.is_authenticated:
        return redirect(next_url)
    now, status = timezone.now(), 200
    form = FirstLoginForm(get_posted(request), today=timezone.localdate(now))
    if (
        request.method == "POST"
        and form.is_valid()
        and is_captcha_answered(
            request, form, is_suspicious=needs_captcha(request, form, now=now), now=now
        )
    ):
        try:
            person = check_first_login(
                id_number=form.cleaned_data["id_number"],
                password=form.cleaned_data["password"],
                address=get_address(request),
                now=now,
            )
        except LoginThrottledError:
            form.add_error(None, THROTTLED)
            status = TOO_MANY_REQUESTS
        except FirstLoginRefusedError as error:
            form.add_error(None, str(error))
        else:
            return begin_activation(request, person.code, next_url, now=now)
    show_captcha(
        request, form, is_suspicious=needs_captcha(request, form, now=now), now=now
    )
    return render(request, "accounts/activate.html", {"form": form}, status=status)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    """The person checks what prints, proves the phone, sets a password and consents."""
    if request.user.is_authenticated:
        return redirect("dashboard")
    now = timezone.now()
    try:
        person = get_waiting_person(request, now=now)
    except ActivationEndedError as error:
        messages.info(request, str(error))
        return redirect("accounts:activate")
    form = ActivationForm(get_posted(request), person=person)
    suspicious = is_code_suspicious(
        phone=person.phone, address=get_address(request), now=now
    )
    if (
        request.method == "POST"
        and form.is_valid()
        and is_captcha_answered(request, form, is_suspicious=suspicious, now=now)
    ):
        activated = finish(request, form, person, now=now)
        if activated is not None:
            next_url = end_activation(request, now=now)
            messages.success(
                request, "账号已激活，今后请用手机号码或证件号码和新密码登录。"
            )
            return enter(request, activated, next_url)
    show_captcha(request, form, is_suspicious=suspicious, now=now)
    context = {
        "form": form,
        "person": person,
        "profile": find_profile(person),
        "notices": CURRENT,
        "prints_full_number": settings.CERTIFICATE_FULL_ID_NUMBER,
    }
    return render(request, "accounts/activate_details.html", context)


def needs_captcha(request: HttpRequest, form: FirstLoginForm, *, now: datetime) -> bool:
    entered = getattr(form, "cleaned_data", {})
    return is_login_suspicious(
        account=entered.get("id_number", ""), address=get_address(request), now=now
    )


def finish(
    request: HttpRequest, form: ActivationForm, person: User, *, now: datetime
) -> User | None:
    """The activated person; None with an error in the form."""
    first_login = FirstLogin(
        code=form.cleaned_data["code"],
        password=form.cleaned_data["password"],
        consents={kind: notice.version for kind, notice in CURRENT.items()},
    )
    try:
        return activate_person(
            person_code=person.code,
            first_login=first_login,
            browser=get_browser(request),
            address=get_address(request),
            now=now,
        )
    except CodeRefusedError as error:
        form.add_error("code", str(error))
    except PasswordRefusedError as error:
        form.add_error("password", str(error))
    except ActivationEndedError as error:
        form.add_error(None, str(error))
    return None
