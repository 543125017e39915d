"""Asking for money back, in the steps of the tests."""

from datetime import datetime
from typing import Any

from accounts.models import User
from learning.models import Enrolment
from orders.models import (
    Order,
    OrderEvent,
    Refund,
)
from orders.services.refunds.asking import request_refund
from orders.services.refunds.deciding import (
    approve_refund,
)


def ask(order: Order, now: datetime, **changes: Any) -> Refund:
    fields = {"line_ids": None, "reason": "报错了计划", "buyer": order.buyer}
    return request_refund(order=order, now=now, **(fields | changes))


def approved(order: Order, finance: User, now: datetime) -> Refund:
    refund = ask(order, now)
    return approve_refund(refund_id=refund.pk, decision="同意", actor=finance, now=now)


def list_kinds(order: Order) -> list[str]:
    events = OrderEvent.objects.filter(order=order, kind__startswith="refund")
    return list(events.order_by("pk").values_list("kind", flat=True))


def study(order: Order) -> None:
    """Let everybody on an order have begun."""
    Enrolment.objects.filter(source_number=order.number).update(elective_earned=1)
