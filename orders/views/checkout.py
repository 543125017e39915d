"""From a plan to an order."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog.errors import PlanNotFoundError
from catalog.models import Plan
from catalog.queries import get_plan
from orders.errors import (
    CodeWaitingError,
    OrderError,
    PlanAlreadyHeldError,
    PlanBeingBoughtError,
    PriceChangedError,
)
from orders.forms import CheckoutForm
from orders.models import Order
from orders.queries.claims import find_unfinished_claim
from orders.services import checkout as checkout_service
from orders.views.buyers import user_of
from orders.views.ways import list_ways


@dataclass(frozen=True)
class Obstacle:
    """Why a plan cannot be bought, and where to go instead."""

    text: str
    url: str = ""
    label: str = ""


def _describe_obstacle(error: OrderError, plan: Plan) -> Obstacle:
    if isinstance(error, PlanAlreadyHeldError):
        url = reverse("learning:course-list", args=[error.plan_code])
        label = "去学习" if plan.entry == Plan.Entry.TWO else "进入学习"
        return Obstacle(str(error), url, label)
    if isinstance(error, PlanBeingBoughtError) and error.order_number:
        url = reverse("orders:detail", args=[error.order_number])
        return Obstacle(str(error), url, "查看订单")
    if isinstance(error, CodeWaitingError):
        return Obstacle(str(error), reverse("orders:codes"), "去激活")
    return Obstacle(str(error))


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest, plan: str) -> HttpResponse:
    user, now = user_of(request), timezone.now()
    try:
        row = get_plan(plan, day=timezone.localdate(now))
    except PlanNotFoundError as error:
        raise Http404(error.message) from error
    form = CheckoutForm(
        request.POST if request.method == "POST" else None,
        asks_invoice=row.entry == Plan.Entry.ONE,
        initial={"title": user.name},
    )
    try:
        if request.method == "POST" and form.is_valid():
            order = checkout_service.place_personal_order(
                buyer=user,
                plan=row,
                invoice=form.get_invoice(),
                shown_fen=form.get_shown_fen(),
                now=now,
            )
            return redirect("orders:detail", order.number)
        checkout_service.check_purchase(person=user, plan=row, now=now)
        obstacle = None
    except PriceChangedError as error:
        form.add_price_change(str(error))
        obstacle = None
    except OrderError as error:
        obstacle = _describe_obstacle(error, row)
    context = {
        "plan": row,
        "form": form,
        "obstacle": obstacle,
        "claim": find_unfinished_claim(user.pk, row.pk),
        "ways": list_ways(row, Order.Kind.PERSONAL),
        "profile": getattr(user, "profile", None),
        "minutes": settings.ORDER_LIFETIME_MINUTES,
    }
    return render(request, "orders/checkout.html", context)
