"""Synthetic people: born 1900 to 1904, phones from 199 0000 0000, check digits that hold."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import (
    Profile,
    Region,
    Unit,
    UnitAppointment,
    UnitMember,
    User,
)
from portal.lib.identity import check_character

PASSWORD = "gongxu-2026-xuexi"
JOINED_AT = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
FIRST_BIRTH_DATE = date(1900, 1, 1)
BIRTH_DAYS = (date(1905, 1, 1) - FIRST_BIRTH_DATE).days
# People whom no test gives a number count from here on: a long run of tests makes thousands of
# them, and none may come by the number that a test gives to somebody else.
UNNAMED = 1_000_000


def make_id_number(n: int, *, region: str = "500103") -> str:
    """The n-th valid number: every day of 1900 to 1904, then the next order number."""
    order, day = divmod(n, BIRTH_DAYS)
    born = FIRST_BIRTH_DATE + timedelta(days=day)
    first17 = f"{region}{born:%Y%m%d}{order + 1:03d}"
    return first17 + check_character(first17)


def make_phone(n: int) -> str:
    """199 0000 0000 and on."""
    return str(19900000000 + n)


class RegionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Region
        django_get_or_create = ("code",)

    code = factory.Sequence(lambda n: f"T{n:05d}")
    name = factory.Sequence(lambda n: f"示例区{n}")
    kind = Region.Kind.DISTRICT
    position = factory.Sequence(lambda n: n % 30000)


class UnitFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Unit

    name = factory.Sequence(lambda n: f"示例单位{n}")
    region = factory.SubFactory(RegionFactory)
    created_at = JOINED_AT


class UserFactory(factory.django.DjangoModelFactory):
    """A person; give `id_number` and `phone` as plain numbers, `password` as plain text.

    Traits: `with_profile` (a complete one; `profile__unit=...` names the unit),
    `coordinator` (acts for a unit; `appointment__unit=...` names it), `staff`, `superuser`,
    `pending`, `closed`.
    """

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        with_profile = factory.Trait(
            profile=factory.RelatedFactory(
                "tests.factories.accounts.ProfileFactory", factory_related_name="person"
            )
        )
        coordinator = factory.Trait(
            appointment=factory.RelatedFactory(
                "tests.factories.accounts.UnitAppointmentFactory",
                factory_related_name="person",
            )
        )
        staff = factory.Trait(is_staff=True)
        superuser = factory.Trait(is_staff=True, is_superuser=True)
        pending = factory.Trait(state=User.State.PENDING)
        closed = factory.Trait(state=User.State.CLOSED, is_active=False)

    username = factory.Sequence(lambda n: f"person{n}")
    name = factory.Sequence(lambda n: f"学员{chr(0x4E00 + n % 2000)}")
    id_number = factory.Sequence(lambda n: make_id_number(UNNAMED + n))
    phone = factory.Sequence(lambda n: make_phone(UNNAMED + n))
    password = PASSWORD
    date_joined = JOINED_AT
    # A password that staff need not change at once.
    password_changed_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        user = cls._build(model_class, *args, **kwargs)
        user.save(force_insert=True)
        return user

    @classmethod
    def _build(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        id_number, phone = kwargs.pop("id_number"), kwargs.pop("phone")
        password = kwargs.pop("password")
        user = model_class(*args, **kwargs)
        user.password = make_password(password)
        if id_number:
            user.store_id_number(id_number)
        if phone:
            user.store_phone(phone)
        return user


class ProfileFactory(factory.django.DjangoModelFactory):
    """A complete profile: all that a certificate prints."""

    class Meta:
        model = Profile

    person = factory.SubFactory(UserFactory)
    unit = factory.SubFactory(UnitFactory)
    region = factory.SelfAttribute("unit.region")
    unit_name = factory.SelfAttribute("unit.name")
    series = "05"
    level = "intermediate"
    education = Profile.Education.BACHELOR
    updated_at = JOINED_AT


class UnitAppointmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = UnitAppointment

    unit = factory.SubFactory(UnitFactory)
    person = factory.SubFactory(UserFactory)
    appointed_at = JOINED_AT

    @classmethod
    def _create(
        cls, model_class: type[UnitAppointment], *args: Any, **kwargs: Any
    ) -> UnitAppointment:
        appointment = super()._create(model_class, *args, **kwargs)
        # As accounts.services.coordinators keeps it.
        appointment.person.is_coordinator = appointment.ended_at is None
        appointment.person.save(update_fields=["is_coordinator"])
        return appointment


class UnitMemberFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = UnitMember

    unit = factory.SubFactory(UnitFactory)
    person = factory.SubFactory(UserFactory)
    source = UnitMember.Source.PROFILE
    joined_at = JOINED_AT
