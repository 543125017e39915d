"""Handing orders out as a sheet."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.services import record_audit
from orders.documents import make_order_sheet
from orders.errors import ExportTooLargeError
from orders.models import Order
from orders.payments.registry import list_gateways

# More than finance closes a month with; a longer list is to be filtered first.
ROW_LIMIT = 50_000


@transaction.atomic
def export_orders(*, orders: QuerySet[Order], actor: User, now: datetime) -> bytes:
    """Return an .xlsx file of these orders and note who took how many of them.

    Raises `ExportTooLargeError`.
    """
    count = orders.count()
    if count > ROW_LIMIT:
        raise ExportTooLargeError(ROW_LIMIT)
    content = make_order_sheet(orders, dict(list_gateways()))
    record_audit(
        action="orders.orders_exported",
        target="orders",
        actor=actor,
        now=now,
        detail={"count": count},
    )
    return content
