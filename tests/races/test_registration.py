"""Parallel registrations of one ID number, and of one phone, end in one account."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection

from accounts.errors import IdNumberTakenError, PhoneTakenError
from accounts.models import AuditEntry, Consent, Profile, User
from accounts.services.audit import find_chain_fault
from accounts.services.reference_data import load_regions
from accounts.services.registration import Application, register_person
from tests.factories.accounts import make_id_number, make_phone

THREADS = 6


def apply(number, phone):
    return Application(
        name="赵一",
        id_number=make_id_number(number),
        phone=make_phone(phone),
        password_hash=make_password("hongyadong-1900"),
        region_code="500103",
        unit_name="重庆市渝中区示例学校",
        consents={"privacy": "2026-01"},
    )


def register_at_once(applications, now):
    """Register all at the same moment; the outcome of each: None or its error's class."""
    start = Barrier(len(applications))

    def register(application):
        try:
            start.wait()
            register_person(application=application, address="", now=now)
        except (IdNumberTakenError, PhoneTakenError) as error:
            return type(error)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(applications)) as pool:
        return list(pool.map(register, applications))


@pytest.mark.django_db(transaction=True)
def test_one_id_number_ends_in_one_account(now):
    load_regions()
    applications = [apply(8000, 8000 + number) for number in range(THREADS)]

    outcomes = register_at_once(applications, now)

    assert sorted(map(str, outcomes)) == sorted(
        [str(None), *[str(IdNumberTakenError)] * (THREADS - 1)]
    )
    assert User.objects.count() == 1
    assert Profile.objects.count() == 1
    assert Consent.objects.count() == 1
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_phone_ends_in_one_account(now):
    load_regions()
    applications = [apply(8000 + number, 8000) for number in range(THREADS)]

    outcomes = register_at_once(applications, now)

    assert outcomes.count(None) == 1
    assert outcomes.count(PhoneTakenError) == THREADS - 1
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_different_people_at_once_keep_the_audit_chain_whole(now):
    load_regions()
    applications = [apply(8000 + number, 8000 + number) for number in range(THREADS)]

    outcomes = register_at_once(applications, now)

    assert outcomes == [None] * THREADS
    positions = AuditEntry.objects.order_by("position").values_list(
        "position", flat=True
    )
    assert list(positions) == list(range(1, THREADS + 1))
    assert find_chain_fault() is None
