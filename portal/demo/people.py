"""Sample units and people in every state, made by the services that real people meet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import Region, Unit, User
from accounts.personal_data import phone_index
from accounts.rules.notices import PRIVACY, SENSITIVE
from accounts.rules.roles import BUSINESS
from accounts.services.coordinators import appoint_coordinator
from accounts.services.profiles import ProfileDetails, update_profile
from accounts.services.reference_data import load_regions, load_roles
from accounts.services.registration import Application, register_person
from catalog.models import Plan
from portal.demo import LOGINS, PASSWORD
from portal.demo.histories import (
    ask_for_certificate,
    buy_plan,
    order_plan,
    study_part,
    study_plan,
)
from portal.lib.identity import check_character

STAFF_USERNAME = next(each.login for each in LOGINS if each.login.isalpha())
NOTICE_VERSION = "2026-01"
# What "a while ago" means in the stories below.
LONG_AGO = timedelta(days=60)


@dataclass(frozen=True)
class UnitSample:
    name: str
    region_code: str
    credit_code: str


# Invented bodies; the check digits of their credit codes hold.
UNITS = [
    UnitSample("嘉陵示范建筑设计院", "500103", "91500103MA0000001U"),
    UnitSample("缙云山示范中学", "500109", "12500109MB0000002W"),
    UnitSample("江畔示范医院", "500106", "12500106MB0000003L"),
]


@dataclass(frozen=True)
class PersonSample:
    """One person and what happened: plan codes by how far each got."""

    name: str
    birth_date: date
    phone: str
    unit: UnitSample
    series: str = ""
    level: str = ""
    education: str = ""
    unpaid: tuple[str, ...] = ()
    bought: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    certified: tuple[str, ...] = ()
    is_coordinator: bool = False


def _sample(order: int, name: str, unit: int, **story: object) -> PersonSample:
    return PersonSample(
        name=name,
        birth_date=date(1900, 1, 1) + timedelta(days=97 * order),
        phone=str(19900000000 + order),
        unit=UNITS[unit],
        **story,  # type: ignore[arg-type]
    )


ENGINEER = {"series": "05", "level": "intermediate", "education": "bachelor"}
TEACHER = {"series": "22", "level": "associate_senior", "education": "master"}
PHYSICIAN = {"series": "04", "level": "assistant", "education": "bachelor"}

PEOPLE = [
    _sample(
        1,
        "林知远",
        0,
        **ENGINEER,
        begun=("zy-2026-gongcheng",),
        certified=("gx-2025",),
        unpaid=("gx-2024",),
    ),
    _sample(2, "沈若兰", 1, **TEACHER, is_coordinator=True, bought=("gx-2026",)),
    _sample(3, "欧阳建国", 0, **ENGINEER, certified=("gx-2026", "gx-2025")),
    _sample(4, "程思齐", 2, **PHYSICIAN, finished=("gx-2026",)),
    _sample(5, "陆明哲", 1, **TEACHER, begun=("gx-2026",)),
    _sample(6, "韩雨桐", 2, unpaid=("gx-2026",)),
    _sample(7, "阿依古丽·买买提", 1, **TEACHER, certified=("gx-2020",)),
    _sample(8, "贺清源", 0, bought=("gx-2026-2",)),
    _sample(9, "苏景行", 2),
]


def load_people(
    now: datetime, *, say: Callable[[str], None] = lambda _text: None
) -> None:
    """Load units, people with their stories, and staff; whoever is there already is left alone."""
    load_regions()
    load_roles()
    for unit in UNITS:
        _save_unit(unit, now)
    password = make_password(PASSWORD)
    for sample in PEOPLE:
        if not User.objects.filter(phone_index=phone_index(sample.phone)).exists():
            say(f"示例学员：{sample.name}")
            with transaction.atomic():
                person = _register(sample, password, now - LONG_AGO)
                _tell_story(person, sample, now)
    # Last: `manage.py serve` takes a portal without staff for one not loaded to the end.
    _save_staff(now)


def id_number_of(sample: PersonSample) -> str:
    """A number with a valid check digit that nobody living has: born before 1905."""
    first17 = f"{sample.unit.region_code}{sample.birth_date:%Y%m%d}{1:03d}"
    return first17 + check_character(first17)


def _save_unit(unit: UnitSample, now: datetime) -> None:
    Unit.objects.get_or_create(
        region=Region.objects.get(code=unit.region_code),
        name=unit.name,
        defaults={"credit_code": unit.credit_code, "created_at": now},
    )


def _save_staff(now: datetime) -> None:
    if User.objects.filter(username=STAFF_USERNAME).exists():
        return
    staff = User.objects.create_superuser(
        STAFF_USERNAME, password=PASSWORD, name="培训科", date_joined=now
    )
    staff.groups.add(Group.objects.get(name=BUSINESS))


def _register(sample: PersonSample, password: str, now: datetime) -> User:
    person = register_person(
        application=Application(
            name=sample.name,
            id_number=id_number_of(sample),
            phone=sample.phone,
            password_hash=password,
            region_code=sample.unit.region_code,
            unit_name=sample.unit.name,
            consents={PRIVACY: NOTICE_VERSION, SENSITIVE: NOTICE_VERSION},
        ),
        address="127.0.0.1",
        now=now,
    )
    if sample.series:
        details = ProfileDetails(
            region_code=sample.unit.region_code,
            unit_name=sample.unit.name,
            series=sample.series,
            level=sample.level,
            education=sample.education,
        )
        update_profile(user=person, details=details, actor=person, now=now)
    if sample.is_coordinator:
        unit = Unit.objects.get(name=sample.unit.name)
        appoint_coordinator(unit=unit, person=person, actor=person, now=now)
    return person


def _tell_story(person: User, sample: PersonSample, now: datetime) -> None:
    """Buy, study and finish, each some days after the other, the newest a few hours ago."""
    days = iter(range(50, 0, -5))
    for code in (*sample.certified, *sample.finished):
        at = now - timedelta(days=next(days))
        enrolment = buy_plan(person, _plan(code), at)
        finished_at = study_plan(person, enrolment, at + timedelta(hours=2))
        if code in sample.certified:
            ask_for_certificate(enrolment, finished_at + timedelta(hours=1))
    for code in sample.begun:
        at = now - timedelta(days=next(days))
        study_part(person, buy_plan(person, _plan(code), at), at + timedelta(hours=3))
    for code in sample.bought:
        buy_plan(person, _plan(code), now - timedelta(days=next(days)))
    for code in sample.unpaid:
        order_plan(person, _plan(code), now)


def _plan(code: str) -> Plan:
    return Plan.objects.get(code=code)
