"""注销账号."""

from django.contrib import messages
from django.contrib.auth import logout as log_out
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.errors import (
    AccountMovedError,
    ClosingRefusedError,
    CodeRefusedError,
    ConfirmationThrottledError,
    PasswordWrongError,
)
from accounts.forms.account import ClosingForm
from accounts.services.closing import close_account, refuse_closing
from accounts.tasks import deliver_messages
from accounts.views.visitors import get_browser, get_person, get_posted


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def close(request: HttpRequest) -> HttpResponse:
    person = get_person(request)
    form = ClosingForm(get_posted(request))
    obstacle = ""
    try:
        refuse_closing(person=person)
    except ClosingRefusedError as error:
        obstacle = str(error)
    can_close = request.method == "POST" and not obstacle and form.is_valid()
    if can_close and save(request, form):
        deliver_messages.delay_on_commit()
        log_out(request)
        messages.success(request, "账号已注销。")
        return redirect("home")
    context = {"form": form, "person": person, "obstacle": obstacle}
    return render(request, "accounts/close.html", context)


def save(request: HttpRequest, form: ClosingForm) -> bool:
    try:
        close_account(
            person=get_person(request),
            password=form.cleaned_data["password"],
            code=form.cleaned_data["code"],
            browser=get_browser(request),
            now=timezone.now(),
        )
    except PasswordWrongError as error:
        form.add_error("password", str(error))
    except CodeRefusedError as error:
        form.add_error("code", str(error))
    except (
        ConfirmationThrottledError,
        ClosingRefusedError,
        AccountMovedError,
    ) as error:
        form.add_error(None, str(error))
    return not form.errors
