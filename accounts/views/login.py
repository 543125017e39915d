"""Login by password or by a code, and logout."""

from datetime import datetime

from django.contrib.auth import login as log_in
from django.contrib.auth import logout as log_out
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import (
    CodeRefusedError,
    FirstLoginRequiredError,
    LoginRefusedError,
    LoginThrottledError,
)
from accounts.forms.login import CodeLoginForm, LoginForm
from accounts.models import User
from accounts.rules.session_marks import read_note
from accounts.services.captchas import is_code_suspicious, is_login_suspicious
from accounts.services.login import check_code_login, check_login
from accounts.services.wechat import is_wechat_configured
from accounts.views.captcha import is_captcha_answered, show_captcha
from accounts.views.visitors import (
    get_address,
    get_browser,
    get_next_url,
    get_posted,
    is_wechat,
)
from accounts.views.waiting import begin_activation
from accounts.views.wechat import NEXT_KEY, has_waiting_openid

TOO_MANY_REQUESTS = 429


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    next_url = get_next_url(request, default="dashboard")
    if request.user.is_authenticated:
        return redirect(next_url)
    by_code = (request.POST.get("way") or request.GET.get("way")) == "code"
    form = (CodeLoginForm if by_code else LoginForm)(get_posted(request))
    status, now = 200, timezone.now()
    if (
        request.method == "POST"
        and form.is_valid()
        and is_captcha_answered(
            request, form, is_suspicious=needs_captcha(request, form, now=now), now=now
        )
    ):
        try:
            person = find_person(request, form)
        except LoginThrottledError as error:
            form.add_error(None, str(error))
            status = TOO_MANY_REQUESTS
        except FirstLoginRequiredError as error:
            return begin_activation(request, error.person_code, next_url, now=now)
        except (LoginRefusedError, CodeRefusedError) as error:
            form.add_error(None, str(error))
        else:
            return enter(request, person, next_url)
    show_captcha(
        request, form, is_suspicious=needs_captcha(request, form, now=now), now=now
    )
    context = {
        "form": form,
        "by_code": by_code,
        "next": next_url if "next" in (request.POST or request.GET) else "",
        "offer_wechat": is_wechat_configured() and is_wechat(request),
        "end_note": read_note(request.session),
        "waiting_wechat": has_waiting_openid(request),
    }
    return render(request, "accounts/login.html", context, status=status)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    log_out(request)
    return redirect("home")


def needs_captcha(
    request: HttpRequest, form: LoginForm | CodeLoginForm, *, now: datetime
) -> bool:
    """Asked before the try, and again for the page that answers a failed one."""
    entered = getattr(form, "cleaned_data", {})
    address = get_address(request)
    if isinstance(form, CodeLoginForm):
        return is_code_suspicious(
            phone=entered.get("phone", ""), address=address, now=now
        )
    return is_login_suspicious(
        account=entered.get("account", ""), address=address, now=now
    )


def find_person(request: HttpRequest, form: LoginForm | CodeLoginForm) -> User:
    now = timezone.now()
    if isinstance(form, CodeLoginForm):
        return check_code_login(
            phone=form.cleaned_data["phone"],
            browser=get_browser(request),
            code=form.cleaned_data["code"],
            now=now,
        )
    return check_login(
        account=form.cleaned_data["account"],
        password=form.cleaned_data["password"],
        address=get_address(request),
        now=now,
    )


def enter(request: HttpRequest, person: User, next_url: str) -> HttpResponse:
    """Start the session; who came from WeChat is asked whether to link it."""
    has_openid = has_waiting_openid(request)
    log_in(request, person)
    if has_openid:
        request.session.setdefault(NEXT_KEY, next_url)
        return redirect("accounts:wechat-link")
    return redirect(next_url)
