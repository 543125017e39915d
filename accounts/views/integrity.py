"""诚信档案: what is entered about the person, for the person to read."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.queries.integrity import list_integrity_records
from accounts.views.visitors import get_person
from portal.lib.masks import mask_numbers


@never_cache
@require_safe
@login_required
def integrity(request: HttpRequest) -> HttpResponse:
    rows = [
        {"record": record, "text": mask_numbers(record.text)}
        for record in list_integrity_records(get_person(request))
    ]
    return render(request, "accounts/integrity.html", {"rows": rows})
