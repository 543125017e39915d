"""Registration: from what a person entered to an account, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import (
    IdNumberTakenError,
    PhoneTakenError,
    RegionRefusedError,
    RegistrationThrottledError,
)
from accounts.models import Profile, ThrottleCounter, UnitMember, User
from accounts.queries import find_region, find_unit, is_id_number_taken, is_phone_taken
from accounts.rules.identity import read_id_number
from accounts.rules.names import read_name
from accounts.rules.throttles import NUMBER_PHONE
from accounts.rules.usernames import make_username
from accounts.services.audit import record_audit
from accounts.services.consents import record_consents
from accounts.services.throttling import Counter, take_tries, throttle_key
from accounts.services.units import move_member
from portal.lib.phones import normalise_phone


@dataclass(frozen=True)
class Application:
    """What a person entered and confirmed; the phone is already proved by a code.

    `password_hash` is made by Django's hashers, so that a draft never holds the password.
    `consents` maps the kind of each notice to the version that was agreed to.
    """

    name: str
    id_number: str
    phone: str
    password_hash: str
    region_code: str
    unit_name: str
    consents: Mapping[str, str]


def register_person(*, application: Application, address: str, now: datetime) -> User:
    """Open an account with profile, consents and an audit entry.

    Of parallel registrations of one ID number or one phone exactly one succeeds. Raises
    `IdNumberTakenError`, `PhoneTakenError`, `RegionRefusedError`, and for numbers and names
    that cannot be: `PersonNumberError`, `PhoneError`, `NameRefusedError`.
    """
    user = _build_user(application, now=now)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            _write_profile(user, application, now=now)
            record_consents(
                person=user, consents=application.consents, address=address, now=now
            )
            record_audit(
                action="account.registered",
                target=f"user:{user.code}",
                actor=user,
                now=now,
            )
    except IntegrityError:
        _refuse_taken(id_number=user.id_number, phone=user.phone)
        raise
    return user


def refuse_taken_numbers(*, id_number: str, phone: str, now: datetime) -> None:
    """Raise `IdNumberTakenError` or `PhoneTakenError` where an account holds one of them.

    Only to be asked for somebody who has proved the phone, and a few times a day: it tells
    who has an account. Raises `RegistrationThrottledError` beyond.
    """
    counter = Counter(
        ThrottleCounter.Scope.NUMBER_PHONE, throttle_key("number", phone), NUMBER_PHONE
    )
    if not take_tries([counter], now=now):
        raise RegistrationThrottledError
    _refuse_taken(id_number=id_number, phone=phone)


def _refuse_taken(*, id_number: str, phone: str) -> None:
    if is_id_number_taken(id_number):
        raise IdNumberTakenError
    if is_phone_taken(phone):
        raise PhoneTakenError


def _build_user(application: Application, *, now: datetime) -> User:
    number, kind = read_id_number(application.id_number, today=timezone.localdate(now))
    user = User(
        username=make_username(),
        name=read_name(application.name),
        id_kind=kind,
        password=application.password_hash,
        date_joined=now,
    )
    user.store_id_number(number.number)
    user.store_phone(normalise_phone(application.phone))
    return user


def _write_profile(user: User, application: Application, *, now: datetime) -> None:
    region = find_region(application.region_code, today=timezone.localdate(now))
    if region is None:
        raise RegionRefusedError
    unit = find_unit(region=region, name=application.unit_name)
    Profile.objects.create(
        person=user,
        region=region,
        unit=unit,
        unit_name=application.unit_name,
        updated_at=now,
    )
    move_member(
        person=user,
        before=None,
        after=unit,
        source=UnitMember.Source.REGISTERED,
        now=now,
    )
