"""Due dates by the Chinese calendar (standards C9, DOM-27 to DOM-30)."""

from datetime import date, datetime

import pytest

from accounts.rules.calendar import CALENDAR
from portal.lib.working_days import DueDate, WorkingCalendar, find_due_date

YEAR_2026 = WorkingCalendar({day: working for day, (working, _) in CALENDAR.items()})


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-09-30 10:00", 2, "2026-10-09"),
        # 14 February is a Saturday that is worked.
        ("2026-02-13 09:00", 3, "2026-02-25"),
        ("2026-06-15 09:00", 2, "2026-06-17"),
        # Friday after closing counts from Monday.
        ("2026-06-12 17:31", 2, "2026-06-17"),
        ("2026-06-12 17:30", 2, "2026-06-16"),
        ("2026-06-13 12:00", 2, "2026-06-17"),
        ("2026-06-15 09:00", 0, "2026-06-15"),
    ],
)
def test_due_dates_of_a_year_that_is_known(received: str, days: int, due: str) -> None:
    found = find_due_date(datetime.fromisoformat(received), days, calendar=YEAR_2026)

    assert found == DueDate(date.fromisoformat(due), is_certain=True)


def test_a_year_that_is_not_entered_counts_weekdays_and_says_so() -> None:
    found = find_due_date(
        datetime.fromisoformat("2026-12-31 10:00"), 2, calendar=YEAR_2026
    )

    assert found == DueDate(date(2027, 1, 5), is_certain=False)


def test_without_any_calendar_there_is_still_an_answer() -> None:
    found = find_due_date(
        datetime.fromisoformat("2030-05-03 10:00"), 2, calendar=WorkingCalendar({})
    )

    assert found == DueDate(date(2030, 5, 7), is_certain=False)
