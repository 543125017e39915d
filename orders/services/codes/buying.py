"""Ordering activation codes."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Unit, User
from catalog.models import Plan
from catalog.queries import read_price_fen
from orders.errors import (
    CodesBeingBoughtError,
    CodesNotSoldError,
    PriceChangedError,
    TooManyCodesError,
)
from orders.locks import lock_people
from orders.models import Order, OrderEvent, OrderLine
from orders.queries.codes import find_unpaid_codes_order
from orders.rules import InvoiceDetails, make_order_number
from orders.services.invoicing import note_invoice_request
from orders.services.trace import add_event


def check_codes_purchase(*, buyer: User, plan: Plan, now: datetime) -> int:
    """What one code of the plan costs today. Raise why somebody cannot buy codes of it:
    `CodesNotSoldError` or `CodesBeingBoughtError`."""
    today = timezone.localdate(now)
    price_fen = read_price_fen(plan, day=today)
    if not (plan.sells_codes and plan.is_on_sale(today)) or price_fen == 0:
        raise CodesNotSoldError
    unpaid = find_unpaid_codes_order(buyer.pk, plan.pk)
    if unpaid is not None:
        raise CodesBeingBoughtError(unpaid.number)
    return price_fen


@transaction.atomic
def place_codes_order(
    *,
    buyer: User,
    plan: Plan,
    quantity: int,
    unit: Unit | None = None,
    invoice: InvoiceDetails | None = None,
    shown_fen: int | None = None,
    now: datetime,
) -> Order:
    """Order `quantity` codes of a plan, for the unit that the buyer acts for, if any.

    One unpaid order for a plan at a time: a second click orders nothing. `shown_fen` is the
    price of one code that the buyer agreed to. Raises what `check_codes_purchase` raises,
    `TooManyCodesError` and `PriceChangedError`.
    """
    if not 1 <= quantity <= settings.CODES_PER_ORDER:
        raise TooManyCodesError(settings.CODES_PER_ORDER)
    # Two windows of one buyer queue here.
    lock_people([buyer.pk])
    price_fen = check_codes_purchase(buyer=buyer, plan=plan, now=now)
    if shown_fen is not None and shown_fen != price_fen:
        raise PriceChangedError(price_fen)
    order = Order.objects.create(
        number=make_order_number(timezone.localdate(now)),
        buyer=buyer,
        unit=unit,
        kind=Order.Kind.CODES,
        total_fen=price_fen * quantity,
        created_at=now,
        expires_at=now + timedelta(minutes=settings.ORDER_LIFETIME_MINUTES),
    )
    OrderLine.objects.create(
        order=order,
        plan=plan,
        person=None,
        quantity=quantity,
        plan_title=plan.title,
        plan_year=plan.year,
        hours=plan.hours,
        price_fen=price_fen,
    )
    if invoice is not None:
        note_invoice_request(order=order, invoice=invoice, now=now)
    add_event(order, OrderEvent.Kind.PLACED, now=now, actor=buyer)
    return order
