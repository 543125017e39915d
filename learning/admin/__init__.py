"""Learning for staff: everything is shown, nothing is edited; decisions have their own pages."""

from learning.admin import (
    appeals,
    enrolments,
    flags,
    sessions,
    tallies,
    unit_hours,
)

__all__ = ["appeals", "enrolments", "flags", "sessions", "tallies", "unit_hours"]
