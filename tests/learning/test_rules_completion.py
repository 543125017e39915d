import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.rules.completion import (
    CreditRule,
    CreditState,
    count_useful_credits,
    is_plan_fulfilled,
    plan_percent,
)

PLAN_2020 = CreditRule(required=30, compulsory=20, elective=10)
PLAN_2026 = CreditRule(required=30)
counts = st.integers(min_value=0, max_value=60)


@pytest.mark.parametrize(
    ("rule", "earned", "useful"),
    [
        (PLAN_2020, CreditState(30, 0), 20),
        (PLAN_2020, CreditState(0, 30), 10),
        (PLAN_2020, CreditState(20, 9), 29),
        (PLAN_2020, CreditState(20, 10), 30),
        (PLAN_2026, CreditState(0, 29), 29),
        (PLAN_2026, CreditState(15, 15), 30),
        (CreditRule(30, 10, 5), CreditState(25, 5), 30),
        (CreditRule(30, 10, 5), CreditState(25, 4), 29),
    ],
)
def test_useful_credits(rule: CreditRule, earned: CreditState, useful: int):
    assert count_useful_credits(rule, earned) == useful
    assert is_plan_fulfilled(rule, earned) is (useful == rule.required)


def test_percent_is_rounded_down():
    assert plan_percent(PLAN_2026, CreditState(0, 29)) == 96
    assert plan_percent(CreditRule(0), CreditState()) == 100


@given(counts, counts, counts, counts, counts)
def test_hundred_percent_means_fulfilled(
    free: int, compulsory: int, elective: int, earned_compulsory: int, earned: int
):
    rule = CreditRule(free + compulsory + elective, compulsory, elective)
    state = CreditState(earned_compulsory, earned)
    is_met = (
        state.compulsory >= compulsory
        and state.elective >= elective
        and state.compulsory + state.elective >= rule.required
    )

    assert is_plan_fulfilled(rule, state) is is_met
    assert (plan_percent(rule, state) == 100) is is_met


@given(counts, counts)
def test_more_credits_never_lower_the_percent(compulsory: int, elective: int):
    before = plan_percent(PLAN_2020, CreditState(compulsory, elective))

    assert plan_percent(PLAN_2020, CreditState(compulsory + 1, elective)) >= before
    assert plan_percent(PLAN_2020, CreditState(compulsory, elective + 1)) >= before
