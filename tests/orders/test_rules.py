import re
from datetime import date, timedelta

import pytest

from orders.errors import IllegalTransitionError
from orders.models import Order, PaymentAttempt
from orders.rules import (
    ATTEMPT_TRANSITIONS,
    ORDER_TRANSITIONS,
    Mismatch,
    check_transition,
    find_mismatch,
    has_time_to_pay,
    make_attempt_number,
    make_order_number,
)
from tests.clock import at

DAY = date(2026, 11, 21)


def test_attempt_number_fits_every_gateway() -> None:
    numbers = {make_attempt_number(DAY) for _ in range(1000)}

    assert len(numbers) == 1000
    assert all(re.fullmatch(r"R261121[0-9A-HJKMNP-TV-Z]{13}", n) for n in numbers)


def test_order_number_is_short_and_names_the_day() -> None:
    assert re.fullmatch(r"D261121[0-9A-HJKMNP-TV-Z]{9}", make_order_number(DAY))


def test_every_state_has_its_transitions() -> None:
    assert set(ORDER_TRANSITIONS) == set(Order.State.values)
    assert set(ATTEMPT_TRANSITIONS) == set(PaymentAttempt.State.values)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pending", "paid"),
        ("pending", "cancelled"),
        ("pending", "expired"),
        ("cancelled", "paid"),
        ("expired", "paid"),
        ("paid", "refunded"),
    ],
)
def test_allowed_transitions_of_an_order(old: str, new: str) -> None:
    check_transition(ORDER_TRANSITIONS, old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("paid", "pending"),
        ("paid", "cancelled"),
        ("paid", "expired"),
        ("refunded", "paid"),
        ("cancelled", "expired"),
        ("pending", "refunded"),
    ],
)
def test_paid_is_final_but_for_a_refund(old: str, new: str) -> None:
    with pytest.raises(IllegalTransitionError):
        check_transition(ORDER_TRANSITIONS, old, new)


@pytest.mark.parametrize("new", ["waiting", "closed", "review"])
def test_paid_attempt_never_changes(new: str) -> None:
    with pytest.raises(IllegalTransitionError):
        check_transition(ATTEMPT_TRANSITIONS, "paid", new)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(60, True), (59, False), (-1, False)]
)
def test_paying_takes_a_minute_at_least(seconds: int, expected: bool) -> None:
    now = at("2026-06-15 10:00")

    assert (
        has_time_to_pay(expires_at=now + timedelta(seconds=seconds), now=now)
        is expected
    )


@pytest.mark.parametrize(
    ("paid_fen", "currency", "seller", "expected"),
    [
        (3300, "CNY", "2088", None),
        (3300, "CNY", "", None),
        (3299, "CNY", "2088", Mismatch.AMOUNT),
        (3301, "CNY", "2088", Mismatch.AMOUNT),
        (None, "CNY", "2088", Mismatch.AMOUNT),
        (3300, "USD", "2088", Mismatch.AMOUNT),
        (3300, "CNY", "2099", Mismatch.SELLER),
    ],
)
def test_report_is_compared_with_what_was_asked(
    paid_fen: int | None, currency: str, seller: str, expected: Mismatch | None
) -> None:
    found = find_mismatch(
        expected_fen=3300,
        expected_seller="2088",
        paid_fen=paid_fen,
        currency=currency,
        seller=seller,
    )

    assert found is expected
