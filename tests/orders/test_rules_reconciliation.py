from datetime import date, timedelta

import pytest

from orders.rules.reconciliation import (
    Difference,
    Entry,
    Key,
    bounds_of,
    compare,
    list_ready_days,
)
from tests.clock import at

A, B = Key("R1"), Key("R2")
REFUND = Key("R1", "T1")


def test_what_both_have_is_no_difference() -> None:
    both = [Entry(A, 3300), Entry(REFUND, 100)]

    assert compare(theirs=both, ours=both, booked=both) == []


def test_three_ways_to_differ() -> None:
    differences = compare(
        theirs=[Entry(A, 3300), Entry(REFUND, 100)],
        ours=[Entry(B, 3300), Entry(REFUND, 200)],
        booked=[Entry(REFUND, 200)],
    )

    assert differences == [
        Difference(A, None, 3300),
        Difference(REFUND, 200, 100),
        Difference(B, 3300, None),
    ]
    assert [row.kind for row in differences] == ["theirs_only", "amount", "ours_only"]
    assert [row.key.subject for row in differences] == ["payment", "refund", "payment"]


def test_midnight_lies_between_two_bills() -> None:
    """Booked by us for another day, billed by them on another day: no difference."""
    assert compare(theirs=[Entry(A, 1)], ours=[], booked=[Entry(A, 1)]) == []
    assert compare(theirs=[], ours=[Entry(A, 1)], billed_elsewhere=[A]) == []


def test_a_payment_billed_twice_is_money_twice() -> None:
    twice = [Entry(A, 3300)] * 2

    assert compare(theirs=twice, ours=[Entry(A, 3300)], booked=[Entry(A, 3300)]) == [
        Difference(A, 3300, 6600)
    ]


def test_a_day_is_beijings() -> None:
    start, end = bounds_of(date(2026, 6, 15))

    assert start == at("2026-06-15 00:00")
    assert end - start == timedelta(days=1)


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        ("2026-06-15 09:59", date(2026, 6, 13)),
        ("2026-06-15 10:00", date(2026, 6, 14)),
        ("2026-01-01 10:00", date(2025, 12, 31)),
    ],
)
def test_bills_are_ready_from_ten(moment: str, last: date) -> None:
    days = list_ready_days(at(moment))

    assert days[-1] == last
    assert len(days) == 7
    assert days == sorted(days)
