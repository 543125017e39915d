"""Use cases of orders; nothing else changes an order, an attempt or a message."""

from orders.services.beginning import begin_payment
from orders.services.checkout import check_purchase, place_personal_order
from orders.services.expiry import cancel_order, end_attempt, expire_order
from orders.services.notifications import process_message, store_notification
from orders.services.payment import start_payment
from orders.services.placing_once import (
    forget_idempotency_keys,
    place_personal_order_once,
)
from orders.services.polling import query_attempt
from orders.services.resolution import resolve_exception
from orders.services.settlement import apply_report

__all__ = [
    "apply_report",
    "begin_payment",
    "cancel_order",
    "check_purchase",
    "end_attempt",
    "expire_order",
    "forget_idempotency_keys",
    "place_personal_order",
    "place_personal_order_once",
    "process_message",
    "query_attempt",
    "resolve_exception",
    "start_payment",
    "store_notification",
]
