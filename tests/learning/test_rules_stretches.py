"""Stretches: joined when close, dated honestly, never worth more than what passed."""

from datetime import timedelta

import pytest

from learning.rules.stretches import (
    choose_creditable,
    find_start,
    joins_stretch,
    remove_intervals,
)
from tests.clock import at

NOON = at("2026-06-15 12:00")


@pytest.mark.parametrize(("seconds", "joined"), [(0, True), (120, True), (121, False)])
def test_what_follows_closely_is_one_stretch(seconds: int, joined: bool):
    assert joins_stretch(NOON, NOON + timedelta(seconds=seconds), []) is joined


def test_a_stretch_of_many_jumps_comes_to_an_end():
    assert joins_stretch(NOON, NOON, [(0, 1)] * 59)
    assert not joins_stretch(NOON, NOON, [(0, 1)] * 60)


@pytest.mark.parametrize(
    ("not_before", "start"),
    [
        ("2026-06-15 11:55", "2026-06-15 11:55"),
        ("2026-06-15 11:53", "2026-06-15 11:53"),
        # Paused: at the latest five minutes before.
        ("2026-06-15 10:00", "2026-06-15 11:55"),
        # Watched in a session before this one.
        ("2026-06-15 11:59", "2026-06-15 11:55"),
        (None, "2026-06-15 11:55"),
    ],
)
def test_the_start_of_watched_time(not_before: str | None, start: str):
    found = find_start(NOON, 300_000, not_before=at(not_before) if not_before else None)

    assert found == at(start)


def test_nothing_credited_or_pending_is_credited_again():
    media = [(0, 100), (200, 300)]

    assert choose_creditable(media, [(50, 250)], 1_000) == [(0, 50), (250, 300)]


@pytest.mark.parametrize(
    ("limit_ms", "chosen"),
    [(0, []), (30, [(0, 30)]), (120, [(0, 100), (200, 220)])],
)
def test_no_more_than_the_limit(limit_ms: int, chosen: list[tuple[int, int]]):
    assert choose_creditable([(0, 100), (200, 300)], [], limit_ms) == chosen


def test_removing_leaves_the_rest():
    assert remove_intervals([(0, 100), (200, 300)], [(50, 250)]) == [
        (0, 50),
        (250, 300),
    ]
