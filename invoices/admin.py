"""Invoices for staff: everything is shown, nothing is edited; failed ones can be retried."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from invoices import services, tasks
from invoices.models import Invoice
from portal.lib.money import format_yuan


@admin.register(Invoice)
class InvoiceAdmin(admin.ModelAdmin):
    list_display = [
        "request_number",
        "number",
        "title",
        "amount",
        "state",
        "requested_at",
    ]
    list_filter = ["state", "kind", "buyer_kind", "is_sample"]
    list_select_related = ["order"]
    search_fields = [
        "number__startswith",
        "request_number__startswith",
        "order__number__startswith",
        "title",
    ]
    search_help_text = "发票号码、申请编号、订单编号或抬头"
    ordering = ["-requested_at", "-pk"]
    show_full_result_count = False
    fields = [
        "request_number",
        "number",
        "kind",
        "state",
        "failure",
        "tries",
        "due_at",
        "order",
        "corrects",
        "buyer_kind",
        "title",
        "credit_code",
        "email",
        "seller_name",
        "seller_credit_code",
        "item_name",
        "amount",
        "tax",
        "tax_rate_permille",
        "remark",
        "is_sample",
        "requested_at",
        "issued_at",
        "paper",
    ]
    readonly_fields = ["amount", "tax", "paper"]
    actions = ["retry"]

    @admin.display(description="价税合计（元）", ordering="amount_fen")
    def amount(self, invoice: Invoice) -> str:
        return format_yuan(invoice.amount_fen)

    @admin.display(description="税额（元）")
    def tax(self, invoice: Invoice) -> str:
        return format_yuan(invoice.tax_fen)

    @admin.display(description="文件")
    def paper(self, invoice: Invoice) -> SafeString | str:
        if not invoice.file:
            return "—"
        url = reverse("admin:invoices_invoice_file", args=[invoice.pk])
        return format_html(
            '<a href="{}" target="_blank" rel="noopener">打开 PDF</a>', url
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file)
        own = path("<int:pk>/file/", view, name="invoices_invoice_file")
        return [own, *super().get_urls()]

    def file(self, request: HttpRequest, pk: int) -> FileResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        invoice = get_object_or_404(Invoice, pk=pk)
        if not invoice.file:
            raise Http404("no file")
        response = FileResponse(invoice.file.open("rb"), content_type="application/pdf")
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("invoices.retry_invoice")

    @admin.action(description="重新开具（仅限开具失败的发票）", permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Invoice]) -> None:
        actor, now = cast(User, request.user), timezone.now()
        done = sum(
            services.retry_invoice(invoice=invoice, actor=actor, now=now)
            for invoice in chosen.order_by("pk")
        )
        if done:
            tasks.issue_requested_invoices.delay_on_commit()
        messages.info(request, f"{done} 张发票将重新开具；其他发票不会改变。")
