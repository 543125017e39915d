from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.errors import (
    ConfirmationThrottledError,
    ExportThrottledError,
    PasswordWrongError,
)
from accounts.forms.account import ExportForm
from accounts.models import User
from accounts.services.exports import allow_export
from portal.lib.file_responses import attachment
from portal.lib.own_data import ZIP, pack_sections
from portal.own_data import collect_own_data


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def own_data(request: HttpRequest) -> HttpResponse:
    """导出我的数据: explained, then handed out for the password."""
    person = cast(User, request.user)
    form = ExportForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            allow_export(person=person, password=form.cleaned_data["password"], now=now)
        except PasswordWrongError as error:
            form.add_error("password", str(error))
        except (ConfirmationThrottledError, ExportThrottledError) as error:
            form.add_error(None, str(error))
        else:
            return make_archive(person)
    return render(request, "portal/own_data.html", {"form": form})


def make_archive(person: User) -> HttpResponse:
    made_at = timezone.localtime()
    sections = collect_own_data(person)
    page = render_to_string(
        "portal/own_data_file.html", {"sections": sections, "made_at": made_at}
    )
    content = pack_sections(sections, page=page, made_at=made_at)
    name = f"我的数据-{made_at:%Y%m%d}.zip"
    return attachment(content, name=name, content_type=ZIP)
