"""The three addresses a payment goes through: pay, return, notify."""

import re
import sys
from contextlib import suppress
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from orders import queries, tasks
from orders.errors import OrderNotFoundError
from orders.forms import PayForm
from orders.models import PaymentAttempt
from orders.payments.protocol import (
    Acknowledgement,
    GatewayUnavailable,
    Inbound,
)
from orders.payments.registry import get_gateway, has_gateway, list_gateways
from orders.services import notifications
from orders.views.buyers import order_or_404, user_of
from orders.views.cashier import begin


@login_required
@require_POST
def pay(request: HttpRequest, number: str) -> HttpResponseBase:
    order = order_or_404(request, number)
    form = PayForm(request.POST, gateways=list_gateways())
    if not form.is_valid():
        messages.error(request, "请选择支付方式。")
        return redirect("orders:detail", order.number)
    return begin(request, order, form.cleaned_data["gateway"])


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def payment_return(request: HttpRequest, gateway: str) -> HttpResponseBase:
    """The browser is back from the cashier."""
    if not has_gateway(gateway):
        raise Http404
    if request.method == "POST":
        return _turn_into_get(request, gateway)
    return _show_return(request, gateway)


def _turn_into_get(request: HttpRequest, gateway: str) -> HttpResponse:
    """Send the browser on to the same address with a GET.

    UnionPay's page posts from its own site, so the session's cookie (SameSite=Lax) stays at
    home, and nobody is logged in here. Of what is posted the number alone is taken along, as
    unproved as it is; nothing is looked up, and nothing changes.
    """
    number = ""
    if _read_length(request) <= notifications.BODY_LIMIT:
        with suppress(GatewayUnavailable):
            number = get_gateway(gateway).read_return(request.POST.dict())
    url = reverse("orders:return", args=[gateway])
    if re.fullmatch(r"[0-9A-Za-z]{1,64}", number, re.ASCII):
        url = f"{url}?{urlencode({'orderId': number})}"
    return HttpResponseRedirect(url, status=303)


@login_required
def _show_return(request: HttpRequest, gateway: str) -> HttpResponse:
    """What the address says decides nothing: the gateway is asked, and the order's page shows
    what came of it."""
    try:
        number = get_gateway(gateway).read_return(request.GET.dict())
        if not number:
            # Whoever leaves Alipay's phone page by its back button brings nothing along.
            return redirect("orders:list")
        attempt = queries.get_attempt_for(user_of(request), gateway, number)
    except GatewayUnavailable:
        return redirect("orders:list")
    except OrderNotFoundError as error:
        raise Http404(str(error)) from error
    if attempt.state == PaymentAttempt.State.WAITING:
        tasks.query_attempt.delay_on_commit(attempt.pk)
    url = reverse("orders:detail", args=[attempt.order.number])
    return redirect(f"{url}?returned=1")


def _read_length(request: HttpRequest) -> int:
    """The announced length of the body; more than any limit when it cannot be read."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    is_number = text.isascii() and text.isdigit() and len(text) < 12
    return int(text) if is_number else sys.maxsize


@csrf_exempt
@require_POST
def notify(request: HttpRequest, gateway: str) -> HttpResponse:
    """Keep a notification, answer it, and leave the rest to a task."""
    if not has_gateway(gateway):
        raise Http404
    if _read_length(request) > notifications.BODY_LIMIT:
        return _answer(notifications.TOO_LARGE)
    inbound = Inbound(
        headers={key.lower(): value for key, value in request.headers.items()},
        body=request.body,
        content_type=request.content_type or "",
    )
    receipt = notifications.store_notification(
        gateway_code=gateway, inbound=inbound, now=timezone.now()
    )
    if receipt.message_id is not None:
        tasks.process_gateway_message.delay_on_commit(receipt.message_id)
    return _answer(receipt.acknowledgement)


def _answer(answer: Acknowledgement) -> HttpResponse:
    return HttpResponse(
        answer.body, status=answer.status, content_type=answer.content_type
    )
