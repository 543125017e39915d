"""更换手机号码."""

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
    OldCodeRefusedError,
    PasswordWrongError,
    PhoneTakenError,
)
from accounts.forms.account import PhoneChangeForm
from accounts.models import User
from accounts.rules.session_marks import read_code
from accounts.services.phones import PhoneChange, change_phone
from accounts.tasks import deliver_messages
from accounts.views.visitors import get_browser, get_person, get_posted


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def change(request: HttpRequest) -> HttpResponse:
    person = get_person(request)
    form = PhoneChangeForm(get_posted(request), person=person)
    if request.method == "POST" and form.is_valid():
        changed = save(request, form, now=timezone.now())
        if changed is not None:
            deliver_messages.delay_on_commit()
            # This session goes on under a new key, all others end.
            update_session_auth_hash(request, changed)
            messages.success(request, "手机号码已更换，其他设备上的登录已退出。")
            return redirect("accounts:profile")
    context = {"form": form, "person": person}
    return render(request, "accounts/phone_change.html", context)


def save(request: HttpRequest, form: PhoneChangeForm, *, now: datetime) -> User | None:
    data = form.cleaned_data
    wanted = PhoneChange(
        phone=data["phone"],
        code=data["code"],
        password=data["password"],
        old_code=data["old_code"],
    )
    try:
        return change_phone(
            person=get_person(request),
            change=wanted,
            browser=get_browser(request),
            now=now,
            session=read_code(request.session),
        )
    except PasswordWrongError as error:
        form.add_error("password", str(error))
    except (ConfirmationThrottledError, AccountMovedError) as error:
        form.add_error(None, str(error))
    except OldCodeRefusedError as error:
        form.add_error("old_code", str(error))
    except CodeRefusedError as error:
        form.add_error("code", str(error))
    except PhoneTakenError as error:
        form.add_error("phone", str(error))
    return None
