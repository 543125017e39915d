"""What the sample coordinator buys for her unit: group orders, and activation codes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.models import Unit, User
from catalog.models import Plan
from orders.models import InvoiceRequest, Order
from orders.rules import InvoiceDetails
from orders.services.codes import activate_code, give_code, place_codes_order
from orders.services.groups import (
    Submission,
    check_people,
    place_group_order,
    submit_people,
)
from orders.services.refunds.asking import request_refund
from portal.demo.histories import get_enrolment, study_courses, study_part
from portal.demo.payments import pay_order

PAID, UNPAID, CODES = "gx-2025", "gx-2024", "gx-2020"
CODE_COUNT = 10
# Five credits each, thirty are the plan.
COURSES_OF_A_PLAN = 6


def load_unit_orders(
    coordinator: User, unit: Unit, people: Sequence[User], now: datetime
) -> None:
    """A group order paid and studied in part, one unpaid, and codes in every state.

    Of the people the first finishes the plan, the second is studying, one of them is to go
    back; all of them belong to the unit and hold none of these plans.
    """
    _load_group(coordinator, unit, people, now)
    order_for(people[:3], _plan(UNPAID), coordinator, unit, now)
    _load_codes(coordinator, unit, people, now)


def order_for(
    people: Sequence[User], plan: Plan, coordinator: User, unit: Unit, now: datetime
) -> Order:
    """Hand in the people's numbers, have them checked, and order for all of them."""
    numbers = "\n".join(f"{person.id_number} {person.name}" for person in people)
    submission = Submission(plan, unit, numbers.encode(), is_sheet=False)
    check = submit_people(submission=submission, actor=coordinator, now=now)
    check_people(check_id=check.pk, clock=lambda: now)
    return place_group_order(
        check_id=check.pk, invoice=_invoice(unit), actor=coordinator, now=now
    )


def _load_group(
    coordinator: User, unit: Unit, people: Sequence[User], now: datetime
) -> None:
    plan, at = _plan(PAID), now - timedelta(days=12)
    order = order_for(people, plan, coordinator, unit, at)
    pay_order(order, at)
    finished, studying, *_others, leaver = people
    start = at + timedelta(hours=3)
    study_courses(
        finished, get_enrolment(finished, plan), start, count=COURSES_OF_A_PLAN
    )
    study_part(studying, get_enrolment(studying, plan), start)
    request_refund(
        order=order,
        line_ids=[order.lines.get(person=leaver).pk],
        reason="该同志已调离本单位",
        buyer=coordinator,
        now=now - timedelta(hours=20),
    )


def _load_codes(
    coordinator: User, unit: Unit, people: Sequence[User], now: datetime
) -> None:
    """Two used, two given, the others still to give."""
    plan, at = _plan(CODES), now - timedelta(days=9)
    order = place_codes_order(
        buyer=coordinator,
        plan=plan,
        quantity=CODE_COUNT,
        unit=unit,
        invoice=_invoice(unit),
        now=at,
    )
    pay_order(order, at)
    for days, person in enumerate(people[:4], start=1):
        given_at = at + timedelta(days=days)
        code = give_code(owner=coordinator, plan=plan, person=person, now=given_at)
        if days <= 2:
            used_at = given_at + timedelta(hours=5)
            activate_code(person=person, number=code.number, now=used_at)


def _invoice(unit: Unit) -> InvoiceDetails:
    return InvoiceDetails(
        buyer_kind=InvoiceRequest.Buyer.INSTITUTION,
        title=unit.name,
        credit_code=unit.credit_code or "" or "",
    )


def _plan(code: str) -> Plan:
    return Plan.objects.get(code=code)
