"""登录设备: where a person is logged in, and 退出 for what is not in their hands any more."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import PersonSession
from accounts.queries.sessions import list_ended_sessions, list_live_sessions
from accounts.rules.session_marks import read_code
from accounts.rules.sessions import find_natural_end
from accounts.services.sessions import (
    end_other_sessions,
    limits_of,
    remove_session,
)
from accounts.views.visitors import get_person


@never_cache
@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    person = get_person(request)
    now = timezone.now()
    limits = limits_of(person)
    # What time has ended since the last sweep is not shown as live.
    live = [
        session
        for session in list_live_sessions(person)
        if not find_natural_end(
            started_at=session.started_at,
            last_seen_at=session.last_seen_at,
            limits=limits,
            now=now,
        )
    ]
    code = read_code(request.session)
    context = {
        "here": [session for session in live if session.code == code],
        "elsewhere": [session for session in live if session.code != code],
        "ended": list_ended_sessions(person, now=now),
    }
    return render(request, "accounts/sessions.html", context)


@require_POST
@login_required
def end_others(request: HttpRequest) -> HttpResponse:
    count = end_other_sessions(
        person=get_person(request),
        current=read_code(request.session),
        reason=PersonSession.EndReason.REMOVED,
        now=timezone.now(),
    )
    if count:
        messages.success(request, f"已退出其他 {count} 台设备。")
    else:
        messages.info(request, "没有其他设备登录您的账号。")
    return redirect("accounts:sessions")


@require_POST
@login_required
def end(request: HttpRequest, code: str) -> HttpResponse:
    current = read_code(request.session)
    if code == current:
        logout(request)
        return redirect("home")
    session = remove_session(
        person=get_person(request), code=code, current=current, now=timezone.now()
    )
    if session is None:
        raise Http404
    messages.success(request, f"已退出 {session.device} 上的登录。")
    return redirect("accounts:sessions")
