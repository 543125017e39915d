"""团体购买 (entry one) and 团体报名 (entry two): from the numbers to the order."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_safe,
)

from accounts.models import PrivateFile, Unit
from accounts.services.files import read_private_file
from catalog.errors import PlanNotFoundError
from catalog.models import Plan
from catalog.queries import get_plan, read_price_fen
from orders import tasks
from orders.documents import write_group_template
from orders.errors import (
    GroupCheckNotFoundError,
    GroupTakenError,
    OrderError,
    PlanNotOnSaleError,
    PriceChangedError,
)
from orders.forms import CheckoutForm
from orders.forms.groups import GroupForm
from orders.models import GroupCheck, GroupRow, InvoiceRequest, Order
from orders.queries.groups import (
    count_standings,
    get_check_for,
    list_group_orders_for,
    list_open_checks_for,
    list_rows,
    list_typed,
    show_row,
)
from orders.rules.group_input import describe_tidied
from orders.rules.groups import describe_steps
from orders.services import groups
from orders.services.groups.submitting import find_units, refuse_closed_plan
from orders.views.buyers import user_of
from orders.views.ways import list_ways
from portal.lib.file_responses import attachment
from portal.lib.spreadsheet import XLSX

ROWS_PER_PAGE = 50
ORDERS_PER_PAGE = 10
# More to correct than this is easier done in the error file than in a text field.
MOST_TO_EDIT = 1000
State = GroupCheck.State


@login_required
@never_cache
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """团购订单: the orders with how far their people are, and lists not ordered yet."""
    user, now = user_of(request), timezone.now()
    page = Paginator(list_group_orders_for(user), ORDERS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    standings = count_standings([order.pk for order in page])
    context = {
        "page_obj": page,
        "rows": [(order, standings.get(order.pk)) for order in page],
        "checks": list_open_checks_for(user, now=now),
        "now": now,
    }
    return render(request, "orders/groups/index.html", context)


@login_required
@require_safe
def template(request: HttpRequest) -> HttpResponse:
    return attachment(
        write_group_template(), name="团购名单模板.xlsx", content_type=XLSX
    )


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, plan: str) -> HttpResponse:
    """Paste or upload whom the plan is for."""
    try:
        row = get_plan(plan, day=timezone.localdate())
    except PlanNotFoundError as error:
        raise Http404(error.message) from error
    return _hand_in(request, row, None)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, code: str) -> HttpResponse:
    """Correct what could not be bought, or give another list in place of this one."""
    check = _get_check(request, code)
    if check.state not in (State.CHECKED, State.REFUSED) or not check.is_kept(
        now=timezone.now()
    ):
        return redirect("orders:group-check", check.code)
    return _hand_in(request, check.plan, check)


def _hand_in(
    request: HttpRequest, plan: Plan, replaces: GroupCheck | None
) -> HttpResponse:
    user, now = user_of(request), timezone.now()
    context: dict[str, Any] = {
        "plan": plan,
        "price_fen": read_price_fen(plan, day=timezone.localdate(now)),
        "replaces": replaces,
        # A list being corrected is on its way already.
        "ways": [] if replaces else list_ways(plan, Order.Kind.GROUP),
        "steps": describe_steps(""),
    }
    try:
        units = find_units(user)
        refuse_closed_plan(plan, now=now)
    except OrderError as error:
        is_closed = isinstance(error, PlanNotOnSaleError)
        context |= {"obstacle": str(error), "leads_to_profile": not is_closed}
        return render(request, "orders/groups/start.html", context)
    form = _make_form(request, units, replaces)
    if request.method == "POST" and form.is_valid():
        submission = groups.Submission(
            plan=plan,
            unit=form.cleaned_data["unit"],
            content=form.read_content(),
            is_sheet=form.is_sheet,
            replaces=replaces,
            keeps_free=form.cleaned_data.get("keeps_free", False),
        )
        try:
            check = groups.submit_people(submission=submission, actor=user, now=now)
        except OrderError as error:
            form.add_error(None, str(error))
        else:
            tasks.check_group.delay_on_commit(check.pk)
            return redirect("orders:group-check", check.code)
    context |= {"form": form, "units": units}
    return render(request, "orders/groups/start.html", context)


def _make_form(
    request: HttpRequest, units: list[Unit], replaces: GroupCheck | None
) -> GroupForm:
    initial: dict[str, Any] = {"unit": units[0].code}
    if replaces is not None:
        # Another unit would be another buyer: a correction stays with its own.
        units = [unit for unit in units if unit == replaces.unit] or units
        initial = {"unit": replaces.unit.code, "keeps_free": replaces.free_count > 0}
        if 0 < replaces.bad_count <= MOST_TO_EDIT:
            initial["numbers"] = "\n".join(list_typed(replaces))
    is_posted = request.method == "POST"
    return GroupForm(
        request.POST if is_posted else None,
        request.FILES if is_posted else None,
        units=units,
        is_correction=replaces is not None and replaces.free_count > 0,
        initial=initial,
    )


def _get_check(request: HttpRequest, code: str) -> GroupCheck:
    """The only way of these views to a check; somebody else's, and none, is 404."""
    try:
        return get_check_for(user_of(request), code)
    except GroupCheckNotFoundError as error:
        raise Http404(str(error)) from error


