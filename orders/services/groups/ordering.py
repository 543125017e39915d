"""From a checked list of people to one order for all of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from catalog.queries import read_price_fen
from orders.errors import (
    GroupLimitError,
    GroupStateError,
    GroupTakenError,
    PriceChangedError,
)
from orders.locks import lock_check, lock_people
from orders.models import (
    GroupCheck,
    GroupRow,
    Order,
    OrderEvent,
    OrderLine,
)
from orders.queries.groups import count_unpaid_orders, list_unavailable
from orders.rules import InvoiceDetails, make_order_number
from orders.services.groups.files import compose_errors, store_error_file
from orders.services.groups.submitting import refuse_closed_plan, refuse_outsider
from orders.services.invoicing import note_invoice_request
from orders.services.trace import add_event
from portal.lib.bulk_insert import insert_rows

TOO_MANY_UNPAID = (
    "您今天有多笔团购订单未支付，请先支付已有订单；未支付的订单会占用学员的购买资格。"
)
# Whoever took some of the people may let them go again before it is looked: then once more.
_TRIES = 3


class _TakenError(Exception):
    """Some of the people are not free any more."""


def place_group_order(
    *,
    check_id: int,
    invoice: InvoiceDetails | None = None,
    shown_fen: int | None = None,
    actor: User,
    now: datetime,
) -> Order:
    """Order the plan for everybody whom the check found free: one order, one payment.

    All of them or nobody: when some are no longer free, their rows are marked and
    `GroupTakenError` says how many are left to buy for. `shown_fen` is the price of one
    person that the buyer agreed to. Raises as well `GroupStateError`,
    `GroupNotAllowedError`, `PlanNotOnSaleError`, `PriceChangedError` and `GroupLimitError`.
    """
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return _place(check_id, invoice, shown_fen, actor, now)
        except (IntegrityError, _TakenError):
            # The constraint let another order through; what it took, the rows will say.
            taken, left = _mark_taken(check_id, now=now)
            if taken:
                raise GroupTakenError(taken, left) from None
    raise GroupStateError


def _place(
    check_id: int,
    invoice: InvoiceDetails | None,
    shown_fen: int | None,
    actor: User,
    now: datetime,
) -> Order:
    check = lock_check(check_id)
    _refuse(check, actor, now=now)
    price_fen = read_price_fen(check.plan, day=timezone.localdate(now))
    if shown_fen is not None and shown_fen != price_fen:
        raise PriceChangedError(price_fen)
    people = _list_free(check)
    if not people:
        raise GroupStateError("名单中没有可购买的人员，请更正后重新提交。")
    # Between looking and ordering nobody may open the plan for one of them another way, and
    # the buyer places one order at a time.
    lock_people([actor.pk, *people])
    _refuse_flood(actor, now=now)
    if list_unavailable(check.plan_id, people):
        raise _TakenError
    order = _create_order(check, people, price_fen, now)
    if invoice is not None:
        note_invoice_request(order=order, invoice=invoice, now=now)
    check.state, check.order = GroupCheck.State.ORDERED, order
    check.save(update_fields=["state", "order"])
    detail = f"{len(people)}人"
    add_event(order, OrderEvent.Kind.PLACED, now=now, actor=actor, detail=detail)
    return order


def _refuse(check: GroupCheck, actor: User, *, now: datetime) -> None:
    is_checked = check.state == GroupCheck.State.CHECKED
    if check.buyer_id != actor.pk or not is_checked:
        raise GroupStateError
    if not check.is_kept(now=now):
        raise GroupStateError("验证结果已超过24小时，请重新提交名单。")
    refuse_outsider(actor, check.unit)
    refuse_closed_plan(check.plan, now=now)


def _refuse_flood(actor: User, *, now: datetime) -> None:
    unpaid = count_unpaid_orders(actor, now=now)
    if unpaid >= settings.GROUP_PURCHASE["daily_unpaid_orders"]:
        raise GroupLimitError(TOO_MANY_UNPAID)


def _list_free(check: GroupCheck) -> list[int]:
    """The people to buy for, by id: all orders take people in this order, so that no two of
    them wait for each other."""
    free = check.rows.filter(outcome=GroupRow.Outcome.FREE, person__isnull=False)
    return sorted(set(free.values_list("person_id", flat=True)))


def _create_order(
    check: GroupCheck, people: Sequence[int], price_fen: int, now: datetime
) -> Order:
    plan = check.plan
    order = Order.objects.create(
        number=make_order_number(timezone.localdate(now)),
        buyer=check.buyer,
        unit=check.unit,
        kind=Order.Kind.GROUP,
        total_fen=price_fen * len(people),
        created_at=now,
        expires_at=now + timedelta(minutes=settings.ORDER_LIFETIME_MINUTES),
    )
    insert_rows(
        OrderLine,
        same={
            "order_id": order.pk,
            "plan_id": plan.pk,
            "plan_title": plan.title,
            "plan_year": plan.year,
            "hours": plan.hours,
            "price_fen": price_fen,
        },
        each=("person_id",),
        rows=((person_id,) for person_id in people),
    )
    return order


@transaction.atomic
def _mark_taken(check_id: int, *, now: datetime) -> tuple[int, int]:
    """Mark the rows whose people are no longer free; how many, and how many are left."""
    check = lock_check(check_id)
    if check.state != GroupCheck.State.CHECKED:
        # Ordered meanwhile by another click: its people are taken by this very order.
        return 0, check.free_count
    gone = list_unavailable(check.plan_id, _list_free(check))
    taken = check.rows.filter(
        outcome=GroupRow.Outcome.FREE, person__in=sorted(gone)
    ).update(outcome=GroupRow.Outcome.TAKEN, person=None)
    check.free_count -= taken
    if taken:
        store_error_file(check, compose_errors(check), now=now)
        check.save(update_fields=["free_count", "error_file"])
    return taken, check.free_count
