"""The lease of a group check."""

from accounts.services.leases import Clock, Lease, take
from orders.locks import lock_check
from orders.models import GroupCheck

CheckLease = Lease[GroupCheck]

_WORK_FIELDS = (
    *("state", "reason", "file", "error_file", "checked_at", "lease_until"),
    *("row_count", "checked_count", "free_count", "asked_count", "unknown_count"),
    *("tidied", "alarm"),
)


def take_lease(check_id: int, clock: Clock) -> CheckLease | None:
    """Begin to check, or take over from a dead worker; None if the check is not free."""
    return take(
        check_id,
        states=GroupCheck.TO_CHECK,
        working=GroupCheck.State.CHECKING,
        lock=lock_check,
        among=GroupCheck.objects.all(),
        fields=_WORK_FIELDS,
        clock=clock,
    )
