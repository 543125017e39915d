from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from invoices import queries, services, tasks
from invoices.errors import InvoiceError, InvoiceNotFoundError
from invoices.forms import InvoiceRequestForm
from invoices.models import Invoice
from orders.models import Order

PER_PAGE = 10


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


@require_safe
@never_cache
@login_required
def invoice_list(request: HttpRequest) -> HttpResponse:
    orders = queries.list_paid_orders_for(_person(request))
    page = Paginator(orders, PER_PAGE).get_page(request.GET.get("page"))
    rows = queries.describe_orders(list(page), today=timezone.localdate())
    context = {"rows": rows, "page_obj": page}
    return render(request, "invoices/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def invoice_request(request: HttpRequest, order: str) -> HttpResponse:
    now = timezone.now()
    found = _get_order(request, order)
    (row,) = queries.describe_orders([found], today=timezone.localdate(now))
    if row.invoice is not None and not row.may_request:
        return redirect("invoices:detail", row.invoice.request_number)
    form = InvoiceRequestForm(request.POST or None, initial=_suggest(row, request))
    if form.is_valid():
        try:
            invoice = services.request_invoice(
                order=found, details=form.get_details(), actor=_person(request), now=now
            )
        except InvoiceError as error:
            messages.error(request, str(error))
            return redirect("invoices:list")
        tasks.issue_requested_invoices.delay_on_commit()
        return redirect("invoices:detail", invoice.request_number)
    context = {"form": form, "row": row}
    return render(request, "invoices/request.html", context)


def _get_order(request: HttpRequest, number: str) -> Order:
    try:
        return queries.get_paid_order_for(_person(request), number)
    except InvoiceNotFoundError as error:
        raise Http404(str(error)) from error


def _suggest(row: queries.OrderRow, request: HttpRequest) -> dict[str, str]:
    """What was asked for before, otherwise the person's own name."""
    if row.invoice is None:
        return {"buyer_kind": "person", "title": _person(request).name}
    return {
        "buyer_kind": row.invoice.buyer_kind,
        "title": row.invoice.title,
        "credit_code": row.invoice.credit_code,
        "email": row.invoice.email,
    }


@require_safe
@never_cache
@login_required
def detail(request: HttpRequest, number: str) -> HttpResponse:
    invoice = _get_invoice(request, number)
    context = {"invoice": invoice, "order": invoice.order}
    if request.headers.get("HX-Request"):
        return render(request, "invoices/_state.html", context)
    return render(request, "invoices/detail.html", context)


@require_safe
@never_cache
@login_required
def file(request: HttpRequest, number: str) -> FileResponse:
    invoice = _get_invoice(request, number)
    return _send(request, invoice, invoice.file, "application/pdf", "pdf")


@require_safe
@never_cache
@login_required
def xml(request: HttpRequest, number: str) -> FileResponse:
    invoice = _get_invoice(request, number)
    return _send(request, invoice, invoice.xml, "application/xml", "xml")


def _get_invoice(request: HttpRequest, number: str) -> Invoice:
    try:
        return queries.get_invoice_for(_person(request), number)
    except InvoiceNotFoundError as error:
        raise Http404(str(error)) from error


def _send(
    request: HttpRequest, invoice: Invoice, stored: FieldFile, kind: str, suffix: str
) -> FileResponse:
    if not stored:
        raise Http404("no file")
    response = FileResponse(
        stored.open("rb"),
        # XML is data for bookkeeping programs, not a page.
        as_attachment="download" in request.GET or suffix == "xml",
        filename=f"电子发票_{invoice.number}.{suffix}",
        content_type=kind,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response
