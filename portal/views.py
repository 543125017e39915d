from functools import partial
from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from catalog.models import Subject
from portal import queries
from portal.hints import list_hints

GENERAL_TEXT = "法律法规、理论政策、职业道德、技术信息等基本知识，每年不少于 30 学时。"
PROFESSIONAL_TEXT = (
    "工程建设、教育新知、农业技术、宏观经济、生态环保、综合管理，每年不少于 60 学时。"
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    # Read when the page's kept part has to be made anew.
    page = cast(queries.Home, SimpleLazyObject(partial(queries.get_home, now=now)))
    context = {
        "home": page,
        "entries": SimpleLazyObject(partial(describe_entries, page)),
        "today": timezone.localdate(now),
    }
    return render(request, "portal/home.html", context)


def describe_entries(page: queries.Home) -> list[dict[str, object]]:
    """The two cards of 在线学习中心."""
    words = (
        (Subject.GENERAL, "red", GENERAL_TEXT),
        (Subject.PROFESSIONAL, "blue", PROFESSIONAL_TEXT),
    )
    return [
        {
            "subject": subject,
            "url": f"{reverse('plan-list')}?subject={subject}",
            "tone": tone,
            "text": text,
            "years": page.years.get(subject, []),
        }
        for subject, tone, text in words
    ]


@require_safe
@never_cache
@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    space = queries.get_space(cast(User, request.user), now=now)
    context = {"space": space, "hints": list_hints(space), "now": now}
    return render(request, "portal/dashboard.html", context)
