"""Our books for a day, and what is known of the numbers in a bill."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet, Sum

from orders.models import (
    BillDay,
    BillDifference,
    BillEntry,
    PaymentAttempt,
    RefundTry,
)
from orders.rules.reconciliation import Entry, Key, bounds_of, list_ready_days

# A bill that could not be had is asked for again after so long.
_ASK_AGAIN_AFTER = timedelta(minutes=10)
_BATCH = 1000


def list_bill_ids_to_read(now: datetime) -> list[int]:
    """Bills that wait to be read, oldest day first."""
    waiting = BillDay.objects.filter(
        Q(tried_at__isnull=True) | Q(tried_at__lte=now - _ASK_AGAIN_AFTER),
        state=BillDay.State.WAITING,
    )
    return list(waiting.order_by("day", "pk").values_list("pk", flat=True))


def list_missing_days(gateway: str, now: datetime) -> list[date]:
    """Days whose bill should be there by now and was never asked for."""
    days = list_ready_days(now)
    known = BillDay.objects.filter(gateway=gateway, day__in=days)
    return sorted(set(days) - set(known.values_list("day", flat=True)))


def list_our_payments(gateway: str, day: date) -> list[Entry]:
    """What we booked as received on a day, whatever became of it."""
    start, end = bounds_of(day)
    rows = PaymentAttempt.objects.filter(
        gateway=gateway,
        paid_at__gte=start,
        paid_at__lt=end,
        received_fen__isnull=False,
    )
    return [
        Entry(Key(number), fen or 0)
        for number, fen in rows.values_list("number", "received_fen").order_by("number")
    ]


def list_our_refunds(gateway: str, day: date) -> list[Entry]:
    """What we booked as gone back on a day."""
    start, end = bounds_of(day)
    rows = RefundTry.objects.filter(
        gateway=gateway,
        state=RefundTry.State.DONE,
        finished_at__gte=start,
        finished_at__lt=end,
    )
    return _make_refund_entries(rows)


def list_booked(gateway: str, keys: Iterable[Key]) -> list[Entry]:
    """What we have booked under these keys, on whatever day."""
    chosen = list(keys)
    entries: list[Entry] = []
    payments = sorted({key.attempt_number for key in chosen if not key.refund_number})
    for part in _split(payments):
        rows = PaymentAttempt.objects.filter(
            gateway=gateway, number__in=part, received_fen__isnull=False
        )
        entries += [
            Entry(Key(number), fen or 0)
            for number, fen in rows.values_list("number", "received_fen")
        ]
    refunds = sorted({key.refund_number for key in chosen if key.refund_number})
    for part in _split(refunds):
        tries = RefundTry.objects.filter(
            gateway=gateway, number__in=part, state=RefundTry.State.DONE
        )
        entries += _make_refund_entries(tries)
    return entries


def list_billed_elsewhere(bill: BillDay, keys: Iterable[Key]) -> set[Key]:
    """Those of these keys that stand in the bill of another day of the same gateway."""
    chosen = set(keys)
    found: set[Key] = set()
    for part in _split(sorted({key.attempt_number for key in chosen})):
        rows = BillEntry.objects.filter(
            bill__gateway=bill.gateway, attempt_number__in=part
        ).exclude(bill=bill)
        found |= {
            Key(*row) for row in rows.values_list("attempt_number", "refund_number")
        }
    return found & chosen


def find_attempts(gateway: str, numbers: Iterable[str]) -> dict[str, PaymentAttempt]:
    """The attempts of these numbers."""
    found: dict[str, PaymentAttempt] = {}
    for part in _split(sorted(set(numbers))):
        rows = PaymentAttempt.objects.filter(gateway=gateway, number__in=part)
        found |= {row.number: row for row in rows}
    return found


def sum_up(entries: Iterable[Entry]) -> tuple[int, int]:
    """How many entries, and how much."""
    rows = list(entries)
    return len(rows), sum(row.amount_fen for row in rows)


def list_bill_days() -> QuerySet[BillDay]:
    """Bills with the number of their open differences."""
    is_open = Q(differences__state=BillDifference.State.OPEN)
    return BillDay.objects.annotate(
        open_differences=Count("differences", filter=is_open)
    )


def read_totals(bills: QuerySet[BillDay]) -> dict[str, int]:
    """The figures of several bills together."""
    names = [
        *("their_payments", "their_paid_fen", "their_refunds", "their_refunded_fen"),
        *("our_payments", "our_paid_fen", "our_refunds", "our_refunded_fen"),
    ]
    return bills.aggregate(**{name: Sum(name, default=0) for name in names})


def _make_refund_entries(tries: QuerySet[RefundTry]) -> list[Entry]:
    rows = tries.order_by("number").values_list(
        "refund__attempt__number", "number", "refund__amount_fen"
    )
    return [Entry(Key(attempt, number), fen) for attempt, number, fen in rows]


def _split(numbers: Sequence[str]) -> list[Sequence[str]]:
    return [numbers[start : start + _BATCH] for start in range(0, len(numbers), _BATCH)]
