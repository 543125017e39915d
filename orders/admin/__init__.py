"""Orders for staff."""

from orders.admin import (
    attempts,
    claims,
    codes,
    exceptions,
    groups,
    orders,
    reconciliation,
    refunds,
)

__all__ = [
    "attempts",
    "claims",
    "codes",
    "exceptions",
    "groups",
    "orders",
    "reconciliation",
    "refunds",
]
