"""Use cases of the accounts. Other apps import what they need from here."""

from accounts.services.audit import record_audit
from accounts.services.messages import send_message
from accounts.services.profiles import update_profile
from accounts.services.reference_data import load_regions, load_roles
from accounts.services.registration import register_person

__all__ = [
    "load_regions",
    "load_roles",
    "record_audit",
    "register_person",
    "send_message",
    "update_profile",
]
