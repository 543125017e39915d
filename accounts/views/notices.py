"""The notices that people agree to, in every version."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.rules.notices import CURRENT, NOTICES


@require_safe
def notice(request: HttpRequest, kind: str, version: str = "") -> HttpResponse:
    current = CURRENT.get(kind)
    found = NOTICES.get((kind, version)) if version else current
    if found is None:
        raise Http404
    context = {"notice": found, "is_current": found == current}
    return render(request, found.template, context)
