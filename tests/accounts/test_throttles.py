from datetime import timedelta

import pytest

from accounts.rules.throttles import (
    CODE_PHONE_LIMITS,
    Limit,
    Window,
    count_try,
    is_allowed,
    wait_until_free,
)
from tests.clock import at

NOON = at("2026-06-15 12:00")
LIMIT = Limit(5, timedelta(minutes=15))


def test_a_window_counts_up_to_its_limit():
    window = None
    for _ in range(5):
        window = count_try(window, LIMIT, now=NOON)
        assert is_allowed(window, LIMIT)

    assert window == Window(5, NOON)
    assert not is_allowed(count_try(window, LIMIT, now=NOON), LIMIT)


@pytest.mark.parametrize(("minutes", "count"), [(0, 7), (14, 7), (15, 1), (600, 1)])
def test_a_new_window_begins_when_the_old_one_is_over(minutes, count):
    window = count_try(Window(6, NOON), LIMIT, now=NOON + timedelta(minutes=minutes))

    assert window.count == count


def wait_after(*seconds_ago, now=NOON):
    sent_at = [now - timedelta(seconds=seconds) for seconds in seconds_ago]
    return wait_until_free(sent_at, CODE_PHONE_LIMITS, now=now).total_seconds()


def test_the_first_code_is_free():
    assert wait_after() == 0


@pytest.mark.parametrize(("ago", "wait"), [(0, 60), (1, 59), (59, 1), (60, 0)])
def test_one_code_a_minute(ago, wait):
    assert wait_after(ago) == wait


def test_five_codes_an_hour():
    assert wait_after(3599, 3000, 2000, 1000, 100) == 1
    assert wait_after(3600, 3000, 2000, 1000, 100) == 0


def test_ten_codes_a_day():
    hours = range(1, 11)
    ago = [hour * 7200 for hour in hours]

    assert wait_after(*ago) == 24 * 3600 - 10 * 7200
    assert wait_after(*ago[1:]) == 0


def test_the_longest_wait_counts():
    ago = [30, 700, 1400, 2100, 2800]

    assert wait_after(*ago) == 800
