"""Orders, the attempts to pay them and everything gateways said about those."""

from orders.models.order import InvoiceRequest, Order, OrderEvent, OrderLine
from orders.models.payment import GatewayMessage, PaymentAttempt, PaymentException

__all__ = [
    "GatewayMessage",
    "InvoiceRequest",
    "Order",
    "OrderEvent",
    "OrderLine",
    "PaymentAttempt",
    "PaymentException",
]
