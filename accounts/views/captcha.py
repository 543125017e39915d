"""The captcha: whether a try needs one, its picture, and another picture."""

from datetime import datetime

from captcha.views import captcha_image
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.forms.captcha import CaptchaForm, CaptchaMixin
from accounts.services.captchas import (
    has_pass,
    make_challenge,
    make_pass,
    use_answer,
    use_pass,
)

PASSED = "accounts_captcha_passed"


@never_cache
@require_safe
def image(request: HttpRequest, key: str) -> HttpResponse:
    """The picture of a captcha that is still to be answered; 410 for any other."""
    response: HttpResponse = captcha_image(request, key)
    return response


@never_cache
@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """Another picture, for htmx."""
    form = CaptchaForm()
    form.picture = make_challenge(now=timezone.now())
    return render(request, "components/_captcha.html", {"form": form})


def is_captcha_answered(
    request: HttpRequest, form: CaptchaMixin, *, is_suspicious: bool, now: datetime
) -> bool:
    """Whether a valid form may go on; False with an error in the form.

    The answer, or the one that came with the request for a code by SMS, is used up.
    """
    if not is_suspicious or take_pass(request, now=now):
        return True
    return is_answer_right(form, now=now)


def is_answer_right(form: CaptchaMixin, *, now: datetime) -> bool:
    """Use up the answer in a valid form; False with an error in the form."""
    answer = form.cleaned_data["captcha_answer"]
    if use_answer(key=form.cleaned_data["captcha_key"], answer=answer, now=now):
        return True
    form.refuse_captcha(
        "图形验证码不正确或已过期，请按新图片填写。"
        if answer
        else "操作较频繁，请先填写图形验证码。"
    )
    return False


def show_captcha(
    request: HttpRequest, form: CaptchaMixin, *, is_suspicious: bool, now: datetime
) -> None:
    """Put a fresh picture into a form that is about to be shown and will need an answer."""
    if not is_suspicious:
        return
    key = request.session.get(PASSED)
    if key is None or not has_pass(key=key, now=now):
        form.picture = make_challenge(now=now)


def give_pass(request: HttpRequest, *, now: datetime) -> None:
    """The form that is sent with the code just asked for needs no second captcha."""
    request.session[PASSED] = make_pass(now=now)


def take_pass(request: HttpRequest, *, now: datetime) -> bool:
    key = request.session.pop(PASSED, None)
    return key is not None and use_pass(key=key, now=now)
