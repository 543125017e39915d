"""Who is asking, which of the own orders is meant, and what can be paid with."""

from typing import cast

from django.http import Http404, HttpRequest

from accounts.models import User
from orders import queries
from orders.errors import OrderNotFoundError
from orders.models import Order
from orders.payments.protocol import Channel
from orders.payments.registry import list_gateways
from orders.rules import arrange_gateways
from orders.views.browsers import guess_channel


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def order_or_404(request: HttpRequest, number: str) -> Order:
    try:
        return queries.get_order_for(user_of(request), number)
    except OrderNotFoundError as error:
        raise Http404(str(error)) from error


def offer_gateways(request: HttpRequest) -> list[tuple[str, str]]:
    """Code and label of what this browser can pay with, the best first."""
    return arrange_gateways(
        list_gateways(), in_wechat=guess_channel(request) is Channel.WECHAT
    )
