"""Stretches of a session that counted or did not: where one ends and the next begins."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from learning.rules.intervals import Interval, subtract_intervals

# Refusals that follow each other this closely are one stretch to whoever looks at them.
ADJACENT = timedelta(minutes=2)
# A stretch holds no more media intervals than this: whoever jumps about begins another.
MOST_INTERVALS = 60


def joins_stretch(
    last_at: datetime, since: datetime, intervals: Sequence[Sequence[int]]
) -> bool:
    """Does what began at `since` go on with a stretch that ended at `last_at`?"""
    return since - last_at <= ADJACENT and len(intervals) < MOST_INTERVALS


def find_start(
    end: datetime, milliseconds: int, *, not_before: datetime | None
) -> datetime:
    """When watched time of this length began that ended at `end`.

    Without a pause it goes back to `not_before` (the session's opening, or the end of the
    stretch before). Who paused began at the latest as long before the end as they watched.
    """
    latest = end - timedelta(milliseconds=milliseconds)
    if not_before is None or not_before < latest - ADJACENT:
        return latest
    return min(latest, not_before)


def choose_creditable(
    media: Iterable[Sequence[int]],
    known: Iterable[Sequence[int]],
    limit_ms: int,
) -> list[Interval]:
    """What of refused media may be credited: what is not credited or pending yet (`known`),
    from its start on, and no more than `limit_ms`."""
    taken = list(known)
    chosen: list[Interval] = []
    for interval in media:
        for start, end in subtract_intervals(interval, taken):
            length = min(end - start, limit_ms)
            if length <= 0:
                return chosen
            chosen.append((start, start + length))
            limit_ms -= length
    return chosen


def remove_intervals(
    covered: Iterable[Sequence[int]], removed: Sequence[Sequence[int]]
) -> list[Interval]:
    """`covered` without `removed`; both are sorted and disjoint."""
    return [part for each in covered for part in subtract_intervals(each, removed)]
