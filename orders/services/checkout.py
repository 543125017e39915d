"""Placing orders."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from learning.queries import find_enrolment
from orders.errors import (
    PlanAlreadyHeldError,
    PlanBeingBoughtError,
    PlanNotOnSaleError,
)
from orders.models import InvoiceRequest, Order, OrderEvent, OrderLine
from orders.queries import find_live_line
from orders.rules import InvoiceDetails, make_order_number
from orders.services.trace import add_event


def check_purchase(*, person: User, plan: Plan, now: datetime) -> None:
    """Raise why a person cannot buy a plan: `PlanNotOnSaleError`, `PlanAlreadyHeldError` or
    `PlanBeingBoughtError`."""
    if find_enrolment(person.pk, plan.pk) is not None:
        raise PlanAlreadyHeldError(plan.code)
    line = find_live_line(person.pk, plan.pk)
    if line is not None:
        own = line.order.buyer_id == person.pk
        raise PlanBeingBoughtError(line.order.number if own else "")
    if not plan.is_on_sale(timezone.localdate(now)) or plan.price_fen == 0:
        raise PlanNotOnSaleError


def place_personal_order(
    *, buyer: User, plan: Plan, invoice: InvoiceDetails | None = None, now: datetime
) -> Order:
    """Order one plan for the buyer, who pays for it afterwards.

    Title, year and price are copied onto the line as they are now. `invoice` asks for an
    invoice at once. Raises what `check_purchase` raises.
    """
    check_purchase(person=buyer, plan=plan, now=now)
    try:
        with transaction.atomic():
            return _create_order(buyer, plan, invoice, now)
    except IntegrityError:
        # The same person in a second window: the constraint has let one order through.
        check_purchase(person=buyer, plan=plan, now=now)
        raise


def _create_order(
    buyer: User, plan: Plan, invoice: InvoiceDetails | None, now: datetime
) -> Order:
    order = Order.objects.create(
        number=make_order_number(timezone.localdate(now)),
        buyer=buyer,
        kind=Order.Kind.PERSONAL,
        total_fen=plan.price_fen,
        created_at=now,
        expires_at=now + timedelta(minutes=settings.ORDER_LIFETIME_MINUTES),
    )
    OrderLine.objects.create(
        order=order,
        plan=plan,
        person=buyer,
        plan_title=plan.title,
        plan_year=plan.year,
        hours=plan.hours,
        price_fen=plan.price_fen,
    )
    if invoice is not None:
        InvoiceRequest.objects.create(
            order=order,
            buyer_kind=invoice.buyer_kind,
            title=invoice.title,
            credit_code=invoice.credit_code,
            email=invoice.email,
            requested_at=now,
        )
    add_event(order, OrderEvent.Kind.PLACED, now=now, actor=buyer)
    return order
