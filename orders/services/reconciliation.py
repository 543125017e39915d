"""A gateway's bill of a day against our books.

Lost notifications that it holds are settled the usual way; what still differs is for finance.
May be run for any day, any number of times, and killed at any line.
"""

import json
import logging
from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.services import record_audit
from orders.errors import (
    BillDayNotReadyError,
    DifferenceResolvedError,
    ReasonMissingError,
)
from orders.locks import lock_bill, lock_difference
from orders.models import (
    BillDay,
    BillDifference,
    BillEntry,
    GatewayMessage,
    PaymentAttempt,
)
from orders.payments.protocol import BillLine, GatewayUnavailable, Report, State
from orders.payments.registry import get_gateway, list_gateways
from orders.queries.reconciliation import (
    find_attempts,
    list_billed_elsewhere,
    list_booked,
    list_missing_days,
    list_our_payments,
    list_our_refunds,
    sum_up,
)
from orders.rules.reconciliation import BILL_ZONE, Difference, Entry, Key, compare
from orders.services.outcomes import Outcome
from orders.services.settlement import apply_report

logger = logging.getLogger(__name__)

_BATCH = 1000
_PROBLEM_LENGTH = 200


def open_due_bills(*, now: datetime) -> list[BillDay]:
    """Make a row for each gateway and recent day whose bill should be there by now."""
    rows = [
        BillDay(gateway=code, day=day, created_at=now)
        for code, _ in list_gateways()
        for day in list_missing_days(code, now)
    ]
    return BillDay.objects.bulk_create(rows, ignore_conflicts=True)


def request_bill(
    *, gateway: str, day: date, now: datetime, actor: User | None = None
) -> BillDay:
    """Have the bill of a day read, for the first time or again.

    Raises `BillDayNotReadyError` for a day that is not over.
    """
    if day >= now.astimezone(BILL_ZONE).date():
        raise BillDayNotReadyError
    with transaction.atomic():
        bill, _ = BillDay.objects.get_or_create(
            gateway=gateway, day=day, defaults={"created_at": now}
        )
        bill = lock_bill(bill.pk)
        bill.state, bill.tried_at = BillDay.State.WAITING, None
        bill.save(update_fields=["state", "tried_at"])
        if actor is not None:
            record_audit(
                action="orders.reconciliation_requested",
                target=f"bill:{gateway}:{day}",
                actor=actor,
                now=now,
            )
    return bill


def reconcile_bill(*, bill_id: int, now: datetime) -> BillDay:
    """Read a bill, settle what it shows to be lost, and note what differs.

    A bill that cannot be had, or not to its end, changes nothing and is asked for again.
    """
    BillDay.objects.filter(pk=bill_id).update(tried_at=now)
    bill = BillDay.objects.get(pk=bill_id)
    try:
        lines = list(get_gateway(bill.gateway).read_bill(bill.day))
    except (GatewayUnavailable, KeyError) as error:
        logger.warning("bill %s: not read: %s", bill, error)
        problem = f"{error}"[:_PROBLEM_LENGTH] or "渠道未给出账单"
        BillDay.objects.filter(pk=bill_id).update(problem=problem)
        bill.refresh_from_db()
        return bill
    found = _settle_lost(bill, lines, now)
    return _note(bill_id, lines, found, now)


def _settle_lost(bill: BillDay, lines: Iterable[BillLine], now: datetime) -> int:
    """Apply every line that our books do not have yet, each in a transaction of its own."""
    chosen = list(lines)
    booked = {entry.key for entry in list_booked(bill.gateway, map(_key, chosen))}
    attempts = find_attempts(bill.gateway, (line.attempt_number for line in chosen))
    found = 0
    for line in chosen:
        if _key(line) in booked:
            continue
        outcome = _apply(bill, line, attempts.get(line.attempt_number), now)
        found += outcome is not Outcome.UNCHANGED
    return found


@transaction.atomic
def _apply(
    bill: BillDay, line: BillLine, attempt: PaymentAttempt | None, now: datetime
) -> Outcome:
    event_id = f"{bill.day}:{line.refund_number or line.attempt_number}"[:80]
    known = GatewayMessage.objects.filter(
        gateway=bill.gateway, source=GatewayMessage.Source.BILL, event_id=event_id
    )
    if known.exists():
        # The bill read again says what it said before.
        return Outcome.UNCHANGED
    message = GatewayMessage.objects.create(
        gateway=bill.gateway,
        source=GatewayMessage.Source.BILL,
        attempt=attempt,
        event_id=event_id,
        body=json.dumps(_describe(line), ensure_ascii=False),
        verdict=GatewayMessage.Verdict.VERIFIED,
        state=GatewayMessage.State.DONE,
        received_at=now,
        processed_at=now,
    )
    return apply_report(
        gateway=bill.gateway,
        report=Report(
            attempt_number=line.attempt_number,
            state=State.REFUNDED if line.refund_number else State.PAID,
            amount_fen=line.amount_fen,
            gateway_number=line.gateway_number,
            paid_at=line.at,
            refund_number=line.refund_number,
        ),
        source=GatewayMessage.Source.BILL,
        now=now,
        message=message,
    )


