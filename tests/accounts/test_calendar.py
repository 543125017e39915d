"""Which year's holidays staff are asked to enter."""

from datetime import date

import pytest

from accounts.models import CalendarDay
from accounts.queries.calendar import find_missing_year

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("working_calendar")]


@pytest.mark.parametrize(
    ("today", "year"),
    [
        (date(2026, 6, 15), None),
        (date(2026, 10, 31), None),
        (date(2026, 11, 1), 2027),
        (date(2027, 1, 4), 2027),
    ],
)
def test_the_year_that_is_not_entered(today, year):
    assert find_missing_year(today) == year


def test_a_year_that_was_entered_is_asked_for_no_more():
    CalendarDay.objects.create(date=date(2027, 1, 1), is_working=False, source="通知")

    assert find_missing_year(date(2026, 11, 1)) is None


def test_this_year_comes_before_the_next():
    CalendarDay.objects.all().delete()

    assert find_missing_year(date(2026, 11, 1)) == 2026
