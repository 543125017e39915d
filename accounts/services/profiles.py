"""Changes to what prints on certificates beside the name, and to the user name."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import (
    AccountMovedError,
    LevelRefusedError,
    RegionRefusedError,
    UsernameTakenError,
)
from accounts.locks import lock_person
from accounts.models import Profile, Region, UnitMember, User
from accounts.queries import find_region, find_unit
from accounts.rules.series import is_level_of
from accounts.rules.usernames import read_username
from accounts.services.audit import record_audit
from accounts.services.units import move_member


@dataclass(frozen=True)
class ProfileDetails:
    """What a person may say about the own work; empty strings where nothing is said."""

    region_code: str
    unit_name: str
    series: str
    level: str
    education: str


@transaction.atomic
def update_profile(
    *, user: User, details: ProfileDetails, actor: User, now: datetime
) -> Profile:
    """Write the details and note in the audit which of them changed.

    A district that has ended may stay but not be chosen anew. Raises `RegionRefusedError`,
    `LevelRefusedError`, and `AccountMovedError` for an account that was closed.
    """
    if lock_person(user.pk).state == User.State.CLOSED:
        raise AccountMovedError
    profile, _ = Profile.objects.get_or_create(
        person=user, defaults={"updated_at": now}
    )
    region = _choose_region(profile, details.region_code, now=now)
    if (details.series or details.level) and not is_level_of(
        details.series, details.level
    ):
        raise LevelRefusedError
    wanted = {
        "region": region,
        "unit": find_unit(region=region, name=details.unit_name),
        "unit_name": details.unit_name,
        "series": details.series,
        "level": details.level,
        "education": details.education,
    }
    changed = [
        name for name, value in wanted.items() if getattr(profile, name) != value
    ]
    if changed:
        before = profile.unit
        for name in changed:
            setattr(profile, name, wanted[name])
        profile.updated_at = now
        profile.save()
        move_member(
            person=user,
            before=before,
            after=profile.unit,
            source=UnitMember.Source.PROFILE,
            now=now,
        )
        record_audit(
            action="profile.updated",
            target=f"user:{user.code}",
            actor=actor,
            now=now,
            detail={"fields": changed},
        )
    return profile


def change_username(*, user: User, username: str, now: datetime) -> User:
    """Give the person a user name of their own choice.

    Raises `UsernameRefusedError`, `UsernameTakenError`, and `AccountMovedError` for an account
    that was closed: its name stays the one that nobody may choose.
    """
    username = read_username(username)
    try:
        with transaction.atomic():
            person = lock_person(user.pk)
            if person.state == User.State.CLOSED:
                raise AccountMovedError
            if person.username == username:
                return person
            person.username = username
            person.save(update_fields=["username"])
            record_audit(
                action="account.username_changed",
                target=f"user:{person.code}",
                actor=person,
                now=now,
            )
    except IntegrityError:
        raise UsernameTakenError from None
    return person


def _choose_region(profile: Profile, code: str, *, now: datetime) -> Region:
    if profile.region is not None and profile.region.code == code:
        return profile.region
    region = find_region(code, today=timezone.localdate(now))
    if region is None:
        raise RegionRefusedError
    return region