@login_required
@never_cache
@require_safe
def detail(request: HttpRequest, code: str) -> HttpResponse:
    """Progress, counts, rows; asked by htmx while a worker is at it, only the progress."""
    check = _get_check(request, code)
    is_partial = request.headers.get("HX-Request") == "true"
    if is_partial and check.is_at_work:
        return render(request, "orders/groups/_progress.html", {"check": check})
    if is_partial:
        # Done: the whole page has something new to show.
        return HttpResponse(headers={"HX-Refresh": "true"})
    if check.order is not None:
        return redirect("orders:detail", check.order.number)
    return render(
        request, "orders/groups/check.html", _describe(request, check, timezone.now())
    )


def _describe(request: HttpRequest, check: GroupCheck, now: datetime) -> dict[str, Any]:
    """What the page of a check shows."""
    only_bad = request.GET.get("show") == "problems"
    is_kept = check.is_kept(now=now)
    rows = list_rows(check, only_bad=only_bad) if is_kept else check.rows.none()
    page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    price_fen = read_price_fen(check.plan, day=timezone.localdate(now))
    return {
        "check": check,
        "plan": check.plan,
        "steps": describe_steps(check.state),
        "tidied": describe_tidied(check.tidied),
        "only_bad": only_bad,
        "is_kept": is_kept,
        "page_obj": page,
        "rows": [show_row(row) for row in page],
        "price_fen": price_fen,
        "total_fen": price_fen * check.free_count,
        "taken_count": check.rows.filter(outcome=GroupRow.Outcome.TAKEN).count(),
        "may_fetch_errors": is_kept and _is_there(check.error_file, now=now),
    }


def _is_there(file: PrivateFile | None, *, now: datetime) -> bool:
    return file is not None and (file.expires_at is None or file.expires_at > now)


@login_required
@never_cache
@require_safe
def errors(request: HttpRequest, code: str) -> HttpResponse:
    """下载错误文件: for who handed the list in, for a day."""
    check, now = _get_check(request, code), timezone.now()
    file = check.error_file
    if file is None or not check.is_kept(now=now) or not _is_there(file, now=now):
        raise Http404
    return attachment(
        read_private_file(file), name=file.name, content_type=file.content_type
    )


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest, code: str) -> HttpResponse:
    """Show what will be ordered, then order it for everybody who is free."""
    check, now = _get_check(request, code), timezone.now()
    is_open = check.state == State.CHECKED and check.is_kept(now=now)
    if not is_open or not check.free_count:
        return redirect("orders:group-check", check.code)
    form = CheckoutForm(
        request.POST if request.method == "POST" else None,
        asks_invoice=check.plan.entry == Plan.Entry.ONE,
        initial={
            "buyer_kind": InvoiceRequest.Buyer.ENTERPRISE,
            "title": check.unit.name,
            "credit_code": check.unit.credit_code or "",
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            order = groups.place_group_order(
                check_id=check.pk,
                invoice=form.get_invoice(),
                shown_fen=form.get_shown_fen(),
                actor=user_of(request),
                now=now,
            )
        except GroupTakenError as error:
            messages.warning(request, str(error))
            page = "orders:group-checkout" if error.left else "orders:group-check"
            return redirect(page, check.code)
        except PriceChangedError as error:
            form.add_price_change(str(error))
        except OrderError as error:
            form.add_error(None, str(error))
        else:
            return redirect("orders:detail", order.number)
    context = _describe(request, check, now) | {
        "form": form,
        "minutes": settings.ORDER_LIFETIME_MINUTES,
    }
    return render(request, "orders/groups/checkout.html", context)