@transaction.atomic
def _note(
    bill_id: int, lines: Iterable[BillLine], found: int, now: datetime
) -> BillDay:
    """Keep the bill, the figures of both sides and what differs."""
    bill = lock_bill(bill_id)
    chosen = list(lines)
    # What was read before may have been the bill of a day that was not closed yet.
    bill.entries.all().delete()
    BillEntry.objects.bulk_create(
        [_make_entry(bill, place, line) for place, line in enumerate(chosen, start=1)],
        batch_size=_BATCH,
    )
    payments = list_our_payments(bill.gateway, bill.day)
    refunds = list_our_refunds(bill.gateway, bill.day)
    ours, theirs = payments + refunds, [_entry(line) for line in chosen]
    differences = compare(
        theirs=theirs,
        ours=ours,
        billed_elsewhere=list_billed_elsewhere(bill, (entry.key for entry in ours)),
        booked=list_booked(bill.gateway, (entry.key for entry in theirs)),
    )
    _keep_differences(bill, differences, now)
    _end_found_elsewhere(bill, (entry.key for entry in theirs), now)
    came = [entry for entry in theirs if not entry.key.refund_number]
    went = [entry for entry in theirs if entry.key.refund_number]
    bill.their_payments, bill.their_paid_fen = sum_up(came)
    bill.their_refunds, bill.their_refunded_fen = sum_up(went)
    bill.our_payments, bill.our_paid_fen = sum_up(payments)
    bill.our_refunds, bill.our_refunded_fen = sum_up(refunds)
    bill.found_payments += found
    bill.state, bill.read_at, bill.problem = BillDay.State.READ, now, ""
    bill.save()
    return bill


def _keep_differences(
    bill: BillDay, differences: Iterable[Difference], now: datetime
) -> None:
    """Note new differences; what staff have decided stays decided, what has gone is noted as
    gone, and what comes back is open again."""
    chosen = list(differences)
    attempts = find_attempts(bill.gateway, (row.key.attempt_number for row in chosen))
    kept: set[int] = set()
    for row in chosen:
        known, _ = bill.differences.get_or_create(
            subject=row.key.subject,
            kind=row.kind,
            attempt_number=row.key.attempt_number[:64],
            refund_number=row.key.refund_number[:64],
            defaults={
                "attempt": attempts.get(row.key.attempt_number),
                "our_fen": row.our_fen,
                "their_fen": row.their_fen,
                "found_at": now,
            },
        )
        kept.add(known.pk)
        amounts = (known.our_fen, known.their_fen)
        is_changed = amounts != (row.our_fen, row.their_fen)
        if is_changed or known.state == BillDifference.State.VANISHED:
            known.our_fen, known.their_fen = row.our_fen, row.their_fen
            known.state = BillDifference.State.OPEN
            known.save(update_fields=["our_fen", "their_fen", "state"])
    gone = bill.differences.filter(state=BillDifference.State.OPEN)
    gone.exclude(pk__in=kept).update(
        state=BillDifference.State.VANISHED, resolved_at=now
    )


def _end_found_elsewhere(bill: BillDay, keys: Iterable[Key], now: datetime) -> None:
    """What only we had on another day stands in this bill: midnight lay in between."""
    missed = BillDifference.objects.filter(
        bill__gateway=bill.gateway,
        kind=BillDifference.Kind.OURS_ONLY,
        state=BillDifference.State.OPEN,
    ).exclude(bill=bill)
    found = set(keys)
    ended = [
        row.pk for row in missed if Key(row.attempt_number, row.refund_number) in found
    ]
    # What finance have decided meanwhile stays decided.
    missed.filter(pk__in=ended).update(
        state=BillDifference.State.VANISHED, resolved_at=now
    )


@transaction.atomic
def resolve_difference(
    *, difference_id: int, resolution: str, actor: User, now: datetime
) -> BillDifference:
    """Let finance say what came of a difference.

    Raises `DifferenceResolvedError` and `ReasonMissingError`.
    """
    if not resolution.strip():
        raise ReasonMissingError
    row = lock_difference(difference_id)
    if row.state != BillDifference.State.OPEN:
        raise DifferenceResolvedError
    row.state = BillDifference.State.RESOLVED
    row.resolution = resolution.strip()[:200]
    row.resolved_at, row.resolved_by = now, actor
    row.save()
    record_audit(
        action="orders.bill_difference_resolved",
        target=f"difference:{row.pk}",
        actor=actor,
        now=now,
        detail={
            "attempt": row.attempt_number,
            "kind": row.kind,
            "reason": row.resolution,
        },
    )
    return row


def _key(line: BillLine) -> Key:
    return Key(line.attempt_number, line.refund_number)


def _entry(line: BillLine) -> Entry:
    return Entry(_key(line), line.amount_fen)


def _make_entry(bill: BillDay, place: int, line: BillLine) -> BillEntry:
    return BillEntry(
        bill=bill,
        position=place,
        attempt_number=line.attempt_number[:64],
        refund_number=line.refund_number[:64],
        gateway_number=line.gateway_number[:64],
        amount_fen=line.amount_fen,
        at=line.at,
    )


def _describe(line: BillLine) -> dict[str, str | int]:
    return {
        "attempt": line.attempt_number,
        "refund": line.refund_number,
        "amount_fen": line.amount_fen,
        "gateway_number": line.gateway_number,
        "at": line.at.isoformat() if line.at else "",
    }
