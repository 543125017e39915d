"""Reads of the accounts."""

from accounts.queries.organisations import (
    find_region,
    find_unit,
    list_regions,
    search_units,
)
from accounts.queries.people import (
    find_person_by_account,
    find_person_by_number,
    find_person_by_phone,
    find_profile,
    find_wechat_link,
    is_id_number_taken,
    is_phone_taken,
    list_consents,
    list_sent_messages,
)

__all__ = [
    "find_person_by_account",
    "find_person_by_number",
    "find_person_by_phone",
    "find_profile",
    "find_region",
    "find_unit",
    "find_wechat_link",
    "is_id_number_taken",
    "is_phone_taken",
    "list_consents",
    "list_regions",
    "list_sent_messages",
    "search_units",
]
