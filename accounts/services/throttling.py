"""Counters of tries, kept as keyed hashes, exact under parallel requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.locks import lock_counter
from accounts.models import ThrottleCounter
from accounts.personal_data import blind_index
from accounts.rules.throttles import Limit, Window, count_try, is_allowed

Scope = ThrottleCounter.Scope


def throttle_key(*parts: str) -> str:
    """A keyed hash of what is counted: the table names no account and no address."""
    return blind_index().of("throttle", "\n".join(parts))


@dataclass(frozen=True)
class Counter:
    """What is counted, where, and how much of it is allowed."""

    scope: Scope
    key: str
    limit: Limit


@transaction.atomic
def take_tries(counters: Sequence[Counter], *, now: datetime) -> bool:
    """Count one more try in each counter until one is full; whether the try may go ahead.

    Counted before the try is made: of many parallel tries no more than the limit pass.
    Callers give the counters in one fixed order of scopes, or two requests could deadlock.
    """
    return all(_take_try(counter, now=now) for counter in counters)


def _take_try(counter: Counter, *, now: datetime) -> bool:
    row = lock_counter(counter.scope, counter.key, now=now)
    known = Window(row.count, row.window_started_at) if row.count else None
    window = count_try(known, counter.limit, now=now)
    row.count, row.window_started_at = window.count, window.started_at
    row.save(update_fields=["count", "window_started_at"])
    return is_allowed(window, counter.limit)


def give_back_try(*, scope: Scope, key: str) -> None:
    """Take back a try that turned out honest."""
    ThrottleCounter.objects.filter(scope=scope, key=key, count__gt=0).update(
        count=F("count") - 1
    )


def give_back_tries(counters: Sequence[Counter]) -> None:
    """Take back a try that was counted in all of these and could not be made."""
    for counter in counters:
        give_back_try(scope=counter.scope, key=counter.key)


def forget_tries(*, scope: Scope, key: str) -> None:
    """Start anew, after a success."""
    ThrottleCounter.objects.filter(scope=scope, key=key).update(count=0)
