"""The lease of a registration list."""

from collections.abc import Sequence

from accounts.locks import lock_list
from accounts.models import RegistrationList
from accounts.services.leases import Clock, Lease, take

ListLease = Lease[RegistrationList]

_WORK_FIELDS = (
    *("state", "form", "head_cipher", "reason", "checked_at", "ended_at"),
    *("row_count", "checked_count", "valid_count", "known_count", "conflict_count"),
    *("hidden_count", "new_count", "linked_count", "failed_count", "lease_until"),
    *("file", "error_file", "result_file"),
)


def take_lease(
    list_id: int, *, states: Sequence[str], working: str, clock: Clock
) -> ListLease | None:
    """Put a list of these states into the state `working`, for us; None if it is not free."""
    return take(
        list_id,
        among=RegistrationList.objects.all(),
        states=states,
        working=working,
        lock=lock_list,
        fields=_WORK_FIELDS,
        clock=clock,
    )
