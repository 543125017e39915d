"""What a request says about the browser it comes from."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from orders.payments.protocol import Callbacks, Channel, Payer
from portal.lib.addresses import client_address

# Whom WeChat says this browser belongs to; asked for at the first payment in it.
OPENID_KEY = "orders_payer_openid"


def guess_channel(request: HttpRequest) -> Channel:
    """Return where the buyer sits, by the name of the browser."""
    agent = request.headers.get("User-Agent", "")
    if "MicroMessenger" in agent:
        return Channel.WECHAT
    # The token all phone browsers carry in their name.
    return Channel.PHONE if "Mobi" in agent else Channel.DESK


def describe_payer(request: HttpRequest) -> Payer:
    address = client_address(request.META, trusted_proxies=settings.TRUSTED_PROXY_COUNT)
    return Payer(openid=request.session.get(OPENID_KEY, ""), address=address)


def make_callbacks(request: HttpRequest, code: str) -> Callbacks:
    """The gateway reports to the portal's own name; the browser comes back to the name it
    used, where its session is."""
    return Callbacks(
        notify_url=settings.SITE_URL + reverse("orders:notify", args=[code]),
        return_url=request.build_absolute_uri(reverse("orders:return", args=[code])),
    )
