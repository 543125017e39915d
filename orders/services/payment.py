"""Sending a buyer to the cashier."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from orders.errors import (
    AttemptUsedUpError,
    GatewayDownError,
    OrderNotPayableError,
    PayerUnknownError,
)
from orders.locks import lock_order
from orders.models import Order, OrderEvent, PaymentAttempt
from orders.payments.protocol import (
    UNKNOWN_PAYER,
    Callbacks,
    Channel,
    Charge,
    GatewayRefused,
    GatewayUnavailable,
    NumberUsedUp,
    Payer,
    PayerUnknown,
    PaymentGateway,
    Start,
)
from orders.payments.registry import get_gateway, has_gateway, list_gateways
from orders.queries import find_reusable_attempt, is_under_review
from orders.rules import has_time_to_pay, make_attempt_number
from orders.services.trace import add_event

logger = logging.getLogger(__name__)


def start_payment(
    *,
    order: Order,
    gateway_code: str,
    channel: Channel,
    callbacks: Callbacks,
    payer: Payer = UNKNOWN_PAYER,
    actor: User,
    now: datetime,
) -> Start:
    """Return the way to the cashier of a gateway.

    One attempt for each gateway, amount and expiry: pressing the button again leads to the
    same payment, so that it cannot be paid twice there. A gateway that takes only fresh
    orders gets a new attempt after a while; the old one keeps its number and is looked
    after until it ends.

    Raises `OrderNotPayableError`, `GatewayDownError`, and of its kind `AttemptUsedUpError`
    and `PayerUnknownError`.
    """
    gateway = open_gateway(gateway_code)
    with transaction.atomic():
        locked = lock_order(order.pk)
        _check_payable(locked, now)
        attempt = find_reusable_attempt(
            locked,
            gateway=gateway.code,
            seller=gateway.seller,
            created_after=_find_oldest_start(gateway, now),
        ) or _create_attempt(locked, gateway, actor, now)
    try:
        start = gateway.start(describe_charge(attempt), channel, callbacks, payer)
    except NumberUsedUp as error:
        raise AttemptUsedUpError(attempt.pk) from error
    except PayerUnknown as error:
        raise PayerUnknownError from error
    except (GatewayRefused, GatewayUnavailable) as error:
        logger.warning("attempt %s: not started: %s", attempt.number, error)
        raise GatewayDownError from error
    # Ended while the gateway thought (cancelled, expired): do not lead anybody there.
    attempt.refresh_from_db(fields=["state"])
    if attempt.state != PaymentAttempt.State.WAITING:
        raise OrderNotPayableError("订单已关闭或已支付，请刷新后查看。")
    return start


def open_gateway(code: str) -> PaymentGateway:
    """Return a configured gateway. Raises `GatewayDownError`."""
    if not has_gateway(code):
        raise GatewayDownError
    try:
        return get_gateway(code)
    except GatewayUnavailable as error:
        # A matter of settings and key files, which buyers are not told.
        logger.error("gateway %s cannot be used: %s", code, error)
        raise GatewayDownError from error


def _find_oldest_start(gateway: PaymentGateway, now: datetime) -> datetime | None:
    limit = gateway.restart_within
    return None if limit is None else now - limit


def describe_charge(attempt: PaymentAttempt) -> Charge:
    """Return what a gateway needs to know of an attempt."""
    return Charge(
        number=attempt.number,
        amount_fen=attempt.amount_fen,
        title=attempt.subject,
        created_at=attempt.created_at,
        expires_at=attempt.expires_at,
        gateway_number=attempt.gateway_number,
    )


def _check_payable(order: Order, now: datetime) -> None:
    if order.state != Order.State.PENDING:
        raise OrderNotPayableError(f"订单{order.get_state_display()}，不能支付。")
    if not has_time_to_pay(expires_at=order.expires_at, now=now):
        raise OrderNotPayableError("订单已超过支付时间，请重新下单。")
    if is_under_review(order):
        raise OrderNotPayableError("订单的付款正在人工核对，请勿重复支付。")


def _create_attempt(
    order: Order, gateway: PaymentGateway, actor: User, now: datetime
) -> PaymentAttempt:
    attempt = PaymentAttempt.objects.create(
        number=make_attempt_number(timezone.localdate(now)),
        order=order,
        gateway=gateway.code,
        seller=gateway.seller,
        amount_fen=order.total_fen,
        subject=_make_subject(order),
        created_at=now,
        expires_at=order.expires_at,
    )
    add_event(
        order,
        OrderEvent.Kind.ATTEMPT_STARTED,
        now=now,
        actor=actor,
        detail=dict(list_gateways())[gateway.code],
    )
    return attempt


def _make_subject(order: Order) -> str:
    """What the buyer reads at the cashier."""
    if order.kind == Order.Kind.GROUP:
        title = order.lines.order_by("pk").values_list("plan_title", flat=True)[0]
        return f"{title}（{order.lines.count()}人）"
    titles = [line.plan_title for line in order.lines.order_by("pk")[:2]]
    if order.kind == Order.Kind.CODES:
        return f"{titles[0]}激活码"
    return titles[0] if len(titles) == 1 else f"{titles[0]}等"
