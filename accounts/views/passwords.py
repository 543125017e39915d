"""忘记密码 and 修改密码."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.errors import (
    AccountMovedError,
    CodeRefusedError,
    ConfirmationThrottledError,
    PasswordRefusedError,
    PasswordWrongError,
)
from accounts.forms.login import PasswordChangeForm, PasswordResetForm
from accounts.rules.session_marks import read_code
from accounts.services.captchas import is_code_suspicious
from accounts.services.passwords import change_password, reset_password
from accounts.tasks import deliver_messages
from accounts.views.captcha import is_captcha_answered, show_captcha
from accounts.views.visitors import (
    get_address,
    get_browser,
    get_next_url,
    get_person,
    get_posted,
)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def reset(request: HttpRequest) -> HttpResponse:
    form, now = PasswordResetForm(get_posted(request)), timezone.now()
    if (
        request.method == "POST"
        and form.is_valid()
        and is_captcha_answered(
            request, form, is_suspicious=needs_captcha(request, form, now=now), now=now
        )
    ):
        try:
            reset_password(
                phone=form.cleaned_data["phone"],
                browser=get_browser(request),
                code=form.cleaned_data["code"],
                password=form.cleaned_data["password"],
                address=get_address(request),
                now=now,
            )
        except CodeRefusedError as error:
            form.add_error("code", str(error))
        except AccountMovedError as error:
            form.add_error(None, str(error))
        except PasswordRefusedError as error:
            form.add_error("password", f"{error}请重新获取验证码后提交。")
        else:
            deliver_messages.delay_on_commit()
            messages.success(request, "密码已重置，请使用新密码登录。")
            return redirect("accounts:login")
    show_captcha(
        request, form, is_suspicious=needs_captcha(request, form, now=now), now=now
    )
    return render(request, "accounts/password_reset.html", {"form": form})


def needs_captcha(
    request: HttpRequest, form: PasswordResetForm, *, now: datetime
) -> bool:
    return is_code_suspicious(
        phone=getattr(form, "cleaned_data", {}).get("phone", ""),
        address=get_address(request),
        now=now,
    )


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def change(request: HttpRequest) -> HttpResponse:
    person = get_person(request)
    form = PasswordChangeForm(get_posted(request), person=person)
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_password(
                person=person,
                present=form.cleaned_data["present"],
                password=form.cleaned_data["password"],
                now=timezone.now(),
                session=read_code(request.session),
            )
        except PasswordWrongError as error:
            form.add_error("present", str(error))
        except (ConfirmationThrottledError, AccountMovedError) as error:
            form.add_error(None, str(error))
        else:
            deliver_messages.delay_on_commit()
            # This session goes on under a new key, all others end.
            update_session_auth_hash(request, changed)
            messages.success(request, "密码已修改，其他设备上的登录已退出。")
            return redirect(get_next_url(request, default="accounts:password-change"))
    context = {
        "form": form,
        "next": request.POST.get("next") or request.GET.get("next"),
    }
    return render(request, "accounts/password_change.html", context)
