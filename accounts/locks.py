"""Every row lock of the accounts.

Order: lists, counters, codes, requests, units, invitations, people, devices, messages, the
audit head.

The audit head comes last in a transaction and is held shortly: everybody who writes an
audit entry waits for it.
"""

from collections.abc import Collection
from datetime import datetime

from accounts.models import (
    AuditHead,
    CoordinatorInvitation,
    Message,
    PersonRequest,
    RegistrationList,
    StaffDevice,
    ThrottleCounter,
    Unit,
    UnitAppointment,
    User,
    VerificationCode,
)

# What the first entry of the audit chain has before it.
GENESIS = "0" * 64


def lock_list(list_id: int) -> RegistrationList:
    return (
        RegistrationList.objects.select_for_update(of=("self",))
        .select_related("unit__region")
        .get(pk=list_id)
    )


def lock_counter(
    scope: ThrottleCounter.Scope, key: str, *, now: datetime
) -> ThrottleCounter:
    """The counter of a scope and key, made at first use."""
    counters = ThrottleCounter.objects.select_for_update()
    counter = counters.filter(scope=scope, key=key).first()
    if counter is not None:
        return counter
    fresh = ThrottleCounter(scope=scope, key=key, window_started_at=now)
    ThrottleCounter.objects.bulk_create([fresh], ignore_conflicts=True)
    return counters.get(scope=scope, key=key)


def find_locked_code(
    *, phone_index: str, purpose: str, browser: str
) -> VerificationCode | None:
    """The newest code sent to this phone for this purpose and browser."""
    return (
        VerificationCode.objects.select_for_update()
        .filter(phone_index=phone_index, purpose=purpose, browser=browser)
        .order_by("-sent_at", "-pk")
        .first()
    )


def lock_requests_of(person_id: int) -> list[PersonRequest]:
    """Whatever the person has asked for, in the order of the rows."""
    rows = PersonRequest.objects.select_for_update().filter(person=person_id)
    return list(rows.order_by("pk"))


def lock_unit(unit_id: int) -> Unit:
    """The unit, while its coordinators change; rows that name it may still be written."""
    return Unit.objects.select_for_update(no_key=True).get(pk=unit_id)


def lock_invitation(invitation_id: int) -> CoordinatorInvitation:
    return CoordinatorInvitation.objects.select_for_update().get(pk=invitation_id)


def lock_request(request_id: int) -> PersonRequest:
    return PersonRequest.objects.select_for_update().get(pk=request_id)


def lock_units_of(coordinator_id: int) -> list[Unit]:
    """The units that a person acts for, in the order of their rows."""
    units = Unit.objects.select_for_update(no_key=True).filter(
        pk__in=UnitAppointment.objects.filter(
            person=coordinator_id, ended_at__isnull=True
        ).values("unit")
    )
    return list(units.order_by("pk"))


def lock_person(person_id: int) -> User:
    return User.objects.select_for_update().get(pk=person_id)


def lock_expired_people(person_ids: Collection[int], *, now: datetime) -> list[User]:
    """Those whose time for the first login is over, in the order of the rows."""
    expired = User.objects.select_for_update().filter(
        pk__in=person_ids, state=User.State.PENDING, pending_until__lt=now
    )
    return list(expired.order_by("pk"))


def find_locked_device(person_id: int) -> StaffDevice | None:
    """The second factor of a member of the staff."""
    device: StaffDevice | None = (
        StaffDevice.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(user_id=person_id)
        .first()
    )
    return device


def find_locked_due_message(
    *, now: datetime, is_code: bool, without: Collection[str] = ()
) -> Message | None:
    """The message that waits longest, skipping those another worker is about to claim.

    Codes and everything else are two queues; those of the channels in `without` stay.
    """
    waiting = Message.objects.select_for_update(skip_locked=True).filter(
        state=Message.State.WAITING, is_code=is_code, due_at__lte=now
    )
    if without:
        waiting = waiting.exclude(channel__in=without)
    return waiting.order_by("due_at", "pk").first()


def lock_message(message_id: int) -> Message:
    return Message.objects.select_for_update().get(pk=message_id)


def lock_audit_head() -> AuditHead:
    AuditHead.objects.get_or_create(id=1, defaults={"hash": GENESIS})
    return AuditHead.objects.select_for_update().get(id=1)
