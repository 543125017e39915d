"""People, units and regions, what was sent to them and what they agreed to."""

from accounts.models.calendar import CalendarDay
from accounts.models.files import PrivateFile
from accounts.models.lists import ListedPerson, ListRow, RegistrationList
from accounts.models.messages import Message, VerificationCode
from accounts.models.organisations import (
    CoordinatorInvitation,
    Region,
    SupervisedRegion,
    Unit,
    UnitAppointment,
    UnitMember,
)
from accounts.models.people import Profile, User, WeChatLink
from accounts.models.records import AuditEntry, AuditHead, Consent, IntegrityRecord
from accounts.models.requests import PersonRequest, RequestEvent
from accounts.models.second_factor import RecoveryCode, StaffDevice
from accounts.models.sessions import LiveSession, PersonSession
from accounts.models.throttles import ThrottleCounter

__all__ = [
    "AuditEntry",
    "AuditHead",
    "CalendarDay",
    "Consent",
    "CoordinatorInvitation",
    "IntegrityRecord",
    "ListRow",
    "ListedPerson",
    "LiveSession",
    "Message",
    "PersonRequest",
    "PersonSession",
    "PrivateFile",
    "Profile",
    "RecoveryCode",
    "Region",
    "RegistrationList",
    "RequestEvent",
    "StaffDevice",
    "SupervisedRegion",
    "ThrottleCounter",
    "Unit",
    "UnitAppointment",
    "UnitMember",
    "User",
    "VerificationCode",
    "WeChatLink",
]
