"""How far a run of steady beats may go, and how far a beat lies off the rhythm."""

import pytest

from learning.rules.steady import find_run_limit_ms, measure_jitter_ms
from learning.services.terms import read_terms

MINUTE = 60_000


@pytest.mark.parametrize(
    ("position", "known", "expected"),
    [
        # 95 % of ten minutes are 570 seconds; the run stops a millisecond before them.
        (10_000, [[0, 10_000]], 569_999),
        (310_000, [[0, 10_000]], 600_000),
        (10_000, [[0, 10_000], [200_000, 260_000]], 200_000),
        # Anew from the start of a gap that something before it has left open.
        (0, [[30_000, 40_000]], 30_000),
        (260_000, [[0, 10_000], [200_000, 260_000]], 600_000),
        # Inside of what is known, at its start, and in the last second before completion.
        (5_000, [[0, 10_000]], 5_000),
        (0, [[0, 10_000]], 0),
        (569_999, [[0, 569_999]], 569_999),
        # Complete: every further second is confirmed by the full ledger.
        (590_000, [[0, 580_000]], 590_000),
        # Nothing has counted in this chapter yet.
        (0, [], 0),
        (600_000, [[0, 10_000]], 600_000),
    ],
)
def test_a_run_ends_where_something_has_to_be_decided(
    position: int, known: list[list[int]], expected: int
):
    assert find_run_limit_ms(position, known, 10 * MINUTE) == expected


def test_a_chapter_without_length_has_no_run():
    assert find_run_limit_ms(5_000, [[0, 5_000]], 0) == 5_000


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [(10_000, 0), (10_250, 250), (9_000, 1_000), (0, 10_000), (900_000, 10_000)],
)
def test_jitter_is_the_distance_from_the_rhythm_and_bounded(
    elapsed: int, expected: int
):
    assert measure_jitter_ms(elapsed, read_terms()) == expected
