"""单位工作台 · 批量注册: hand in a list, see what is wrong with it, follow what becomes of it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
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

from accounts.documents import write_roster_template
from accounts.errors import AccountsError
from accounts.forms.lists import SubmitForm, UploadForm
from accounts.models import ListRow, RegistrationList
from accounts.queries.lists import (
    count_missing,
    find_answer,
    find_successor,
    get_list_for,
    list_history,
    list_lists_of_unit,
    list_rows,
    show_row,
)
from accounts.rules.first_passwords import describe_first_password
from accounts.rules.lists import describe_steps
from accounts.services.files import read_private_file
from accounts.services.lists import (
    Upload,
    renew_answer,
    submit_list,
    upload_list,
    withdraw_list,
)
from accounts.tasks import check_list
from accounts.views.unit_desk import Desk, at_desk
from accounts.views.visitors import get_posted
from portal.lib.file_responses import attachment
from portal.lib.spreadsheet import XLSX

LISTS_PER_PAGE = 20
ROWS_PER_PAGE = 50
State = RegistrationList.State


@never_cache
@require_safe
@at_desk
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    pages = Paginator(list_lists_of_unit(desk.unit), LISTS_PER_PAGE)
    context = {
        "desk": desk,
        "page_obj": pages.get_page(request.GET.get("page")),
    }
    return render(request, "accounts/lists/index.html", context)


@require_safe
@at_desk
def template(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The blank form (附件2)."""
    return attachment(
        write_roster_template(first_password_rule=settings.FIRST_PASSWORD_RULE),
        name="学员注册名单模板.xlsx",
        content_type=XLSX,
    )


@never_cache
@require_http_methods(["GET", "POST"])
@at_desk
def upload(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Take a file; with `replaces` in the place of an earlier one."""
    replaces = find_replaced(request, desk)
    form = UploadForm(
        get_posted(request),
        request.FILES or None,
        initial={"reply_mail": desk.coordinator.email},
    )
    if request.method == "POST" and form.is_valid():
        try:
            registration_list = upload_list(
                upload=Upload(
                    unit=replaces.unit if replaces else desk.unit,
                    content=form.cleaned_data["file"].read(),
                    reply_mail=form.cleaned_data["reply_mail"],
                    replaces=replaces,
                ),
                actor=desk.coordinator,
                now=timezone.now(),
            )
        except AccountsError as error:
            form.add_error(None, str(error))
        else:
            check_list.delay_on_commit(registration_list.pk)
            return redirect("accounts:list-detail", registration_list.code)
    context = {"desk": desk, "form": form, "replaces": replaces}
    return render(request, "accounts/lists/upload.html", context)


def find_replaced(request: HttpRequest, desk: Desk) -> RegistrationList | None:
    """The list that is to be corrected, if the address names one."""
    code = request.GET.get("replaces", "")
    return get_list(desk, code) if code else None


def get_list(desk: Desk, code: str) -> RegistrationList:
    """The only way of these views to a list; of other units, and of none, it is 404."""
    try:
        return get_list_for(desk.coordinator, code)
    except RegistrationList.DoesNotExist:
        raise Http404 from None


@never_cache
@require_safe
@at_desk
def detail(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """State, counts, rows; asked by htmx while a worker is at it, only the state."""
    row = get_list(desk, code)
    is_partial = request.headers.get("HX-Request") == "true"
    if is_partial and row.is_at_work:
        return render(request, "accounts/lists/_progress.html", {"list": row})
    if is_partial:
        # Done: the whole page has something new to show.
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    context = describe_list(request, desk, row)
    return render(request, "accounts/lists/detail.html", context)


def describe_list(
    request: HttpRequest, desk: Desk, row: RegistrationList
) -> dict[str, Any]:
    """What the page of a list shows."""
    only_invalid = request.GET.get("show") == "problems"
    pages = Paginator(list_rows(row, only_invalid=only_invalid), ROWS_PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    successor = find_successor(row)
    is_own = row.uploaded_by_id == desk.coordinator.pk
    return {
        "desk": desk,
        "list": row,
        "steps": describe_steps(row.state),
        "only_invalid": only_invalid,
        "page_obj": page,
        "rows": [show_row(each) for each in page],
        "history": list_history(row),
        "successor": successor,
        "missing_count": count_missing(row),
        "is_letter": row.channel == RegistrationList.Channel.MAIL,
        "may_correct": row.may_be_corrected and successor is None,
        "answer": row.answer_column if is_own else "",
        "is_answer_there": find_answer(row, row.answer_column, now=timezone.now())
        is not None,
        "first_login_days": settings.FIRST_LOGIN_DAYS,
        "first_password": describe_first_password(settings.FIRST_PASSWORD_RULE),
    }


@never_cache
@require_http_methods(["GET", "POST"])
@at_desk
def submit(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Show once more what will be registered, then hand the list over to staff."""
    row = get_list(desk, code)
    if row.state != State.CHECKED or not row.valid_count:
        return redirect("accounts:list-detail", row.code)
    form = SubmitForm(get_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            submitted = submit_list(
                list_id=row.pk,
                leaves_out_invalid=form.cleaned_data["leaves_out_invalid"],
                actor=desk.coordinator,
                now=timezone.now(),
            )
        except AccountsError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                f"名单已提交，工作人员将于{submitted.due_date:%Y年%m月%d日}前办理。",
            )
            return redirect("accounts:list-detail", row.code)
    context = {
        "desk": desk,
        "list": row,
        "form": form,
        "new_count": row.valid_count - row.known_count,
        "missing_count": count_missing(row),
    }
    waiting = list_rows(row).filter(outcome=ListRow.Outcome.WAITING)
    context["examples"] = [show_row(each) for each in waiting[:5]]
    return render(request, "accounts/lists/submit.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@at_desk
def withdraw(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Ask once, then take the list back."""
    row = get_list(desk, code)
    if request.method == "POST":
        try:
            withdraw_list(list_id=row.pk, actor=desk.coordinator, now=timezone.now())
            messages.success(request, "名单已撤回。")
        except AccountsError as error:
            messages.error(request, str(error))
        return redirect("accounts:list-detail", row.code)
    if not row.may_be_withdrawn:
        return redirect("accounts:list-detail", row.code)
    return render(request, "accounts/lists/withdraw.html", {"desk": desk, "list": row})


@never_cache
@require_safe
@at_desk
def errors(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """The error file, for whoever handed the list in."""
    return answer_file(desk, get_list(desk, code), "error_file")


@never_cache
@require_safe
@at_desk
def results(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """The result sheet, for whoever handed the list in."""
    return answer_file(desk, get_list(desk, code), "result_file")


def answer_file(desk: Desk, row: RegistrationList, column: str) -> HttpResponse:
    file = find_answer(row, column, now=timezone.now())
    if file is None or row.uploaded_by_id != desk.coordinator.pk:
        raise Http404
    return attachment(
        read_private_file(file), name=file.name, content_type=file.content_type
    )


@require_POST
@at_desk
def renew(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Make a file again whose 24 hours are over."""
    row = get_list(desk, code)
    try:
        renew_answer(list_id=row.pk, actor=desk.coordinator, now=timezone.now())
        messages.success(request, "文件已重新生成，24小时内可下载。")
    except AccountsError as error:
        messages.error(request, str(error))
    return redirect("accounts:list-detail", row.code)
