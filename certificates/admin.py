"""Certificates for staff: everything is shown, nothing is edited; revoking needs a reason."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.base import ReadOnlyMixin
from accounts.models import User
from catalog.models import Subject
from certificates import services, tasks
from certificates.errors import CertificateError
from certificates.forms import RevocationForm
from certificates.models import Certificate, CertificateIssue, NumberSeries


def paper_link(issue: CertificateIssue) -> SafeString | str:
    if issue.state != CertificateIssue.State.READY:
        return "—"
    url = reverse("admin:certificates_certificateissue_file", args=[issue.pk])
    return format_html('<a href="{}" target="_blank" rel="noopener">打开 PDF</a>', url)


class CertificateIssueInline(ReadOnlyMixin, admin.TabularInline):
    model = CertificateIssue
    fields = [
        "version",
        "state",
        "failure",
        "unit_name",
        "issued_at",
        "rendered_at",
        "paper",
    ]
    readonly_fields = ["unit_name", "paper"]
    show_change_link = True
    extra = 0

    @admin.display(description="工作单位")
    def unit_name(self, issue: CertificateIssue) -> str:
        return str(issue.printed["unit_name"])

    @admin.display(description="文件")
    def paper(self, issue: CertificateIssue) -> SafeString | str:
        return paper_link(issue)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CertificateIssue]:
        return super().get_queryset(request).order_by("-version")


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ["number", "person_name", "plan", "state", "issued_at"]
    list_filter = ["state", "enrolment__plan__year", "enrolment__plan__subject"]
    list_select_related = ["person", "enrolment__plan"]
    search_fields = ["number__startswith", "person__name"]
    search_help_text = "证书编号或姓名"
    ordering = ["-issued_at", "-pk"]
    show_full_result_count = False
    fields = [
        "number",
        "person",
        "plan",
        "state",
        "issued_at",
        "revoked_at",
        "revoked_by",
        "revocation_reason",
        "verification",
    ]
    readonly_fields = ["plan", "verification"]
    inlines = [CertificateIssueInline]
    change_form_template = "admin/certificates/certificate/change_form.html"

    @admin.display(description="姓名", ordering="person__name")
    def person_name(self, certificate: Certificate) -> str:
        return certificate.person.name

    @admin.display(description="培训计划")
    def plan(self, certificate: Certificate) -> str:
        return certificate.enrolment.plan.title

    @admin.display(description="查验页面")
    def verification(self, certificate: Certificate) -> SafeString:
        newest = certificate.issues.order_by("-version")[0]
        url = reverse("certificates:verify", args=[newest.token])
        return format_html('<a href="{}" target="_blank" rel="noopener">打开</a>', url)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revoke)
        own = path("<int:pk>/revoke/", view, name="certificates_certificate_revoke")
        return [own, *super().get_urls()]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("certificates.revoke_certificate")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        extra = {
            **(extra_context or {}),
            "may_revoke": self.has_revoke_permission(request),
        }
        return super().change_view(request, object_id, form_url, extra)

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reason and revoke."""
        if not self.has_revoke_permission(request):
            raise PermissionDenied
        certificate = get_object_or_404(Certificate, pk=pk)
        form = RevocationForm(request.POST or None)
        if form.is_valid():
            services.revoke_certificate(
                certificate=certificate,
                actor=cast(User, request.user),
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
            messages.success(request, f"证书 {certificate.number} 已撤销。")
            return redirect("admin:certificates_certificate_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "撤销证书",
            "opts": self.model._meta,
            "certificate": certificate,
            "form": form,
        }
        return TemplateResponse(
            request, "admin/certificates/certificate/revoke.html", context
        )


@admin.register(CertificateIssue)
class CertificateIssueAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ["certificate", "version", "name", "state", "failure", "issued_at"]
    list_filter = ["state", "template_version"]
    list_select_related = ["certificate"]
    search_fields = ["certificate__number__startswith", "certificate__person__name"]
    search_help_text = "证书编号或姓名"
    ordering = ["-issued_at", "-pk"]
    show_full_result_count = False
    fields = [
        "certificate",
        "version",
        "state",
        "failure",
        "printed_values",
        "template_version",
        "issued_at",
        "rendered_at",
        "paper",
        "sha256",
        "size",
    ]
    readonly_fields = ["printed_values", "paper"]
    actions = ["retry"]

    @admin.display(description="姓名")
    def name(self, issue: CertificateIssue) -> str:
        return str(issue.printed["name"])

    @admin.display(description="打印内容")
    def printed_values(self, issue: CertificateIssue) -> str:
        shown = ("name", "id_number", "region", "unit_name", "series", "level")
        return "；".join(str(issue.printed[key]) for key in shown)

    @admin.display(description="文件")
    def paper(self, issue: CertificateIssue) -> SafeString | str:
        return paper_link(issue)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file)
        own = path("<int:pk>/file/", view, name="certificates_certificateissue_file")
        return [own, *super().get_urls()]

    def file(self, request: HttpRequest, pk: int) -> FileResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        issue = get_object_or_404(CertificateIssue, pk=pk)
        if issue.state != CertificateIssue.State.READY:
            raise Http404("no file")
        response = FileResponse(issue.file.open("rb"), content_type="application/pdf")
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("certificates.retry_certificateissue")

    @admin.action(description="重新制作（仅限需人工处理的版本）", permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[CertificateIssue]) -> None:
        done = 0
        for issue in chosen.order_by("pk"):
            try:
                retried = services.retry_issue(
                    issue=issue, actor=cast(User, request.user), now=timezone.now()
                )
            except CertificateError as error:
                messages.error(request, str(error))
                continue
            if retried:
                tasks.render_issue.delay_on_commit(issue.pk)
                done += 1
        messages.info(request, f"{done} 个版本将重新制作；已签章的版本不会改变。")


@admin.register(NumberSeries)
class NumberSeriesAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ["year", "subject_name", "last_number"]
    fields = ["year", "subject_name", "last_number"]
    readonly_fields = ["subject_name"]
    ordering = ["-year", "subject"]

    @admin.display(description="科目", ordering="subject")
    def subject_name(self, series: NumberSeries) -> str:
        return str(Subject(series.subject).label)
