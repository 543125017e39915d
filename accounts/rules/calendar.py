"""The calendar that an installation begins with; staff add the years that follow."""

from datetime import date

SOURCE_2026 = "国务院办公厅关于2026年部分节假日安排的通知"


def _days(*texts: str) -> list[date]:
    return [date.fromisoformat(f"2026-{text}") for text in texts]


# Weekends that are worked, and days of the working week that are off.
MADE_UP_2026 = _days("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")
OFF_2026 = _days(
    *("01-01", "01-02"),
    *("02-16", "02-17", "02-18", "02-19", "02-20", "02-23"),
    *("04-06", "05-01", "05-04", "05-05", "06-19", "09-25"),
    *("10-01", "10-02", "10-05", "10-06", "10-07"),
)
CALENDAR: dict[date, tuple[bool, str]] = {
    **dict.fromkeys(MADE_UP_2026, (True, SOURCE_2026)),
    **dict.fromkeys(OFF_2026, (False, SOURCE_2026)),
}
