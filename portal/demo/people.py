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
from accounts.rules.roles import BUSINESS, REVIEW
from accounts.services.coordinators import appoint_coordinator
from accounts.services.profiles import ProfileDetails, update_profile
from accounts.services.reference_data import load_regions, load_roles
from accounts.services.registration import Application, register_person
from catalog.models import Plan
from orders.models import GroupCheck
from portal.demo import LOGINS, PASSWORD
from portal.demo.histories import (
    ask_for_certificate,
    buy_plan,
    order_plan,
    study_part,
    study_plan,
)
from portal.demo.staff_work import load_staff_work
from portal.demo.unit_hours import load_unit_hours
from portal.demo.unit_orders import load_unit_orders
from portal.lib.identity import check_character

BUSINESS_LOGIN, REVIEWER_LOGIN = (each.login for each in LOGINS if each.login.isalpha())
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
    _sample(10, "丁静姝", 1, **TEACHER),
    _sample(11, "罗子墨", 1, **TEACHER),
    _sample(12, "白明轩", 1, **TEACHER),
    _sample(13, "汤怀瑾", 1),
]
TRAINEE, COORDINATOR, PAYER = PEOPLE[0], PEOPLE[1], PEOPLE[7]
# For whom the coordinator buys; the last of them leaves the unit.
COLLEAGUES = [*PEOPLE[9:12], PEOPLE[4], PEOPLE[12]]


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
    say("示例工作人员与待办")
    # Last, and at once: `manage.py serve` takes a portal without staff for one not loaded to
    # the end.
    with transaction.atomic():
        staff = (_save_business(now), _save_reviewer(now))
        _load_dealings(staff, now)


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


def _save_business(now: datetime) -> User:
    known = User.objects.filter(username=BUSINESS_LOGIN).first()
    if known is not None:
        return known
    staff = User.objects.create_superuser(
        BUSINESS_LOGIN, password=PASSWORD, name="培训科", date_joined=now
    )
    staff.groups.add(Group.objects.get(name=BUSINESS))
    return staff


def _save_reviewer(now: datetime) -> User:
    """The second pair of eyes, without which nothing is decided by two."""
    known = User.objects.filter(username=REVIEWER_LOGIN).first()
    if known is not None:
        return known
    staff = User.objects.create_user(
        REVIEWER_LOGIN,
        password=PASSWORD,
        name="审核岗",
        is_staff=True,
        date_joined=now,
        # As printed for whoever tries the portal: no first password that has to go at once.
        password_changed_at=now,
    )
    staff.groups.add(Group.objects.get(name=REVIEW))
    return staff


def _load_dealings(staff: tuple[User, User], now: datetime) -> None:
    """What the unit has bought and what staff have to do, unless it was loaded before."""
    coordinator, payer, trainee = (
        find_person(s) for s in (COORDINATOR, PAYER, TRAINEE)
    )
    if GroupCheck.objects.filter(buyer=coordinator).exists():
        return
    unit = Unit.objects.get(name=COORDINATOR.unit.name)
    load_unit_orders(coordinator, unit, [find_person(s) for s in COLLEAGUES], now)
    load_unit_hours(
        coordinator, unit, [coordinator, find_person(PEOPLE[4])], staff[1], now
    )
    load_staff_work(trainee, payer, staff, now)


def find_person(sample: PersonSample) -> User:
    return User.objects.get(phone_index=phone_index(sample.phone))


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
