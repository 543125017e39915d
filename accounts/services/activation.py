"""首次登录: a pending account becomes its owner's, by a code to the phone on file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.errors import ActivationEndedError, PasswordRefusedError
from accounts.locks import lock_person
from accounts.models import User, VerificationCode
from accounts.queries.activation import find_pending_person
from accounts.rules.passwords import refuse_weak_password
from accounts.services.audit import record_audit
from accounts.services.codes import check_code
from accounts.services.consents import record_consents


@dataclass(frozen=True)
class FirstLogin:
    """What the person enters on the page: the code by SMS, an own password, the consents."""

    code: str
    password: str
    consents: Mapping[str, str]


def activate_person(
    *,
    person_code: str,
    first_login: FirstLogin,
    browser: str,
    address: str,
    now: datetime,
) -> User:
    """Make the account active with the person's own password; the caller may log in then.

    Raises `CodeRefusedError`, `PasswordRefusedError`, and `ActivationEndedError` for an
    account that is no longer pending or whose time is over.
    """
    person = find_pending_person(person_code, now=now)
    if person is None:
        raise ActivationEndedError
    try:
        refuse_weak_password(first_login.password, person)
    except ValidationError as error:
        raise PasswordRefusedError(" ".join(error.messages)) from None
    check_code(
        phone=person.phone,
        purpose=VerificationCode.Purpose.ACTIVATE,
        browser=browser,
        code=first_login.code,
        now=now,
    )
    return _activate(person, first_login, address=address, now=now)


@transaction.atomic
def _activate(
    known: User, first_login: FirstLogin, *, address: str, now: datetime
) -> User:
    person = lock_person(known.pk)
    # The code went to the phone that was on file a moment ago: staff may have changed it.
    if not person.awaits_first_login(now) or person.phone_index != known.phone_index:
        raise ActivationEndedError
    person.state = User.State.ACTIVE
    person.pending_until = None
    person.set_password(first_login.password)
    person.save()
    record_consents(
        person=person, consents=first_login.consents, address=address, now=now
    )
    record_audit(
        action="account.activated",
        target=f"user:{person.code}",
        actor=person,
        now=now,
    )
    return person
