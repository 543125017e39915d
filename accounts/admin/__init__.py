"""The staff's pages about people, units and what was recorded of them."""

from accounts.admin import (
    calendar,
    coordinators,
    lists,
    organisations,
    people,
    records,
)

__all__ = [
    "calendar",
    "coordinators",
    "lists",
    "organisations",
    "people",
    "records",
]
