from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.errors import IllegalTransitionError
from orders.rules import (
    REFUND_TRANSITIONS,
    RefundPolicy,
    check_transition,
    list_obstacles,
    make_refund_number,
    next_round,
    share_amount,
)
from tests.clock import at

POLICY = RefundPolicy(
    buyers_may_ask=True, days=30, by_seat=True, after_study=False, needs_approval=True
)
PAID_ON = date(2026, 6, 15)


def obstacles(policy: RefundPolicy = POLICY, **changes: object) -> list[str]:
    facts = {"paid_on": PAID_ON, "today": PAID_ON, "is_whole": True, "studied": []}
    return list_obstacles(policy, **(facts | changes))  # type: ignore[arg-type]


def test_nothing_stands_against_a_fresh_order() -> None:
    assert obstacles() == []
    assert obstacles(today=date(2026, 7, 15), is_whole=False) == []


def test_every_obstacle_is_named() -> None:
    policy = RefundPolicy(True, 7, False, False, True)

    assert obstacles(
        policy,
        today=date(2026, 6, 23),
        is_whole=False,
        studied=["赵一", "钱二", "孙三", "李四", "赵一"],
    ) == [
        "已超过支付后7天的退款期限",
        "只能整单退款",
        "赵一、钱二、孙三等4人已开始学习",
    ]


def test_studying_may_be_forgiven() -> None:
    policy = RefundPolicy(True, 30, True, True, True)

    assert obstacles(policy, studied=["赵一"]) == []


@given(
    prices=st.lists(st.integers(1, 10_000), min_size=1, max_size=20),
    left=st.integers(0, 200_000),
    is_rest=st.booleans(),
)
def test_never_more_goes_back_than_is_left(
    prices: list[int], left: int, is_rest: bool
) -> None:
    amount = share_amount(prices, left_fen=left, is_rest=is_rest)

    assert 0 <= amount <= left
    assert amount == left if is_rest else amount == min(left, sum(prices))


def test_pauses_grow_and_the_last_repeats() -> None:
    now = at("2026-06-15 10:00")
    pauses = [next_round(rounds, now) - now for rounds in range(1, 20)]

    assert pauses[:3] == [
        timedelta(seconds=15),
        timedelta(minutes=1),
        timedelta(minutes=5),
    ]
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=6)
    assert next_round(0, now) == next_round(1, now)


@pytest.mark.parametrize("state", ["done", "refused", "cancelled"])
def test_an_ended_refund_stays_ended(state: str) -> None:
    for new in REFUND_TRANSITIONS:
        with pytest.raises(IllegalTransitionError):
            check_transition(REFUND_TRANSITIONS, state, new)


def test_number_fits_every_vendor() -> None:
    number = make_refund_number(date(2026, 6, 15))

    assert number.startswith("T260615")
    assert (len(number), number.isalnum(), number.isascii()) == (20, True, True)
    assert number.upper() == number
    assert make_refund_number(date(2026, 6, 15)) != number


def test_moments_of_other_zones_make_no_difference() -> None:
    moment = datetime(2026, 6, 15, 2, 0, tzinfo=timezone(timedelta()))

    assert next_round(1, moment) == next_round(1, at("2026-06-15 10:00"))
