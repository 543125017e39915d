"""我的激活码 · 导入人员: hand in a sheet, see who can be given a code, confirm, follow."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.services.files import read_private_file
from orders import tasks
from orders.documents import write_code_template
from orders.errors import CodeNotFoundError, OrderError
from orders.forms import ImportForm
from orders.models import CodeImport
from orders.queries import codes as queries
from orders.services.codes import confirm_import, drop_import, upload_import
from orders.services.codes.importing import renew_errors
from orders.views.buyers import user_of
from orders.views.codes import sums_or_404
from portal.lib.file_responses import attachment
from portal.lib.spreadsheet import XLSX

ROWS_PER_PAGE = 50


@login_required
@require_safe
def template(request: HttpRequest) -> HttpResponse:
    """The blank list."""
    return attachment(
        write_code_template(), name="激活码赠送名单模板.xlsx", content_type=XLSX
    )


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, plan: str) -> HttpResponse:
    sums, user = sums_or_404(request, plan), user_of(request)
    is_posted = request.method == "POST"
    form = ImportForm(
        request.POST if is_posted else None, request.FILES if is_posted else None
    )
    if is_posted and form.is_valid():
        try:
            code_import = upload_import(
                owner=user,
                plan=sums.plan,
                content=form.cleaned_data["file"].read(),
                now=timezone.now(),
            )
        except OrderError as error:
            form.add_error(None, str(error))
        else:
            tasks.check_code_import.delay_on_commit(code_import.pk)
            return redirect("orders:code-import", code_import.code)
    context = {
        "sums": sums,
        "plan": sums.plan,
        "form": form,
        "imports": queries.list_imports_of(user, sums.plan)[:20],
    }
    return render(request, "orders/codes/upload.html", context)


def import_or_404(request: HttpRequest, code: str) -> CodeImport:
    """The own import; the only door of these views to one."""
    try:
        return queries.get_import_for(user_of(request), code)
    except CodeNotFoundError as error:
        raise Http404 from error


@login_required
@never_cache
@require_safe
def detail(request: HttpRequest, code: str) -> HttpResponse:
    """State, counts, rows; asked by htmx while a worker is at it, only the state."""
    row = import_or_404(request, code)
    if request.headers.get("HX-Request") == "true":
        if row.is_at_work:
            return render(request, "orders/codes/_progress.html", {"import": row})
        # Done: the whole page has something new to show.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "orders/codes/import.html", _describe(request, row))


def _describe(request: HttpRequest, row: CodeImport) -> dict[str, Any]:
    only_bad = request.GET.get("show") == "problems"
    rows = queries.list_import_rows(row, only_bad=only_bad)
    page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    user = user_of(request)
    return {
        "import": row,
        "plan": row.plan,
        "page_obj": page,
        "only_bad": only_bad,
        "unused": queries.list_unused_of(user.pk, row.plan_id).count(),
        "has_file": row.has_error_file(timezone.now()),
    }


@login_required
@require_POST
def confirm(request: HttpRequest, code: str) -> HttpResponse:
    row = import_or_404(request, code)
    if "is_sure" not in request.POST:
        messages.error(request, "请勾选确认：激活码一经赠送不能收回。")
        return redirect("orders:code-import", row.code)
    try:
        confirm_import(import_id=row.pk, now=timezone.now())
        tasks.hand_out_codes.delay_on_commit(row.pk)
    except OrderError as error:
        messages.error(request, str(error))
    return redirect("orders:code-import", row.code)


@login_required
@require_POST
def drop(request: HttpRequest, code: str) -> HttpResponse:
    row = import_or_404(request, code)
    try:
        drop_import(import_id=row.pk, now=timezone.now())
        messages.success(request, "已放弃本次导入，没有赠送任何激活码。")
    except OrderError as error:
        messages.error(request, str(error))
    return redirect("orders:code-import", row.code)


@login_required
@never_cache
@require_safe
def errors(request: HttpRequest, code: str) -> HttpResponse:
    """The error file, for whoever handed the sheet in and for 24 hours."""
    row = import_or_404(request, code)
    if row.error_file is None or not row.has_error_file(timezone.now()):
        raise Http404
    file = row.error_file
    return attachment(
        read_private_file(file), name=file.name, content_type=file.content_type
    )


@login_required
@require_POST
def renew(request: HttpRequest, code: str) -> HttpResponse:
    """Make an error file again whose 24 hours are over."""
    row = import_or_404(request, code)
    try:
        renew_errors(import_id=row.pk, now=timezone.now())
        messages.success(request, "错误文件已重新生成，24小时内可下载。")
    except OrderError as error:
        messages.error(request, str(error))
    return redirect("orders:code-import", row.code)
