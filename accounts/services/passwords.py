"""Passwords: set anew by a code to the phone on file, or changed by who knows the present one."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.errors import CodeRefusedError, PasswordRefusedError
from accounts.models import Message, PersonSession, User, VerificationCode
from accounts.queries import find_person_by_phone
from accounts.rules.passwords import refuse_weak_password
from accounts.services.audit import record_audit
from accounts.services.codes import check_code
from accounts.services.confirmation import confirm_password, lock_confirmed
from accounts.services.login import forget_login_failures
from accounts.services.messages import send_message
from accounts.services.sessions import end_other_sessions


def reset_password(
    *,
    phone: str,
    browser: str,
    code: str,
    password: str,
    address: str,
    now: datetime,
) -> User:
    """Set the password of the account of a proved phone; its sessions end everywhere.

    Whoever failed at `address` before may log in there at once. Raises `CodeRefusedError`
    for a wrong code and, alike, where there is no account, `PasswordRefusedError` for what
    only the account shows to be weak, and `AccountMovedError`.
    """
    check_code(
        phone=phone,
        purpose=VerificationCode.Purpose.RESET,
        browser=browser,
        code=code,
        now=now,
    )
    person = find_person_by_phone(phone)
    if person is None or not person.may_log_in:
        raise CodeRefusedError
    try:
        refuse_weak_password(password, person)
    except ValidationError as error:
        raise PasswordRefusedError(" ".join(error.messages)) from None
    changed = _set_password(person, password, action="account.password_reset", now=now)
    forget_login_failures(person=changed, address=address)
    return changed


def change_password(
    *, person: User, present: str, password: str, now: datetime, session: str = ""
) -> User:
    """Set a new password; all sessions end but `session`.

    Raises `PasswordWrongError`, `ConfirmationThrottledError` and `AccountMovedError`.
    """
    confirm_password(person=person, password=present, now=now)
    return _set_password(
        person, password, action="account.password_changed", now=now, session=session
    )


@transaction.atomic
def _set_password(
    known: User, password: str, *, action: str, now: datetime, session: str = ""
) -> User:
    person = lock_confirmed(known)
    person.set_password(password)
    person.password_changed_at = now
    person.save(update_fields=["password", "password_changed_at"])
    end_other_sessions(
        person=person,
        current=session,
        reason=PersonSession.EndReason.PASSWORD,
        now=now,
    )
    if person.phone_index is not None:
        send_message(
            channel=Message.Channel.SMS,
            recipient=person.phone,
            template="password_changed",
            context={},
            now=now,
        )
    record_audit(action=action, target=f"user:{person.code}", actor=person, now=now)
    return person
