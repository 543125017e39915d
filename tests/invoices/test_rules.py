from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.errors import IllegalTransitionError
from invoices.rules import (
    RETRY_PAUSES,
    TRANSITIONS,
    TaxRate,
    amount_in_words,
    check_transition,
    find_rate,
    is_invoice_number,
    next_try,
    split_tax,
)
from tests.clock import at

RATES = [
    TaxRate("small", date(2016, 5, 1), 30, "a"),
    TaxRate("small", date(2023, 1, 1), 10, "b"),
    TaxRate("small", date(2028, 1, 1), 30, "b"),
    TaxRate("general", date(2016, 5, 1), 60, "a"),
]


@pytest.mark.parametrize(
    ("taxpayer", "day", "permille"),
    [
        ("general", date(2026, 6, 15), 60),
        ("small", date(2022, 12, 31), 30),
        ("small", date(2023, 1, 1), 10),
        ("small", date(2027, 12, 31), 10),
        ("small", date(2028, 1, 1), 30),
    ],
)
def test_the_rate_in_force_on_the_day_of_issue(taxpayer, day, permille):
    assert find_rate(RATES, taxpayer=taxpayer, day=day).permille == permille


def test_no_rate_is_an_error_and_never_zero():
    with pytest.raises(LookupError):
        find_rate(RATES, taxpayer="small", day=date(2016, 4, 30))
    with pytest.raises(LookupError):
        find_rate(RATES, taxpayer="unknown", day=date(2026, 6, 15))


@pytest.mark.parametrize(
    ("total", "permille", "net", "tax"),
    [
        # DOM-18: 1.5 x 60 = 90.00 and 1.1 x 30 = 33.00.
        (9000, 60, 8491, 509),
        (3300, 60, 3113, 187),
        (3300, 10, 3267, 33),
        (3300, 30, 3204, 96),
        (3300, 0, 3300, 0),
        (1, 60, 1, 0),
    ],
)
def test_tax_is_right_to_the_fen(total, permille, net, tax):
    assert split_tax(total, permille) == (net, tax)


@given(st.integers(0, 10**10), st.sampled_from([0, 10, 30, 50, 60, 130]))
def test_net_and_tax_add_up_and_the_net_is_rounded_to_the_nearest_fen(total, permille):
    net, tax = split_tax(total, permille)

    assert net + tax == total
    assert abs(net * (1000 + permille) - total * 1000) * 2 <= 1000 + permille


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("26500123456789012345", True),
        ("2650012345678901234", False),
        ("265001234567890123456", False),
        ("2650012345678901234X", False),
        ("２6500123456789012345", False),
        ("", False),
    ],
)
def test_dom_15_numbers_have_twenty_digits(number, valid):
    assert is_invoice_number(number) is valid


def test_pauses_grow_and_the_last_one_repeats():
    now = at("2026-06-15 10:00")

    assert next_try(1, now) - now == timedelta(seconds=10)
    assert next_try(5, now) - now == timedelta(hours=2)
    assert next_try(500, now) - now == timedelta(hours=2)
    assert sorted(RETRY_PAUSES) == list(RETRY_PAUSES)


def test_only_known_steps_lead_from_state_to_state():
    for old, allowed in TRANSITIONS.items():
        for new in TRANSITIONS:
            if new in allowed:
                check_transition(old, new)
            else:
                with pytest.raises(IllegalTransitionError):
                    check_transition(old, new)


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零圆整"),
        (5, "伍分"),
        (30, "叁角整"),
        (35, "叁角伍分"),
        (3300, "叁拾叁圆整"),
        (9000, "玖拾圆整"),
        (10005, "壹佰圆零伍分"),
        (10050, "壹佰圆伍角整"),
        (100100, "壹仟零壹圆整"),
        (1000000, "壹万圆整"),
        (1050000, "壹万零伍佰圆整"),
        (10000500, "壹拾万零伍圆整"),
        (16500000, "壹拾陆万伍仟圆整"),
        (100000001, "壹佰万圆零壹分"),
        (10000000000, "壹亿圆整"),
        (10000010000, "壹亿零壹佰圆整"),
        (12345678901, "壹亿贰仟叁佰肆拾伍万陆仟柒佰捌拾玖圆零壹分"),
    ],
)
def test_amounts_in_words(fen, words):
    assert amount_in_words(fen) == words
