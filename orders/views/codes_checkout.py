"""From a plan to an order for activation codes."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import Unit
from accounts.views.unit_desk import open_desk
from catalog.errors import PlanNotFoundError
from catalog.models import Plan
from catalog.queries import get_plan
from orders.errors import (
    CodesBeingBoughtError,
    CodesNotSoldError,
    OrderError,
    PriceChangedError,
)
from orders.forms import CodesCheckoutForm
from orders.models import Order
from orders.services.codes import check_codes_purchase, place_codes_order
from orders.views.buyers import user_of
from orders.views.checkout import Obstacle
from orders.views.ways import list_ways


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def codes_checkout(request: HttpRequest, plan: str) -> HttpResponse:
    try:
        row = get_plan(plan, day=timezone.localdate())
    except PlanNotFoundError as error:
        raise Http404(error.message) from error
    user, now, unit = user_of(request), timezone.now(), _find_unit(request)
    form = CodesCheckoutForm(
        request.POST if request.method == "POST" else None,
        asks_invoice=row.entry == Plan.Entry.ONE,
        most=settings.CODES_PER_ORDER,
        initial={"title": unit.name if unit else user.name},
    )
    obstacle = None
    try:
        if request.method == "POST" and form.is_valid():
            order = place_codes_order(
                buyer=user,
                plan=row,
                quantity=form.cleaned_data["quantity"],
                unit=unit,
                invoice=form.get_invoice(),
                shown_fen=form.get_shown_fen(),
                now=now,
            )
            return redirect("orders:detail", order.number)
        check_codes_purchase(buyer=user, plan=row, now=now)
    except PriceChangedError as error:
        form.add_price_change(str(error))
    except (CodesBeingBoughtError, CodesNotSoldError) as error:
        obstacle = _describe_obstacle(error)
    context = {
        "plan": row,
        "form": form,
        "obstacle": obstacle,
        "unit": unit,
        "ways": list_ways(row, Order.Kind.CODES),
        "minutes": settings.ORDER_LIFETIME_MINUTES,
    }
    return render(request, "orders/codes/checkout.html", context)


def _find_unit(request: HttpRequest) -> Unit | None:
    """The unit that the buyer acts for at the moment."""
    return open_desk(request).unit if user_of(request).is_coordinator else None


def _describe_obstacle(error: OrderError) -> Obstacle:
    if isinstance(error, CodesBeingBoughtError):
        url = reverse("orders:detail", args=[error.order_number])
        return Obstacle(str(error), url, "查看订单")
    return Obstacle(str(error))
