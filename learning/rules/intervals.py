"""Sets of media time as sorted, disjoint intervals [from, to) in milliseconds."""

from collections.abc import Iterable, Sequence

Interval = tuple[int, int]


def merge_intervals(intervals: Iterable[Sequence[int]]) -> list[Interval]:
    """The union as sorted intervals that neither overlap nor touch; empty ones vanish."""
    merged: list[Interval] = []
    for start, end in sorted((each[0], each[1]) for each in intervals):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def subtract_intervals(
    interval: Sequence[int], taken: Iterable[Sequence[int]]
) -> list[Interval]:
    """What of `interval` lies in none of `taken`."""
    start, end = interval[0], interval[1]
    left: list[Interval] = []
    for taken_start, taken_end in merge_intervals(taken):
        if taken_end <= start:
            continue
        if taken_start >= end:
            break
        if taken_start > start:
            left.append((start, taken_start))
        start = taken_end
    if start < end:
        left.append((start, end))
    return left


def total_ms(intervals: Iterable[Sequence[int]]) -> int:
    """Length of a union in milliseconds; the intervals must be disjoint."""
    return sum(each[1] - each[0] for each in intervals)


def covers(intervals: Iterable[Sequence[int]], moment_ms: int) -> bool:
    """Is the moment inside an interval or at one of its ends?"""
    return any(each[0] <= moment_ms <= each[1] for each in intervals)
