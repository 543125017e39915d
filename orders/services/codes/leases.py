"""The lease of an import of people for codes."""

from collections.abc import Sequence

from accounts.services.leases import Clock, Lease, take
from orders.locks import lock_import
from orders.models import CodeImport

ImportLease = Lease[CodeImport]

_WORK_FIELDS = (
    *("state", "reason", "checked_at", "ended_at", "row_count", "checked_count"),
    *("valid_count", "given_count", "failed_count", "lease_until"),
    *("file", "error_file"),
)


def take_lease(
    import_id: int, *, states: Sequence[str], working: str, clock: Clock
) -> ImportLease | None:
    """Put an import of these states into the state `working`, for us; None if not free."""
    return take(
        import_id,
        states=states,
        working=working,
        lock=lock_import,
        among=CodeImport.objects.all(),
        fields=_WORK_FIELDS,
        clock=clock,
    )
