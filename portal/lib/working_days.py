"""When something promised within working days is due, by the Chinese calendar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

# What comes in after closing counts as received on the next working day.
CLOSING = time(17, 30)
SATURDAY = 5
ONE_DAY = timedelta(days=1)
# New Year is a holiday by law (全国年节及纪念日放假办法), whether or not the year is entered.
NEW_YEAR = (1, 1)


@dataclass(frozen=True)
class DueDate:
    """The last day of a promise; `is_certain` is False if a year's calendar was missing."""

    date: date
    is_certain: bool


@dataclass(frozen=True)
class WorkingCalendar:
    """The days where work and week do not agree, and the years that are known."""

    exceptions: Mapping[date, bool]

    @property
    def years(self) -> set[int]:
        return {day.year for day in self.exceptions}

    def is_working(self, day: date) -> bool:
        """Whether people work on `day`; Monday to Friday where the year is not entered."""
        if day in self.exceptions:
            return self.exceptions[day]
        return day.weekday() < SATURDAY and (day.month, day.day) != NEW_YEAR


def find_due_date(
    received: datetime, days: int, *, calendar: WorkingCalendar
) -> DueDate:
    """Return the working day that is `days` after `received` (local time).

    Received after closing or on a day off, it counts from the next working day.
    """
    day = received.date()
    if received.time() > CLOSING:
        day += ONE_DAY
    seen = {day.year}
    while not calendar.is_working(day):
        day += ONE_DAY
    for _ in range(days):
        day += ONE_DAY
        while not calendar.is_working(day):
            day += ONE_DAY
    seen |= {received.year, day.year}
    return DueDate(day, is_certain=seen <= calendar.years)
