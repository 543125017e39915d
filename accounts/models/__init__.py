"""People, units and regions, what was sent to them and what they agreed to."""

from accounts.models.messages import Message, VerificationCode
from accounts.models.organisations import Region, Unit, UnitAppointment
from accounts.models.people import Profile, User, WeChatLink
from accounts.models.records import AuditEntry, Consent

__all__ = [
    "AuditEntry",
    "Consent",
    "Message",
    "Profile",
    "Region",
    "Unit",
    "UnitAppointment",
    "User",
    "VerificationCode",
    "WeChatLink",
]
