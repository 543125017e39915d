"""Registration lists for staff: the queue with its due dates, the decision, letters."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, QuerySet, When
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache

from accounts.admin.base import ReadOnlyAdmin, get_actor
from accounts.errors import AccountsError
from accounts.forms.lists import ApproveForm, LetterForm, ReturnForm, SubmitForm
from accounts.models import RegistrationList
from accounts.queries.lists import (
    find_answer,
    find_successor,
    list_rows,
    show_row,
)
from accounts.rules.lists import SUSPICIOUS_CONFLICTS
from accounts.services.files import read_private_file
from accounts.services.lists import (
    Upload,
    approve_list,
    renew_answer,
    return_list,
    submit_list,
    upload_list,
    withdraw_list,
)
from accounts.tasks import check_list, create_list_accounts, deliver_messages
from portal.lib.file_responses import attachment

State = RegistrationList.State
ROWS_PER_PAGE = 50
NAME = "accounts_registrationlist"
FILES = {"errors": "error_file", "results": "result_file"}


@admin.register(RegistrationList)
class RegistrationListAdmin(ReadOnlyAdmin):
    list_display = (
        *("code", "unit", "state", "due", "people", "conflicts"),
        *("submitted_on", "uploaded_by", "channel"),
    )
    list_filter = ("state", "channel")
    list_select_related = ("unit", "uploaded_by", "decided_by")
    search_fields = ("=code", "unit__name")
    search_help_text = "名单编号或单位名称"
    # What is due first stands first; then everything else, the newest in front.
    ordering = (
        Case(When(state=State.SUBMITTED, then="due_date")).asc(nulls_last=True),
        "-uploaded_at",
    )
    change_list_template = "admin/accounts/registrationlist/change_list.html"
    change_form_template = "admin/accounts/registrationlist/change_form.html"
    fields = (
        ("code", "state", "channel"),
        ("unit", "form", "head_text"),
        ("counts", "conflicts", "hidden_count"),
        ("uploaded_by", "uploaded_at", "received_at"),
        ("submitted_by", "submitted_at", "due"),
        ("decided_by", "decided_at", "reason"),
        ("leaves_out_invalid", "reply_address", "ended_at"),
    )

    # --- Columns -------------------------------------------------------------------------

    @admin.display(description="人数", ordering="row_count")
    def people(self, row: RegistrationList) -> str:
        return f"{row.valid_count} / {row.row_count}"

    @admin.display(description="人数")
    def counts(self, row: RegistrationList) -> str:
        text = (
            f"共{row.row_count}行：正确{row.valid_count}（其中已有账号{row.known_count}），"
            f"有问题{row.invalid_count}"
        )
        if row.handled_count:
            text += (
                f"；已开户{row.new_count}，已关联{row.linked_count}，"
                f"未成功{row.failed_count}"
            )
        return text

    @admin.display(description="与已有账号不一致", ordering="conflict_count")
    def conflicts(self, row: RegistrationList) -> SafeString | int:
        if row.conflict_count > SUSPICIOUS_CONFLICTS:
            return format_html('<b class="is-overdue">{}</b>', row.conflict_count)
        return row.conflict_count

    @admin.display(description="办理时限", ordering="due_date", empty_value="—")
    def due(self, row: RegistrationList) -> SafeString | str | None:
        if row.due_date is None:
            return None
        text = f"{row.due_date:%Y-%m-%d}"
        if not row.due_is_certain:
            text += "（日历未配置）"
        if row.is_overdue(today=timezone.localdate()):
            return format_html('<b class="is-overdue">{} 已超期</b>', text)
        return text

    @admin.display(description="提交时间", ordering="submitted_at", empty_value="—")
    def submitted_on(self, row: RegistrationList) -> str | None:
        if row.submitted_at is None:
            return None
        return f"{timezone.localtime(row.submitted_at):%m-%d %H:%M}"

    @admin.display(description="表头信息")
    def head_text(self, row: RegistrationList) -> str:
        head = row.head
        shown = ("district", "unit_name", "contact", "phone", "order_number")
        return "；".join(head[key] for key in shown if head.get(key))

    @admin.display(description="回复邮箱")
    def reply_address(self, row: RegistrationList) -> str:
        return row.reply_mail

    # --- What may be done ----------------------------------------------------------------

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return get_actor(request).has_perm("accounts.decide_registrationlist")

    def has_upload_permission(self, request: HttpRequest) -> bool:
        return get_actor(request).has_perm("accounts.add_registrationlist")

    def get_urls(self) -> list[URLPattern]:
        own = (
            ("upload/", self.upload_view, "upload"),
            ("<int:pk>/submit/", self.submit_view, "submit"),
            ("<int:pk>/withdraw/", self.withdraw_view, "withdraw"),
            ("<int:pk>/approve/", self.approve_view, "approve"),
            ("<int:pk>/return/", self.return_view, "return"),
            ("<int:pk>/renew/", self.renew_view, "renew"),
            ("<int:pk>/files/<slug:kind>/", self.file_view, "file"),
        )
        return [
            path(
                route,
                self.admin_site.admin_view(never_cache(view)),
                name=f"{NAME}_{name}",
            )
            for route, view, name in own
        ] + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[RegistrationList]:
        return super().get_queryset(request).select_related("unit__region")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        extra = {"may_upload": self.has_upload_permission(request)}
        return super().changelist_view(request, extra | (extra_context or {}))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = RegistrationList.objects.filter(pk=object_id).first()
        if row is None or not self.has_view_permission(request, row):
            return super().change_view(request, object_id, form_url, extra_context)
        if request.headers.get("HX-Request") == "true":
            return self.answer_progress(request, row)
        extra = self.describe(request, row) | (extra_context or {})
        return super().change_view(request, object_id, form_url, extra)

    def answer_progress(
        self, request: HttpRequest, row: RegistrationList
    ) -> HttpResponse:
        """The bar while a worker is at it; then the page shall be loaded anew."""
        if row.is_at_work:
            return TemplateResponse(
                request, "admin/accounts/registrationlist/_progress.html", {"list": row}
            )
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response

    def describe(self, request: HttpRequest, row: RegistrationList) -> dict[str, Any]:
        actor = get_actor(request)
        only_invalid = request.GET.get("show") == "problems"
        pages = Paginator(list_rows(row, only_invalid=only_invalid), ROWS_PER_PAGE)
        page = pages.get_page(request.GET.get("page"))
        is_own = actor.pk in (row.uploaded_by_id, row.submitted_by_id)
        is_letter = row.channel == RegistrationList.Channel.MAIL
        may_upload = is_letter and self.has_upload_permission(request)
        answer = row.answer_column if row.uploaded_by_id == actor.pk else ""
        is_there = (
            bool(answer) and find_answer(row, answer, now=timezone.now()) is not None
        )
        return {
            "list": row,
            "rows": [show_row(each, to_staff=True) for each in page],
            "page_obj": page,
            "only_invalid": only_invalid,
            "is_own": is_own and row.state == State.SUBMITTED,
            "may_decide": row.state == State.SUBMITTED
            and not is_own
            and self.has_decide_permission(request),
            "may_submit": may_upload
            and row.state == State.CHECKED
            and row.valid_count > 0,
            "may_correct": may_upload
            and row.may_be_corrected
            and find_successor(row) is None,
            "may_withdraw": may_upload and row.may_be_withdrawn,
            "may_renew": bool(answer) and not is_there,
            "files": [
                kind for kind, column in FILES.items() if column == answer and is_there
            ],
        }

    # --- Pages of its own ----------------------------------------------------------------

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Take a list that came by mail."""
        if not self.has_upload_permission(request):
            raise PermissionDenied
        code = request.GET.get("replaces", "")
        replaced = get_object_or_404(RegistrationList, code=code) if code else None
        form = LetterForm(
            request.POST or None,
            request.FILES or None,
            initial=(
                {"unit": replaced.unit_id, "reply_mail": replaced.reply_mail}
                if replaced
                else None
            ),
        )
        unit = RegistrationList._meta.get_field("unit")
        choice: Any = form.fields["unit"]
        choice.widget = AutocompleteSelect(
            unit, self.admin_site, choices=choice.choices
        )
        if request.method == "POST" and form.is_valid():
            try:
                row = upload_list(
                    upload=self.read_letter(form, replaced),
                    actor=get_actor(request),
                    now=timezone.now(),
                )
            except AccountsError as error:
                form.add_error(None, str(error))
            else:
                check_list.delay_on_commit(row.pk)
                return redirect(f"admin:{NAME}_change", row.pk)
        title = "上传更正后的名单" if replaced else "上传来信名单"
        return self.show(request, "upload.html", title, replaced, form)

    def read_letter(self, form: Form, replaced: RegistrationList | None) -> Upload:
        data = form.cleaned_data
        return Upload(
            unit=data["unit"],
            content=data["file"].read(),
            channel=RegistrationList.Channel.MAIL,
            reply_mail=data["reply_mail"],
            received_at=data["received_at"],
            replaces=replaced,
        )

    def submit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_upload_permission(request):
            raise PermissionDenied
        row = get_object_or_404(RegistrationList, pk=pk)
        form = SubmitForm(request.POST or None)
        if form.is_valid() and self.act(
            request,
            lambda: submit_list(
                list_id=pk,
                leaves_out_invalid=form.cleaned_data["leaves_out_invalid"],
                actor=get_actor(request),
                now=timezone.now(),
            ),
            "名单已提交，须由另一名工作人员审核。",
        ):
            return redirect(f"admin:{NAME}_change", pk)
        return self.show(request, "submit.html", "提交名单", row, form)

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a letter's list back, uploaded for the wrong unit perhaps."""
        if not self.has_upload_permission(request):
            raise PermissionDenied
        row = get_object_or_404(RegistrationList, pk=pk)
        if request.method == "POST" and self.act(
            request,
            lambda: withdraw_list(
                list_id=pk, actor=get_actor(request), now=timezone.now()
            ),
            "名单已撤回。",
        ):
            return redirect(f"admin:{NAME}_change", pk)
        return self.show(request, "withdraw.html", "撤回名单", row, Form())

    def renew_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make the file of a letter again whose 24 hours are over."""
        row = get_object_or_404(RegistrationList, pk=pk, uploaded_by=get_actor(request))
        if request.method == "POST" and self.act(
            request,
            lambda: renew_answer(
                list_id=pk, actor=get_actor(request), now=timezone.now()
            ),
            "文件已重新生成，24小时内可下载。",
        ):
            return redirect(f"admin:{NAME}_change", pk)
        return self.show(request, "renew.html", "重新生成文件", row, Form())

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask once, then let the accounts be created."""
        row = self.get_for_decision(request, pk)
        form = ApproveForm(request.POST or None)
        if form.is_valid() and self.act(
            request,
            lambda: approve_list(
                list_id=pk, actor=get_actor(request), now=timezone.now()
            ),
            "名单已通过审核，正在开户。",
        ):
            create_list_accounts.delay_on_commit(pk)
            return redirect(f"admin:{NAME}_change", pk)
        return self.show(request, "approve.html", "通过名单", row, form)

    def return_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reason, then send the list back."""
        row = self.get_for_decision(request, pk)
        form = ReturnForm(request.POST or None)
        if form.is_valid() and self.act(
            request,
            lambda: return_list(
                list_id=pk,
                reason=form.cleaned_data["reason"],
                actor=get_actor(request),
                now=timezone.now(),
            ),
            "名单已退回，并已通知经办人。",
        ):
            deliver_messages.delay_on_commit()
            return redirect(f"admin:{NAME}_change", pk)
        return self.show(request, "return.html", "退回名单", row, form)

    def file_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """The files of a letter, for the colleague who uploaded it."""
        row = get_object_or_404(RegistrationList, pk=pk, uploaded_by=get_actor(request))
        file = find_answer(row, FILES.get(kind, ""), now=timezone.now())
        if file is None:
            raise Http404
        return attachment(
            read_private_file(file), name=file.name, content_type=file.content_type
        )

    def get_for_decision(self, request: HttpRequest, pk: int) -> RegistrationList:
        if not self.has_decide_permission(request):
            raise PermissionDenied
        return get_object_or_404(RegistrationList.objects.select_related("unit"), pk=pk)

    def act(
        self, request: HttpRequest, action: Callable[[], object], success: str
    ) -> bool:
        """Do it and say so, or say why not."""
        try:
            action()
        except AccountsError as error:
            messages.error(request, str(error))
            return False
        messages.success(request, success)
        return True

    def show(
        self,
        request: HttpRequest,
        template: str,
        title: str,
        row: RegistrationList | None,
        form: Form,
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.model._meta,
            "list": row,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(
            request, f"admin/accounts/registrationlist/{template}", context
        )
