"""The right of one worker to work on a row for a while: whoever takes over, takes it away.

For rows of any app that have `state`, `lease_until` and `tries`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from django.db import transaction
from django.db.models import F, Q, QuerySet

Clock = Callable[[], datetime]

# A step takes a second or two, reading the largest sheet ten; who is silent longer is dead.
LEASE = timedelta(seconds=90)


class LeaseLostError(Exception):
    """Somebody else is at the row now, or its state was changed: nothing more to do here."""


class LeasedRow(Protocol):
    """What a lease needs of a row; its `tries` are counted by the database alone."""

    state: Any
    lease_until: Any

    def save(self, *, update_fields: Iterable[str]) -> None: ...


Row = TypeVar("Row", bound=LeasedRow)


class Lease(Generic[Row]):
    """The lease of one row while it is in the state `working`: its `lease_until` column.

    `fields` are what the work changes; columns of others are not written over.
    """

    def __init__(
        self,
        row_id: int,
        until: datetime,
        *,
        working: str,
        lock: Callable[[int], Row],
        fields: Iterable[str],
        clock: Clock,
    ) -> None:
        self.row_id, self.until, self.clock = row_id, until, clock
        self._working, self._fields = working, tuple(fields)
        self._lock: Callable[[int], Row] = lock

    @contextmanager
    def hold(self) -> Iterator[Row]:
        """A transaction with the row locked; at its end it is saved and the lease renewed.

        Raises `LeaseLostError`.
        """
        until = self.clock() + LEASE
        with transaction.atomic():
            row = self._lock(self.row_id)
            if row.lease_until != self.until or row.state != self._working:
                raise LeaseLostError
            row.lease_until = until
            yield row
            if row.state != self._working:
                row.lease_until = None
            row.save(update_fields=self._fields)
        self.until = until


def take(
    row_id: int,
    *,
    among: QuerySet[Any],
    states: Iterable[str],
    working: str,
    lock: Callable[[int], Row],
    fields: Iterable[str],
    clock: Clock,
) -> Lease[Row] | None:
    """Put a row of these states into the state `working`, for us, or take it over from a dead
    worker; None if it is not free."""
    now = clock()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    until = now + LEASE
    taken = among.filter(free, pk=row_id, state__in=tuple(states)).update(
        state=working, lease_until=until, tries=F("tries") + 1
    )
    if not taken:
        return None
    return Lease(row_id, until, working=working, lock=lock, fields=fields, clock=clock)
