import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.models import RefusedTime
from learning.rules.credit import (
    BeatCredit,
    Movement,
    Refusal,
    Terms,
    credit_beat,
    is_chapter_covered,
)

TERMS = Terms(
    beat_ms=10_000,
    tolerance_ms=5_000,
    prompt_after_ms=(240_000, 540_000),
    first_prompt_ms=None,
    prompt_answer_ms=60_000,
    prompt_tries=3,
    prompt_hold_ms=60_000,
    idle_ms=900_000,
)
milliseconds = st.integers(min_value=0, max_value=120_000)
positions = st.integers(min_value=0, max_value=3_600_000)


def credit(elapsed_ms: int, from_ms: int, to_ms: int, **fields: object) -> BeatCredit:
    return credit_beat(Movement(elapsed_ms, from_ms, to_ms, **fields), TERMS)


def test_a_beat_on_time_earns_what_was_played():
    assert credit(10_000, 50_000, 60_000) == BeatCredit((50_000, 60_000), 0)


def test_a_late_beat_saves_the_time_for_the_next():
    late = credit(13_000, 0, 10_000)
    early = credit(7_000, 10_000, 20_000, balance_ms=late.balance_ms)

    assert late == BeatCredit((0, 10_000), 3_000)
    assert early == BeatCredit((10_000, 20_000), 0)


def test_a_position_slightly_ahead_earns_the_elapsed_time():
    assert credit(10_000, 0, 12_000) == BeatCredit(
        (0, 10_000), -2_000, 2_000, Refusal.NETWORK
    )


def test_running_ahead_is_forgiven_once_per_session():
    first = credit(10_000, 0, 12_500)
    second = credit(10_000, 12_500, 25_000, balance_ms=first.balance_ms)
    third = credit(10_000, 25_000, 37_500, balance_ms=second.balance_ms)

    assert (first.credit_ms, second.credit_ms, third.credit_ms) == (10_000, 10_000, 0)
    assert third.refusal == Refusal.TOO_FAST
    assert third.refused_ms == 10_000


def test_double_speed_earns_nothing():
    assert credit(10_000, 0, 20_000) == BeatCredit(None, 0, 10_000, Refusal.TOO_FAST)


def test_a_jump_earns_nothing():
    assert credit(10_000, 0, 600_000) == BeatCredit(None, 0, 10_000, Refusal.TOO_FAST)


def test_after_a_silence_the_gap_cap_is_all():
    assert credit(300_000, 0, 300_000) == BeatCredit(
        (0, 20_000), 0, 280_000, Refusal.NETWORK
    )


def test_reviewing_at_any_speed_leaves_the_balance():
    slightly_faster = credit(10_000, 0, 12_500, balance_ms=1_000, is_review=True)
    slower = credit(10_000, 0, 7_500, balance_ms=-4_000, is_review=True)

    assert slightly_faster == BeatCredit(None, 1_000, 10_000, Refusal.REPEATED)
    assert slower == BeatCredit(None, -4_000, 7_500, Refusal.REPEATED)


def test_going_back_earns_nothing_and_costs_nothing():
    assert credit(10_000, 60_000, 5_000, balance_ms=-1_000) == BeatCredit(None, -1_000)


def test_standing_still_saves_no_more_than_the_tolerance():
    assert credit(3_600_000, 60_000, 60_000) == BeatCredit(None, 5_000)


def test_the_first_beat_must_come_within_the_gap_cap():
    in_time = credit(20_000, 0, 20_000, is_first=True)
    too_late = credit(21_000, 0, 20_000, is_first=True)

    assert in_time.credit_ms == 20_000
    assert too_late.credit_ms == 0
    assert (too_late.refused_ms, too_late.refusal) == (20_000, Refusal.NETWORK)


@given(elapsed=milliseconds, start=positions, end=positions)
def test_one_beat_is_capped_by_time_way_and_gap(elapsed: int, start: int, end: int):
    """I1 for a beat with nothing saved."""
    earned = credit(elapsed, start, end)

    assert earned.credit_ms <= min(elapsed, max(0, end - start), TERMS.gap_ms)
    assert earned.credit_ms >= 0


@given(
    elapsed=milliseconds,
    start=positions,
    end=positions,
    balance=st.integers(min_value=-5_000, max_value=5_000),
)
def test_the_balance_stays_within_the_tolerance(
    elapsed: int, start: int, end: int, balance: int
):
    earned = credit(elapsed, start, end, balance_ms=balance)

    assert abs(earned.balance_ms) <= TERMS.tolerance_ms
    assert earned.credit_ms <= min(
        elapsed + max(0, balance), max(0, end - start), TERMS.gap_ms
    )


@given(st.lists(st.tuples(milliseconds, positions), max_size=40))
def test_a_session_never_earns_more_than_the_time_since_its_opening(
    beats: list[tuple[int, int]],
):
    """I2: whatever the beats say, the sum stays below the clock; over a window, with TOL."""
    balance, position, earned_ms, elapsed_ms = 0, 0, 0, 0
    ahead: list[int] = [0]
    for elapsed, target in beats:
        earned = credit(elapsed, position, target, balance_ms=balance)
        balance, position = earned.balance_ms, target
        earned_ms += earned.credit_ms
        elapsed_ms += elapsed
        ahead.append(earned_ms - elapsed_ms)
        assert earned_ms <= elapsed_ms
    rises = [late - soon for i, soon in enumerate(ahead) for late in ahead[i:]]
    assert max(rises) <= TERMS.tolerance_ms


@given(st.lists(st.integers(min_value=0, max_value=4_000), min_size=2, max_size=60))
def test_a_line_with_delays_below_the_tolerance_costs_nothing(delays: list[int]):
    """Beats leave every ten seconds and arrive up to four seconds late, in order."""
    balance, last_arrival, earned_ms = 0, 0, 0
    for number, delay in enumerate(delays, start=1):
        arrival = max(last_arrival, number * 10_000 + delay)
        earned = credit(
            arrival - last_arrival,
            (number - 1) * 10_000,
            number * 10_000,
            balance_ms=balance,
        )
        balance, last_arrival = earned.balance_ms, arrival
        earned_ms += earned.credit_ms

    assert earned_ms == len(delays) * 10_000


@pytest.mark.parametrize(
    ("covered_ms", "is_covered"), [(0, False), (94_999, False), (95_000, True)]
)
def test_a_chapter_is_covered_at_95_percent(covered_ms: int, is_covered: bool):
    assert is_chapter_covered(covered_ms, 100_000) is is_covered


def test_a_chapter_without_length_is_never_covered():
    assert not is_chapter_covered(0, 0)


def test_reasons_are_those_of_the_model():
    assert {each.value for each in Refusal} == set(RefusedTime.Reason.values)
