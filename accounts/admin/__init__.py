"""The staff's pages about people, units and what was recorded of them."""

from accounts.admin import calendar, organisations, people, records, requests

__all__ = ["calendar", "organisations", "people", "records", "requests"]
