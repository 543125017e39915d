"""Ending what was not paid: ask the gateway, close there, close here, in this order."""

import logging
from datetime import datetime

from django.db import transaction

from accounts.models import User
from orders.errors import OrderNotCancellableError
from orders.locks import lock_order
from orders.models import GatewayMessage, Order, OrderEvent, OrderLine, PaymentAttempt
from orders.payments.protocol import GatewayUnavailable, Report, State
from orders.payments.registry import get_gateway
from orders.queries import is_under_review, list_waiting_attempt_ids
from orders.rules import ORDER_TRANSITIONS, check_transition
from orders.services.payment import describe_charge
from orders.services.polling import ask_gateway
from orders.services.settlement import apply_report
from orders.services.trace import add_event

logger = logging.getLogger(__name__)


def end_attempt(*, attempt_id: int, now: datetime) -> bool:
    """Make sure that an attempt can no longer be paid, or settle it if it was.

    Returns whether the attempt waits no more; False means the gateway left it open and it is
    to be tried again later.
    """
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    if attempt.state != PaymentAttempt.State.WAITING:
        return True
    # Attempts asked longest ago come first: a gateway that is down holds up nobody else's.
    PaymentAttempt.objects.filter(pk=attempt_id).update(polled_at=now)
    said = ask_gateway(attempt, now=now)
    if said in (State.PAID, State.CLOSED, State.REFUNDED):
        return True
    if said not in (State.UNPAID, State.NOT_FOUND):
        return False
    try:
        closed = get_gateway(attempt.gateway).close(describe_charge(attempt))
    except GatewayUnavailable as error:
        logger.warning("attempt %s: not closed: %s", attempt.number, error)
        return False
    # NOT_FOUND: the buyer never entered the cashier. The address of the cashier lives on until
    # it expires there; what is paid at the last moment is late money, not lost money.
    if closed not in (State.CLOSED, State.NOT_FOUND):
        return False
    apply_report(
        gateway=attempt.gateway,
        report=Report(attempt.number, State.CLOSED),
        source=GatewayMessage.Source.QUERY,
        now=now,
    )
    return True


def expire_order(*, order_id: int, now: datetime) -> bool:
    """Close an order whose time is over and whose attempts have all ended."""
    with transaction.atomic():
        order = lock_order(order_id)
        if (
            order.state != Order.State.PENDING
            or order.expires_at > now
            or _is_undecided(order)
        ):
            return False
        _close(order, Order.State.EXPIRED, now)
        add_event(order, OrderEvent.Kind.EXPIRED, now=now)
    return True


def cancel_order(*, order: Order, actor: User, now: datetime) -> None:
    """Cancel an unpaid order at the buyer's wish.

    Raises `OrderNotCancellableError` when it turns out to be paid, or when a gateway does not
    say that it is not.
    """
    if order.state != Order.State.PENDING:
        raise OrderNotCancellableError(f"订单{order.get_state_display()}，不能取消。")
    for attempt_id in list_waiting_attempt_ids(order):
        end_attempt(attempt_id=attempt_id, now=now)
    with transaction.atomic():
        locked = lock_order(order.pk)
        if locked.state == Order.State.PAID:
            raise OrderNotCancellableError("订单已支付成功，不能取消。")
        if locked.state != Order.State.PENDING:
            return
        if is_under_review(locked):
            raise OrderNotCancellableError("订单的付款正在人工核对，暂时不能取消。")
        if list_waiting_attempt_ids(locked):
            raise OrderNotCancellableError(
                "支付渠道暂未确认未付款，暂时不能取消；到期未支付的订单会自动关闭。"
            )
        _close(locked, Order.State.CANCELLED, now)
        add_event(locked, OrderEvent.Kind.CANCELLED, now=now, actor=actor)


def _is_undecided(order: Order) -> bool:
    return is_under_review(order) or bool(list_waiting_attempt_ids(order))


def _close(order: Order, state: Order.State, now: datetime) -> None:
    """Close an unpaid order and let its plan go, so that it can be bought anew."""
    check_transition(ORDER_TRANSITIONS, order.state, state)
    order.state = state
    order.closed_at = now
    order.save(update_fields=["state", "closed_at"])
    OrderLine.objects.filter(order=order).update(is_live=False)
