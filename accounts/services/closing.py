"""注销账号: the account ends, what the law wants kept stays.

The phone, the e-mail address, the WeChat link and the password go. Name, profile and the
encrypted ID number stay with the row: certificates, orders and learning records name it and
must be provable for years. The unique index of the ID number becomes `former_id_number_index`:
the person may register again and begins anew, while staff still find the closed account by the
number. An index that is unique among open accounts only would do the same, but every reader of
`id_number_index` would then have to remember that two people may stand behind one number.
"""

from datetime import datetime

from django.db import transaction

from accounts.errors import ClosingRefusedError
from accounts.locks import lock_requests_of, lock_units_of
from accounts.models import Message, PersonSession, User, VerificationCode, WeChatLink
from accounts.queries.closing import find_unit_left_alone
from accounts.services.audit import record_audit
from accounts.services.codes import check_code
from accounts.services.confirmation import confirm_password, lock_confirmed
from accounts.services.coordinators import end_appointments_of
from accounts.services.messages import send_message
from accounts.services.requests import withdraw_requests_of
from accounts.services.sessions import end_other_sessions
from accounts.services.units import end_memberships_of


def close_account(
    *, person: User, password: str, code: str, browser: str, now: datetime
) -> User:
    """Close the person's own account; all its sessions end.

    Raises `PasswordWrongError`, `ConfirmationThrottledError`, `CodeRefusedError`,
    `AccountMovedError`, and `ClosingRefusedError` for staff and for the only coordinator of a
    unit.
    """
    refuse_closing(person=person)
    confirm_password(person=person, password=password, now=now)
    check_code(
        phone=person.phone,
        purpose=VerificationCode.Purpose.CLOSE,
        browser=browser,
        code=code,
        now=now,
    )
    return _close(person, now=now)


def refuse_closing(*, person: User) -> None:
    """Raise `ClosingRefusedError` with what has to be done before."""
    if person.is_staff:
        raise ClosingRefusedError("工作人员账号请联系系统管理员停用。")
    unit = find_unit_left_alone(person)
    if unit is not None:
        raise ClosingRefusedError(
            f"您是“{unit.name}”唯一的经办人，请先由单位指定其他经办人，或联系在线客服。"
        )


@transaction.atomic
def _close(known: User, *, now: datetime) -> User:
    # Requests come before units, units before people (locks.py): of two last coordinators who
    # leave together one is refused.
    lock_requests_of(known.pk)
    lock_units_of(known.pk)
    person = lock_confirmed(known)
    refuse_closing(person=person)
    _say_goodbye(person, now=now)
    person.former_id_number_index = person.id_number_index or ""
    person.id_number_index = None
    person.phone_cipher = person.phone_index = None
    person.email = ""
    # No user name that anybody may choose: those have no dash.
    person.username = f"closed-{person.code}"
    person.state = User.State.CLOSED
    person.is_active = False
    person.set_unusable_password()
    end_appointments_of(person=person, now=now)
    end_memberships_of(person=person, now=now)
    person.save()
    WeChatLink.objects.filter(person=person).delete()
    end_other_sessions(
        person=person, current="", reason=PersonSession.EndReason.ACCOUNT, now=now
    )
    withdraw_requests_of(person=person, actor=person, now=now)
    record_audit(
        action="account.closed", target=f"user:{person.code}", actor=person, now=now
    )
    return person


def _say_goodbye(person: User, *, now: datetime) -> None:
    if person.phone_index is not None:
        send_message(
            channel=Message.Channel.SMS,
            recipient=person.phone,
            template="account_closed",
            context={},
            now=now,
        )
