"""The working calendar."""

from accounts.models import CalendarDay
from portal.lib.working_days import WorkingCalendar


def read_working_calendar() -> WorkingCalendar:
    """The days that are entered, some thirty a year; one query."""
    return WorkingCalendar(dict(CalendarDay.objects.values_list("date", "is_working")))


def is_year_entered(year: int) -> bool:
    """Whether the holidays of a year are known; staff are asked to enter those of the next."""
    return CalendarDay.objects.filter(date__year=year).exists()
