"""Reads of orders and payments."""

from orders.queries.items import Item, list_items
from orders.queries.orders import (
    find_live_line,
    find_reusable_attempt,
    get_attempt_for,
    get_order_for,
    is_under_review,
    list_attempts,
    list_events,
    list_orders_for,
    list_paid_invoice_requests,
    list_people_of_live_lines,
    list_waiting_attempt_ids,
    search_orders,
)
from orders.queries.rows import OrderRow, describe_order, describe_orders
from orders.queries.work import (
    list_attempt_ids_to_ask_last,
    list_attempt_ids_to_close,
    list_attempt_ids_to_poll,
    list_order_ids_to_expire,
    list_waiting_message_ids,
)

__all__ = [
    "Item",
    "OrderRow",
    "describe_order",
    "describe_orders",
    "find_live_line",
    "find_reusable_attempt",
    "get_attempt_for",
    "get_order_for",
    "is_under_review",
    "list_attempt_ids_to_ask_last",
    "list_attempt_ids_to_close",
    "list_attempt_ids_to_poll",
    "list_attempts",
    "list_events",
    "list_items",
    "list_order_ids_to_expire",
    "list_orders_for",
    "list_paid_invoice_requests",
    "list_people_of_live_lines",
    "list_waiting_attempt_ids",
    "list_waiting_message_ids",
    "search_orders",
]
