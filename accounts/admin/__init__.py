"""The staff's pages about people, units and what was recorded of them."""

from accounts.admin import (
    calendar,
    coordinators,
    lists,
    logins,
    organisations,
    people,
    records,
    requests,
)

__all__ = [
    "calendar",
    "coordinators",
    "lists",
    "logins",
    "organisations",
    "people",
    "records",
    "requests",
]
