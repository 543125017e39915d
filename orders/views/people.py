"""The people of a group order: a part of its page, and a sheet of all of them."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from learning.models import Enrolment
from orders.documents import write_group_people
from orders.models import Order, OrderLine
from orders.queries.groups import (
    COMPLETED,
    STUDYING,
    Standing,
    count_standings,
    list_people,
)
from orders.views.buyers import order_or_404
from portal.lib.file_responses import attachment
from portal.lib.masks import mask_name
from portal.lib.spreadsheet import XLSX

PEOPLE_PER_PAGE = 50
# One query reads so many rows; more at a time cost memory and save nothing.
ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class ShownPerson:
    """A person of a group order: `state` is empty while nothing is opened."""

    name: str
    number: str
    state: str
    state_label: str
    percent: int


def show_person(order: Order, line: OrderLine) -> ShownPerson:
    """The name only once the order is paid: an unpaid order would tell whose a number is."""
    is_paid = order.paid_at is not None
    person = line.person
    state: str = line.enrolment_state or ""  # type: ignore[attr-defined]
    percent: int = line.percent or 0  # type: ignore[attr-defined]
    return ShownPerson(
        name=mask_name(person.name) if is_paid and person else "",
        number=person.masked_id_number if person else "",
        state=state,
        state_label=_name_state(order, line, state),
        percent=percent if state else 0,
    )


def _name_state(order: Order, line: OrderLine, state: str) -> str:
    if state:
        return str(Enrolment.State(state).label)
    if line.refunded_at is not None:
        return "已退款"
    return order.get_state_display() if order.paid_at is None else "未开通"


def describe_people(request: HttpRequest, order: Order) -> dict[str, Any]:
    """What the page of a group order shows of its people."""
    standing = request.GET.get("standing", "")
    if standing not in (STUDYING, COMPLETED) or order.paid_at is None:
        standing = ""
    pages = Paginator(list_people(order, standing=standing), PEOPLE_PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    return {
        "standing": standing,
        "standings": count_standings([order.pk]).get(order.pk, Standing()),
        "page_obj": page,
        "people": [show_person(order, line) for line in page],
    }


@login_required
@never_cache
@require_safe
def sheet(request: HttpRequest, number: str) -> HttpResponse:
    """Everybody of a paid group order with their states, numbers and names masked."""
    order = order_or_404(request, number)
    if order.kind != Order.Kind.GROUP or order.paid_at is None:
        raise Http404
    lines = list_people(order).iterator(chunk_size=ROWS_AT_ONCE)
    shown = (show_person(order, line) for line in lines)
    rows = (
        (place, each.name, each.number, each.state_label, each.percent)
        for place, each in enumerate(shown, start=1)
    )
    return attachment(
        write_group_people(rows),
        name=f"团购人员-{order.number}.xlsx",
        content_type=XLSX,
    )
