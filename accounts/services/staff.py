"""What staff do to accounts: look at full numbers, open accounts for colleagues."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import PersonRequest, PersonSession, User
from accounts.queries.requests import Comparison, compare_request
from accounts.services.audit import record_audit
from accounts.services.sessions import end_other_sessions


@dataclass(frozen=True)
class FullNumbers:
    """A person's numbers in clear, to be shown once and kept nowhere."""

    id_number: str
    phone: str


@transaction.atomic
def unmask_person(
    *, person: User, actor: User, reason: str, now: datetime
) -> FullNumbers:
    """The full ID number and phone; `reason` goes into the audit with who asked and when."""
    numbers = FullNumbers(id_number=person.id_number, phone=person.phone)
    record_audit(
        action="personal_data.unmasked",
        target=f"user:{person.code}",
        actor=actor,
        now=now,
        detail={"reason": reason},
    )
    return numbers


@transaction.atomic
def unmask_request(
    *, request: PersonRequest, actor: User, reason: str, now: datetime
) -> Comparison:
    """Old and new of a request in clear; `reason` goes into the audit like that of a person."""
    comparison = compare_request(request, masked=False)
    record_audit(
        action="personal_data.unmasked",
        target=f"request:{request.code}",
        actor=actor,
        now=now,
        detail={"reason": reason},
    )
    return comparison


@transaction.atomic
def create_staff(*, person: User, password: str, actor: User, now: datetime) -> User:
    """Save a new colleague's account, filled in but for the password.

    The colleague has to choose another one before anything else (`has_given_password`).
    """
    person.is_staff = True
    person.date_joined = now
    person.set_password(password)
    person.password_changed_at = None
    person.save(force_insert=True)
    record_audit(
        action="account.staff_created",
        target=f"user:{person.code}",
        actor=actor,
        now=now,
    )
    return person


@transaction.atomic
def save_account(*, person: User, changed: Collection[str], now: datetime) -> None:
    """Save the columns that staff changed and no others: the person may be at it as well.

    Whoever becomes one of the staff has to choose a password as such. The logins of whoever
    may log in no longer end here: a beat of the player asks for the login alone.
    """
    columns = set(changed)
    if "is_staff" in columns and person.is_staff:
        person.password_changed_at = None
        columns.add("password_changed_at")
    person.save(update_fields=columns)
    if "is_active" in columns and not person.is_active:
        end_other_sessions(
            person=person, current="", reason=PersonSession.EndReason.ACCOUNT, now=now
        )
