"""People, units and regions, what was sent to them and what they agreed to."""

from accounts.models.calendar import CalendarDay
from accounts.models.files import PrivateFile
from accounts.models.lists import ListedPerson, ListRow, RegistrationList
from accounts.models.messages import Message, VerificationCode
from accounts.models.organisations import Region, Unit, UnitAppointment
from accounts.models.people import Profile, User, WeChatLink
from accounts.models.records import AuditEntry, AuditHead, Consent
from accounts.models.throttles import ThrottleCounter

__all__ = [
    "AuditEntry",
    "AuditHead",
    "CalendarDay",
    "Consent",
    "ListRow",
    "ListedPerson",
    "Message",
    "PrivateFile",
    "Profile",
    "Region",
    "RegistrationList",
    "ThrottleCounter",
    "Unit",
    "UnitAppointment",
    "User",
    "VerificationCode",
    "WeChatLink",
]
