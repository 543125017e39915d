"""Login through the WeChat service account: recognised, linked once, then without a password."""

import secrets
from hmac import compare_digest

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as log_in
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.errors import WeChatError
from accounts.services.wechat import (
    fetch_openid,
    find_linked_person,
    is_wechat_configured,
    link_wechat,
    make_authorize_url,
    unlink_wechat,
)
from accounts.views.visitors import get_next_url, get_person

STATE_KEY = "wechat_state"
NEXT_KEY = "wechat_next"
OPENID_KEY = "wechat_openid"


@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to WeChat, which sends it back with a code."""
    if not is_wechat_configured():
        raise Http404
    next_url = get_next_url(request, default="dashboard")
    if request.user.is_authenticated:
        return redirect(next_url)
    state = secrets.token_urlsafe(24)
    request.session[STATE_KEY] = state
    request.session[NEXT_KEY] = next_url
    return redirect(
        make_authorize_url(
            redirect_uri=settings.SITE_URL + reverse("accounts:wechat-callback"),
            state=state,
        )
    )


@never_cache
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Log in who is linked; everybody else logs in first and may link then."""
    state = request.session.pop(STATE_KEY, "")
    next_url = request.session.get(NEXT_KEY) or reverse("dashboard")
    given = request.GET.get("state", "")
    if not state or not compare_digest(state.encode(), given.encode()):
        messages.error(request, str(WeChatError()))
        return redirect("accounts:login")
    try:
        openid = fetch_openid(code=request.GET.get("code", ""))
    except WeChatError as error:
        messages.error(request, str(error))
        return redirect("accounts:login")
    person = find_linked_person(openid=openid)
    if person is None:
        request.session[OPENID_KEY] = openid
        return redirect("accounts:login")
    log_in(request, person)
    request.session.pop(NEXT_KEY, None)
    return redirect(next_url)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def link(request: HttpRequest) -> HttpResponse:
    """Ask once whether this WeChat may log in as this person from now on."""
    if OPENID_KEY not in request.session:
        return redirect("accounts:profile")
    if request.method != "POST":
        return render(request, "accounts/wechat_link.html")
    openid = request.session.pop(OPENID_KEY)
    next_url = request.session.pop(NEXT_KEY, "") or reverse("dashboard")
    if request.POST.get("answer") == "yes":
        link_wechat(person=get_person(request), openid=openid, now=timezone.now())
        messages.success(request, "微信已绑定，下次从微信进入可直接登录。")
    return redirect(next_url)


@require_POST
@login_required
def unlink(request: HttpRequest) -> HttpResponse:
    unlink_wechat(person=get_person(request), now=timezone.now())
    messages.success(request, "微信已解除绑定。")
    return redirect("accounts:profile")


def has_waiting_openid(request: HttpRequest) -> bool:
    """Whether the visitor came from WeChat and is not linked yet."""
    return OPENID_KEY in request.session
