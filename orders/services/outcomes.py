"""What came of a report."""

from enum import StrEnum


class Outcome(StrEnum):
    SETTLED = "settled"
    CLOSED = "closed"
    EXCEPTION = "exception"
    REFUNDED = "refunded"
    UNCHANGED = "unchanged"
