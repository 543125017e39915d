"""Orders, the attempts to pay them, everything gateways said about those, and claims."""

from orders.models.claims import Claim, ClaimEvent
from orders.models.codes import (
    ActivationCode,
    CodeImport,
    CodeImportRow,
    ImportedPerson,
)
from orders.models.groups import GroupCheck, GroupPerson, GroupRow
from orders.models.idempotency import IdempotencyKey
from orders.models.order import InvoiceRequest, Order, OrderEvent, OrderLine
from orders.models.payment import GatewayMessage, PaymentAttempt, PaymentException
from orders.models.reconciliation import BillDay, BillDifference, BillEntry
from orders.models.refund import Refund, RefundLine, RefundTry

__all__ = [
    "ActivationCode",
    "BillDay",
    "BillDifference",
    "BillEntry",
    "Claim",
    "ClaimEvent",
    "CodeImport",
    "CodeImportRow",
    "GatewayMessage",
    "GroupCheck",
    "GroupPerson",
    "GroupRow",
    "IdempotencyKey",
    "ImportedPerson",
    "InvoiceRequest",
    "Order",
    "OrderEvent",
    "OrderLine",
    "PaymentAttempt",
    "PaymentException",
    "Refund",
    "RefundLine",
    "RefundTry",
]
