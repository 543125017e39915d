"""The right of one worker to work on a list, for a while: whoever takes over, takes it away."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from accounts.locks import lock_list
from accounts.models import RegistrationList

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# A step of the work takes a second or two, reading the largest sheet ten; a worker that is
# silent for so long is dead.
LEASE = timedelta(seconds=90)
# What the work changes: staff's decisions and other people's columns are not written over.
WORK_FIELDS = (
    *("state", "form", "head_cipher", "reason", "checked_at", "ended_at"),
    *("row_count", "checked_count", "valid_count", "known_count", "conflict_count"),
    *("hidden_count", "new_count", "linked_count", "failed_count", "lease_until"),
)


class LeaseLostError(Exception):
    """Somebody else is at the list now, or it was withdrawn: nothing more to do here."""


class ListLease:
    """The lease of one list: the value of its `lease_until` column."""

    def __init__(self, list_id: int, state: str, until: datetime, clock: Clock) -> None:
        self.list_id, self.state, self.until, self.clock = list_id, state, until, clock

    @contextmanager
    def hold(self, *also: str) -> Iterator[RegistrationList]:
        """A transaction with the list locked; at its end the list is saved, the lease renewed.

        `also` names columns to save besides the usual ones. Raises `LeaseLostError`.
        """
        until = self.clock() + LEASE
        with transaction.atomic():
            row = lock_list(self.list_id)
            if row.lease_until != self.until or row.state != self.state:
                raise LeaseLostError
            row.lease_until = until
            yield row
            if row.state != self.state:
                row.lease_until = None
            row.save(update_fields=[*WORK_FIELDS, *also])
        self.until = until


def take_lease(
    list_id: int, *, states: Sequence[str], working: str, clock: Clock
) -> ListLease | None:
    """Put a list of these states into the state `working`, for us; None if it is not free."""
    now = clock()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    until = now + LEASE
    taken = RegistrationList.objects.filter(
        free, pk=list_id, state__in=tuple(states)
    ).update(state=working, lease_until=until, tries=F("tries") + 1)
    return ListLease(list_id, working, until, clock) if taken else None
