"""The staff's pages about people, units and what was recorded of them."""

from accounts.admin import (
    calendar,
    coordinators,
    groups,
    integrity,
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
    "groups",
    "integrity",
    "lists",
    "logins",
    "organisations",
    "people",
    "records",
    "requests",
]
