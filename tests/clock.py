"""Moments in tests, written the way people in Chongqing say them."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    """Return the aware moment "2026-06-15 10:00" (seconds may follow) of Shanghai time."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def stopped(moment: datetime) -> Callable[[], datetime]:
    """Return a clock that always shows this moment."""
    return lambda: moment
