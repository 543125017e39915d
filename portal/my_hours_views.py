from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from portal.my_hours import get_my_hours


@require_safe
@never_cache
@login_required
def my_hours(request: HttpRequest) -> HttpResponse:
    """我的学时: every year since 2011 against the duty."""
    now = timezone.now()
    hours = get_my_hours(cast(User, request.user), now=now)
    return render(request, "portal/my_hours.html", {"hours": hours, "now": now})
