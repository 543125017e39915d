"""Placing orders."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from catalog.models import Plan
from catalog.queries import read_price_fen
from learning.queries import find_enrolment
from orders.errors import (
    CodeWaitingError,
    PlanAlreadyHeldError,
    PlanBeingBoughtError,
    PlanNotOnSaleError,
    PriceChangedError,
)
from orders.locks import lock_people
from orders.models import InvoiceRequest, Order, OrderEvent, OrderLine
from orders.queries import find_live_line
from orders.queries.codes import find_waiting_code
from orders.rules import InvoiceDetails, make_order_number
from orders.services.trace import add_event


def check_purchase(*, person: User, plan: Plan, now: datetime) -> int:
    """What the plan costs today. Raise why a person cannot buy it: `PlanNotOnSaleError`,
    `PlanAlreadyHeldError`, `PlanBeingBoughtError` or `CodeWaitingError`."""
    if find_enrolment(person.pk, plan.pk) is not None:
        raise PlanAlreadyHeldError(plan.code)
    line = find_live_line(person.pk, plan.pk)
    if line is not None:
        own = line.order.buyer_id == person.pk
        raise PlanBeingBoughtError(line.order.number if own else "")
    if find_waiting_code(person.pk, plan.pk) is not None:
        raise CodeWaitingError
    today = timezone.localdate(now)
    price_fen = read_price_fen(plan, day=today)
    if not plan.is_on_sale(today) or price_fen == 0:
        raise PlanNotOnSaleError
    return price_fen


def place_personal_order(
    *,
    buyer: User,
    plan: Plan,
    invoice: InvoiceDetails | None = None,
    shown_fen: int | None = None,
    now: datetime,
) -> Order:
    """Order one plan for the buyer, who pays for it afterwards.

    Title, year and today's price are copied onto the line as they are now. `invoice` asks
    for an invoice at once; `shown_fen` is the price the buyer agreed to. Raises what
    `check_purchase` raises, and `PriceChangedError`.
    """
    try:
        return _place(buyer, plan, invoice, shown_fen, now)
    except IntegrityError:
        # The same person in a second window: the constraint has let one order through.
        check_purchase(person=buyer, plan=plan, now=now)
        raise


@transaction.atomic
def _place(
    buyer: User,
    plan: Plan,
    invoice: InvoiceDetails | None,
    shown_fen: int | None,
    now: datetime,
) -> Order:
    lock_people([buyer.pk])
    price_fen = check_purchase(person=buyer, plan=plan, now=now)
    if shown_fen is not None and shown_fen != price_fen:
        raise PriceChangedError(price_fen)
    return _create_order(buyer, plan, price_fen, invoice, now)


def _create_order(
    buyer: User,
    plan: Plan,
    price_fen: int,
    invoice: InvoiceDetails | None,
    now: datetime,
) -> Order:
    order = Order.objects.create(
        number=make_order_number(timezone.localdate(now)),
        buyer=buyer,
        kind=Order.Kind.PERSONAL,
        total_fen=price_fen,
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
        price_fen=price_fen,
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
