"""更换手机号码 by its owner, who still has the password or the old phone."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.errors import CodeRefusedError, OldCodeRefusedError, PhoneTakenError
from accounts.models import Message, PersonSession, User, VerificationCode
from accounts.services.audit import record_audit
from accounts.services.codes import check_code
from accounts.services.confirmation import confirm_password, lock_confirmed
from accounts.services.messages import send_message
from accounts.services.sessions import end_other_sessions
from portal.lib.masks import mask_phone

Purpose = VerificationCode.Purpose


@dataclass(frozen=True)
class PhoneChange:
    """The new phone with its code, and either the password or a code to the old phone."""

    phone: str
    code: str
    password: str = ""
    old_code: str = ""


def change_phone(
    *,
    person: User,
    change: PhoneChange,
    browser: str,
    now: datetime,
    session: str = "",
) -> User:
    """Put the new phone in place of the old one; both get an SMS, sessions but `session` end.

    Raises `PasswordWrongError`, `ConfirmationThrottledError`, `CodeRefusedError` and
    `AccountMovedError`; that the phone has another account (`PhoneTakenError`) is told only
    to who has proved it.
    """
    if change.password:
        confirm_password(person=person, password=change.password, now=now)
    else:
        _check_old_code(person, change.old_code, browser, now=now)
    check_code(
        phone=change.phone,
        purpose=Purpose.NEW_PHONE,
        browser=browser,
        code=change.code,
        now=now,
    )
    try:
        return _change(person, change.phone, session=session, now=now)
    except IntegrityError:
        raise PhoneTakenError(
            "该手机号码已用于其他账号，请更换号码，或联系在线客服。"
        ) from None


def _check_old_code(person: User, code: str, browser: str, *, now: datetime) -> None:
    purpose = Purpose.OLD_PHONE
    try:
        check_code(
            phone=person.phone, purpose=purpose, browser=browser, code=code, now=now
        )
    except CodeRefusedError:
        raise OldCodeRefusedError from None


@transaction.atomic
def _change(known: User, phone: str, *, session: str, now: datetime) -> User:
    person = lock_confirmed(known)
    old_phone = person.phone
    person.store_phone(phone)
    person.save(update_fields=["phone_cipher", "phone_index"])
    end_other_sessions(
        person=person,
        current=session,
        reason=PersonSession.EndReason.ACCOUNT,
        now=now,
    )
    if old_phone:
        _tell(old_phone, "phone_changed_old", {"phone": mask_phone(phone)}, now=now)
    _tell(phone, "phone_changed_new", {}, now=now)
    record_audit(
        action="account.phone_changed",
        target=f"user:{person.code}",
        actor=person,
        now=now,
    )
    return person


def _tell(phone: str, template: str, values: dict[str, str], *, now: datetime) -> None:
    send_message(
        channel=Message.Channel.SMS,
        recipient=phone,
        template=template,
        context=values,
        now=now,
    )
