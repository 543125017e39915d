"""Taking codes back for a refund. Given and used codes stay with their people."""

from datetime import datetime

from django.db import transaction

from orders.errors import CodesTakenError
from orders.locks import lock_people, lock_unused_codes, lock_voided_codes
from orders.models import ActivationCode, OrderLine

State = ActivationCode.State


@transaction.atomic
def void_codes(
    *, line: OrderLine, count: int | None, reference: str, now: datetime
) -> list[ActivationCode]:
    """Make `count` unused codes of an order line worthless, before their money goes back;
    None for all of them.

    To be called in the transaction that approves the refund, after the order is locked.
    `reference` is the refund's number: repeated with the same one, nothing more is voided,
    and `restore_codes` undoes it when the gateway refuses for good. Codes on no paper go
    first. What of the line is left to refund: `queries.codes.count_free_codes`.

    Raises `CodesTakenError` when fewer than `count` are unused, and then voids none.
    """
    # Givings of this owner wait here; a typed code is decided by the lock of its row.
    lock_people([line.order.buyer_id])
    done = lock_voided_codes(line=line, voided_for=reference)
    if count is not None and count <= len(done):
        return done
    free = lock_unused_codes(line=line)
    missing = len(free) if count is None else count - len(done)
    if len(free) < missing:
        raise CodesTakenError(len(free))
    free.sort(key=lambda code: (code.printed_at is not None, code.pk))
    chosen = free[:missing]
    for code in chosen:
        code.state, code.voided_at, code.voided_for = State.VOID, now, reference
    ActivationCode.objects.bulk_update(
        chosen, ["state", "voided_at", "voided_for"], batch_size=500
    )
    return done + chosen


@transaction.atomic
def restore_codes(*, line: OrderLine, reference: str) -> int:
    """Make the codes usable again that `void_codes` voided for a refund that came to
    nothing; how many."""
    lock_people([line.order.buyer_id])
    voided = lock_voided_codes(line=line, voided_for=reference)
    for code in voided:
        code.state, code.voided_at, code.voided_for = State.UNUSED, None, ""
    ActivationCode.objects.bulk_update(
        voided, ["state", "voided_at", "voided_for"], batch_size=500
    )
    return len(voided)
