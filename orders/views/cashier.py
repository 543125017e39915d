"""From the pay button to the cashier: a redirect, or a page of ours for the kinds of start
that need one."""

import secrets
from collections.abc import Callable
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.errors import WeChatError
from accounts.services.wechat import (
    fetch_openid,
    is_wechat_configured,
    make_authorize_url,
)
from orders import queries
from orders.errors import GatewayDownError, OrderError, PayerUnknownError
from orders.models import Order
from orders.payments.protocol import Start
from orders.payments.registry import has_gateway
from orders.rules import has_time_to_pay
from orders.services import begin_payment
from orders.views.browsers import (
    OPENID_KEY,
    describe_payer,
    guess_channel,
    make_callbacks,
)
from orders.views.buyers import order_or_404, user_of
from orders.views.orders import fingerprint

Way = Callable[[HttpRequest, Order, Start], HttpResponseBase]

# The payment whose page is open in this browser.
CASHIER_KEY = "orders_cashier"
# The payment that waits until WeChat has said who the browser belongs to.
ASKED_KEY = "orders_payer_asked"
QR_SCALE = 6


def begin(request: HttpRequest, order: Order, code: str) -> HttpResponseBase:
    """Start a payment and lead the browser to its cashier."""
    try:
        start = begin_payment(
            order=order,
            gateway_code=code,
            channel=guess_channel(request),
            callbacks=make_callbacks(request, code),
            payer=describe_payer(request),
            actor=user_of(request),
            now=timezone.now(),
        )
    except PayerUnknownError:
        return _ask_who_pays(request, order, code)
    except OrderError as error:
        return _go_back(request, order, str(error))
    return WAYS[start.kind](request, order, start)


def _go_back(request: HttpRequest, order: Order, text: str) -> HttpResponse:
    messages.error(request, text)
    return redirect("orders:detail", order.number)


# --- Ways to the cashier ----------------------------------------------------------------


def _redirect(_request: HttpRequest, _order: Order, start: Start) -> HttpResponseBase:
    response = HttpResponseRedirect(start.url, status=303)
    # WeChat's phone page wants to know the site the browser comes from; not the page.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def _show_form(request: HttpRequest, order: Order, start: Start) -> HttpResponseBase:
    """A page that posts itself to the gateway, or has a button for it without scripts."""
    context = {"order": order, "start": start, "host": urlsplit(start.url).hostname}
    response = render(request, "orders/cashier_form.html", context)
    add_never_cache_headers(response)
    # This one gateway, whose pages may send the browser on among themselves.
    response._csp_update = {  # type: ignore[attr-defined]
        "form-action": list(start.form_sources)
    }
    return response


def _open_page(request: HttpRequest, order: Order, start: Start) -> HttpResponseBase:
    # A page of its own, so that reloading it does not start the payment anew.
    request.session[CASHIER_KEY] = {
        "order": order.number,
        "kind": start.kind.value,
        "url": start.url,
        "fields": dict(start.fields),
    }
    return HttpResponseRedirect(
        reverse("orders:cashier", args=[order.number]), status=303
    )


WAYS: dict[Start.Kind, Way] = {
    Start.Kind.REDIRECT: _redirect,
    Start.Kind.FORM: _show_form,
    Start.Kind.QR: _open_page,
    Start.Kind.JSAPI: _open_page,
}


# --- The page with a QR code, and the one inside WeChat -----------------------------------


@login_required
@never_cache
@require_GET
def cashier(request: HttpRequest, number: str) -> HttpResponse:
    """Show the payment that was started last in this browser, while it can be paid."""
    order = order_or_404(request, number)
    started = request.session.get(CASHIER_KEY)
    now = timezone.now()
    if (
        started is None
        or started["order"] != order.number
        or order.state != Order.State.PENDING
        or order.in_review  # type: ignore[attr-defined]
        or not has_time_to_pay(expires_at=order.expires_at, now=now)
    ):
        return redirect("orders:detail", order.number)
    last = queries.list_events(order).last()
    context = {
        "order": order,
        "seconds": int((order.expires_at - now).total_seconds()),
        "fingerprint": fingerprint(order, last.pk if last else 0),
        "start": started,
    }
    if started["kind"] == Start.Kind.QR:
        return render(
            request, "orders/cashier_qr.html", context | _draw(started["url"])
        )
    return render(request, "orders/cashier_wechat.html", context)


def _draw(url: str) -> dict[str, Any]:
    code = segno.make(url, error="m", micro=False)
    # The sandbox's codes are web addresses; whoever has no phone at hand opens them here.
    link = url if settings.SANDBOX and url.startswith("http://127.0.0.1:") else ""
    return {
        "picture": code.svg_data_uri(scale=QR_SCALE, border=4, light="#fff"),
        "sandbox_url": link,
    }


# --- Who pays, inside WeChat --------------------------------------------------------------


def _ask_who_pays(request: HttpRequest, order: Order, code: str) -> HttpResponse:
    """Send the browser to WeChat, which sends it back at once and names its person."""
    if not is_wechat_configured():
        return _go_back(request, order, str(GatewayDownError()))
    state = secrets.token_urlsafe(24)
    request.session[ASKED_KEY] = {
        "state": state,
        "order": order.number,
        "gateway": code,
    }
    url = make_authorize_url(
        redirect_uri=settings.SITE_URL + reverse("orders:payer"), state=state
    )
    return HttpResponseRedirect(url, status=303)


@login_required
@never_cache
@require_GET
def payer(request: HttpRequest) -> HttpResponseBase:
    """Back from WeChat with a code: go on with the payment that was asked for.

    The state proves that this browser pressed the pay button: it is for one use.
    """
    asked = request.session.pop(ASKED_KEY, None)
    given = request.GET.get("state", "")
    if asked is None or not compare_digest(asked["state"].encode(), given.encode()):
        messages.error(request, "支付请求已失效，请重新支付。")
        return redirect("orders:list")
    order = order_or_404(request, asked["order"])
    try:
        openid = fetch_openid(code=request.GET.get("code", ""))
    except WeChatError:
        return _go_back(request, order, str(GatewayDownError()))
    request.session[OPENID_KEY] = openid
    if not has_gateway(asked["gateway"]):
        return _go_back(request, order, str(GatewayDownError()))
    return begin(request, order, asked["gateway"])
