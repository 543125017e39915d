"""What must hold of the portal's rows after anything: the promises P1 and P2."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from learning.models import Enrolment
from orders.models import (
    Order,
    OrderLine,
    PaymentAttempt,
    PaymentException,
    Refund,
    RefundLine,
    RefundTry,
)
from orders.payments.protocol import State
from orders.services import end_attempt
from orders.services.polling import ask_last
from orders.services.reconciliation import reconcile_bill, request_bill
from orders.services.refunds.running import run_refund
from tests.clock import SHANGHAI
from tests.orders.bank import BANKS, Bank

MOVING = (Refund.State.REQUESTED, Refund.State.APPROVED, Refund.State.FAILED)
# Refunds whose access has been taken back.
TAKEN = (Refund.State.APPROVED, Refund.State.FAILED, Refund.State.DONE)


@dataclass
class Books:
    """The portal's rows as they are after a step, read once for all that looks at them."""

    orders: dict[int, Order]
    lines: list[OrderLine]
    attempts: list[PaymentAttempt]
    exceptions: list[PaymentException]
    refunds: list[Refund]
    # Line to the refund that holds its money.
    moving_lines: dict[int, int]
    # Lines that somebody ever asked to have back.
    asked_lines: set[int]
    enrolments: list[Enrolment]

    @classmethod
    def read(cls) -> "Books":
        live = RefundLine.objects.filter(is_live=True)
        return cls(
            orders={row.pk: row for row in Order.objects.all()},
            lines=list(OrderLine.objects.all()),
            attempts=list(PaymentAttempt.objects.all()),
            exceptions=list(PaymentException.objects.all()),
            refunds=list(Refund.objects.all()),
            moving_lines=dict(live.values_list("line_id", "refund_id")),
            asked_lines=set(RefundLine.objects.values_list("line_id", flat=True)),
            enrolments=list(Enrolment.objects.all()),
        )

    def is_paid(self, line: OrderLine) -> bool:
        is_here = line.refunded_at is None
        return is_here and self.orders[line.order_id].state == Order.State.PAID


def check_every_fen(books: Books) -> None:
    """P1: what came and has not gone back belongs to an order, or somebody knows of it."""
    known = {
        row.attempt_id
        for row in books.exceptions
        if row.line_id is None and (row.state == "open" or row.outcome == "noted")
    }
    moving = {row.attempt_id for row in books.refunds if row.state in MOVING}
    for row in books.attempts:
        left = (row.received_fen or 0) - row.refunded_fen
        assert left >= 0
        assert left == 0 or row.pays_order or row.pk in known | moving, row


def check_nobody_pays_twice(books: Books) -> None:
    """P2: of the lines of a person at most one is paid for; the others are on their way
    back, or before the eyes of finance."""
    seen = {row.line_id for row in books.exceptions}
    people = [
        row.person_id
        for row in books.lines
        if books.is_paid(row)
        and row.pk not in seen
        and row.pk not in books.moving_lines
    ]
    assert len(people) == len(set(people))


def check_doubled_seats_are_seen(books: Books) -> None:
    """A paid line is what its person studies by, or finance have been told of it."""
    seen = {row.line_id for row in books.exceptions}
    sources = {row.person_id: row.source_number for row in books.enrolments}
    for row in books.lines:
        if books.is_paid(row) and row.pk not in seen | books.asked_lines:
            assert sources[row.person_id] == books.orders[row.order_id].number, row


def check_who_paid_may_study(books: Books, given: set[int]) -> None:
    """A refund or a lapse of one order never ends what another gives."""
    ending = {row.pk for row in books.refunds if row.state in TAKEN}
    people = {
        row.person_id
        for row in books.lines
        if books.is_paid(row)
        and row.is_live
        and books.moving_lines.get(row.pk) not in ending
    }
    may_study = {row.person_id for row in books.enrolments if row.is_live}
    assert people | given <= may_study


def check_nobody_studies_for_nothing(books: Books) -> None:
    """An enrolment by an order has a paid line whose money was not given back."""
    ended = {row.pk for row in books.refunds if row.state in TAKEN}
    paid = {
        (books.orders[row.order_id].number, row.person_id)
        for row in books.lines
        if books.is_paid(row) and books.moving_lines.get(row.pk) not in ended
    }
    for row in books.enrolments:
        if row.is_live and row.source == Enrolment.Source.ORDER:
            assert (row.source_number, row.person_id) in paid, row


def list_slow_refunds() -> list[tuple[Bank, str, str]]:
    """Refunds that a bank has accepted and not decided: bank, trade and refund."""
    return [
        (bank, trade.number, number)
        for bank in BANKS.values()
        for trade in bank.trades.values()
        for number, (_, said) in trade.refunds.items()
        if said is State.UNKNOWN
    ]


def list_keys(model: Any, **facts: Any) -> list[int]:
    return list(model.objects.filter(**facts).values_list("pk", flat=True))


def settle_everything(now: datetime) -> None:
    """Nothing more happens outside; every sweep comes round, and all bills are read."""
    last = now + timedelta(days=2)
    for bank in BANKS.values():
        for trade in bank.trades.values():
            for number in [
                n for n, (_, said) in trade.refunds.items() if said is State.UNKNOWN
            ]:
                bank.finish(trade.number, number, State.REFUNDED, now=now)
    for key in list_keys(PaymentAttempt, state="waiting"):
        end_attempt(attempt_id=key, now=last)
    for key in list_keys(PaymentAttempt, state="closed"):
        ask_last(attempt_id=key, now=last)
    for days in range(1, 4):
        for key in list_keys(Refund, state="approved"):
            run_refund(refund_id=key, now=last + timedelta(days=days))
    read_all_bills(last)


def read_all_bills(now: datetime) -> None:
    days = {
        moment.astimezone(SHANGHAI).date()
        for bank in BANKS.values()
        for trade in bank.trades.values()
        for moment in [trade.paid_at, *trade.refunded_at.values()]
        if moment is not None
    }
    for day in sorted(days):
        for code in BANKS:
            bill = request_bill(gateway=code, day=day, now=now + timedelta(days=5))
            reconcile_bill(bill_id=bill.pk, now=now)


def check_banks_and_books() -> None:
    for code, bank in BANKS.items():
        for trade in bank.trades.values():
            attempt = PaymentAttempt.objects.get(gateway=code, number=trade.number)
            assert (attempt.received_fen or 0) == trade.paid_fen
            unbooked = sum(
                row.amount_fen or 0
                for row in attempt.exceptions.filter(kind="foreign_refund").exclude(
                    outcome="accepted"
                )
            )
            assert trade.refunded_fen == attempt.refunded_fen + unbooked
    done = RefundTry.objects.filter(state="done").count()
    assert done == Refund.objects.filter(state="done").count()
