"""The working calendar."""

from datetime import date

from accounts.models import CalendarDay
from portal.lib.working_days import WorkingCalendar

# The State Council announces the holidays of a year in the November before.
ANNOUNCED_IN = 11


def read_working_calendar() -> WorkingCalendar:
    """The days that are entered, some thirty a year; one query."""
    return WorkingCalendar(dict(CalendarDay.objects.values_list("date", "is_working")))


def find_missing_year(today: date) -> int | None:
    """The year whose holidays staff should enter: this one, from November on the next."""
    last = today.year + (today.month >= ANNOUNCED_IN)
    for year in range(today.year, last + 1):
        if not CalendarDay.objects.filter(date__year=year).exists():
            return year
    return None
