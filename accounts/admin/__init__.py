"""The staff's pages about people, units and what was recorded of them."""

from accounts.admin import organisations, people, records

__all__ = ["organisations", "people", "records"]
