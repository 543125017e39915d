"""The staff's second factor: an authenticator app, and codes for the day it is lost."""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.errors import (
    OwnDeviceError,
    SecondFactorRefusedError,
    SecondFactorThrottledError,
)
from accounts.locks import find_locked_device, lock_person
from accounts.models import (
    PersonSession,
    RecoveryCode,
    StaffDevice,
    ThrottleCounter,
    User,
)
from accounts.personal_data import blind_index
from accounts.rules.second_factor import (
    find_step,
    make_recovery_codes,
    read_recovery_code,
    spell_recovery_code,
)
from accounts.rules.throttles import SECOND_FACTOR
from accounts.services.audit import record_audit
from accounts.services.sessions import end_other_sessions
from accounts.services.throttling import (
    Counter,
    forget_tries,
    take_tries,
    throttle_key,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Enrolled:
    """A new device, and its recovery codes as they are shown once."""

    device: StaffDevice
    recovery_codes: list[str]


def enrol_device(*, person: User, secret: bytes, code: str, now: datetime) -> Enrolled:
    """Bind an app that has just shown a right code for `secret`.

    Raises `SecondFactorRefusedError` for a wrong code and where there is a device already,
    `SecondFactorThrottledError` after too many.
    """
    counter = _take_try(person, now=now)
    step = find_step(secret, code, after=-1, now=now)
    if step is None:
        raise SecondFactorRefusedError
    with transaction.atomic():
        lock_person(person.pk)
        if find_locked_device(person.pk) is not None:
            raise SecondFactorRefusedError
        device = StaffDevice(
            user=person, last_step=step, enrolled_at=now, last_used_at=now
        )
        device.store_secret(secret)
        device.save(force_insert=True)
        codes = make_recovery_codes()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(device=device, code_hash=_hash(device, each)) for each in codes
        )
        record_audit(
            action="second_factor.enrolled",
            target=f"user:{person.code}",
            actor=person,
            now=now,
        )
    forget_tries(scope=counter.scope, key=counter.key)
    return Enrolled(device, [spell_recovery_code(each) for each in codes])


def check_second_factor(*, person: User, code: str, now: datetime) -> StaffDevice:
    """The person's device, when `code` is of its app or an unused recovery code.

    Each code works once. Raises `SecondFactorRefusedError` and `SecondFactorThrottledError`.
    """
    counter = _take_try(person, now=now)
    with transaction.atomic():
        device = find_locked_device(person.pk)
        if device is None or not _use_code(device, code, now=now):
            logger.info("second factor refused", extra={"person": person.code})
            raise SecondFactorRefusedError
    forget_tries(scope=counter.scope, key=counter.key)
    return device


@transaction.atomic
def reset_device(*, person: User, actor: User, reason: str, now: datetime) -> None:
    """Take a colleague's device away and end the colleague's sessions.

    Whoever lost the phone binds another at the next login. Raises `OwnDeviceError`.
    """
    if person.pk == actor.pk:
        raise OwnDeviceError
    lock_person(person.pk)
    device = find_locked_device(person.pk)
    if device is None:
        return
    device.delete()
    end_other_sessions(
        person=person, current="", reason=PersonSession.EndReason.STAFF, now=now
    )
    record_audit(
        action="second_factor.reset",
        target=f"user:{person.code}",
        actor=actor,
        now=now,
        detail={"reason": reason},
    )


def _take_try(person: User, *, now: datetime) -> Counter:
    """Count a try in a transaction of its own: a refused one must stay counted."""
    counter = Counter(
        ThrottleCounter.Scope.SECOND_FACTOR,
        throttle_key("second_factor", person.code),
        SECOND_FACTOR,
    )
    if not take_tries([counter], now=now):
        logger.warning("second factor throttled", extra={"person": person.code})
        raise SecondFactorThrottledError
    return counter


def _use_code(device: StaffDevice, code: str, *, now: datetime) -> bool:
    step = find_step(device.secret, code, after=device.last_step, now=now)
    if step is not None:
        device.last_step = step
    elif not _use_recovery_code(device, code, now=now):
        return False
    device.last_used_at = now
    device.save(update_fields=["last_step", "last_used_at"])
    return True


def _use_recovery_code(device: StaffDevice, code: str, *, now: datetime) -> bool:
    """Use a code up; the audit tells, for it may not have been the owner."""
    used = device.recovery_codes.filter(
        code_hash=_hash(device, read_recovery_code(code)), used_at__isnull=True
    ).update(used_at=now)
    if used:
        record_audit(
            action="second_factor.recovery_code_used",
            target=f"user:{device.user.code}",
            actor=device.user,
            now=now,
        )
    return bool(used)


def _hash(device: StaffDevice, code: str) -> str:
    """Keyed, so that a copy of the database is no list of codes to try."""
    return blind_index().of("recovery_code", f"{device.user.code}:{code}")
