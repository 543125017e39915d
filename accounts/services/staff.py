"""What staff do to accounts: look at full numbers, open accounts for colleagues."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import PersonRequest, User
from accounts.queries.requests import Comparison, compare_request
from accounts.services.audit import record_audit


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
    """Save a new colleague's account, filled in but for the password."""
    person.is_staff = True
    person.date_joined = now
    person.set_password(password)
    person.password_changed_at = now
    person.save(force_insert=True)
    record_audit(
        action="account.staff_created",
        target=f"user:{person.code}",
        actor=actor,
        now=now,
    )
    return person
