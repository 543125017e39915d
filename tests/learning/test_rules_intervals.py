from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from learning.rules.intervals import (
    covers,
    merge_intervals,
    subtract_intervals,
    total_ms,
)

moments = st.integers(min_value=0, max_value=60)
intervals = st.lists(st.tuples(moments, moments), max_size=12)


def points(each: list[tuple[int, int]]) -> set[int]:
    """The whole numbers inside half-open intervals: a model that is plainly right."""
    return {moment for start, end in each for moment in range(start, end)}


def test_touching_intervals_become_one():
    assert merge_intervals([[10, 20], [0, 10], [30, 40]]) == [(0, 20), (30, 40)]


def test_empty_and_backward_intervals_vanish():
    assert merge_intervals([(5, 5), (9, 3)]) == []


@given(intervals)
def test_merging_is_the_union(given_intervals: list[tuple[int, int]]):
    merged = merge_intervals(given_intervals)

    assert points(merged) == points(given_intervals)
    assert all(first[1] < second[0] for first, second in pairwise(merged))
    assert total_ms(merged) == len(points(given_intervals))


@given(intervals)
def test_merging_twice_changes_nothing(given_intervals: list[tuple[int, int]]):
    """I3: what was covered before adds nothing."""
    merged = merge_intervals(given_intervals)

    assert merge_intervals([*merged, *given_intervals]) == merged


@given(moments, moments, intervals)
def test_subtracting_leaves_what_is_new(
    start: int, end: int, taken: list[tuple[int, int]]
):
    left = subtract_intervals((start, end), taken)

    assert points(left) == points([(start, end)]) - points(taken)
    assert total_ms(left) == len(points(left))


def test_covers_counts_both_ends():
    assert [covers([(10, 20)], moment) for moment in (9, 10, 15, 20, 21)] == [
        False,
        True,
        True,
        True,
        False,
    ]
