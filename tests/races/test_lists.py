"""Several workers, lists and visitors at once: every person gets one account."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.utils import timezone

from accounts.errors import IdNumberTakenError, PhoneTakenError
from accounts.models import Message, RegistrationList, UnitMember, User
from accounts.services.audit import find_chain_fault
from accounts.services.lists import create_accounts
from accounts.services.reference_data import load_regions
from accounts.services.registration import Application, register_person
from tests.factories.accounts import UnitFactory
from tests.factories.lists import make_approved_list, make_coordinator, make_lines

pytestmark = pytest.mark.django_db(transaction=True)
State = RegistrationList.State
COUNT = 24


def at_once(*actions):
    """Run the actions in threads that start at the same moment; their results."""
    start = Barrier(len(actions))

    def run(action):
        try:
            start.wait()
            return action()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def approve(lines, staff, now, unit=None):
    unit = unit or UnitFactory()
    return make_approved_list(
        lines, unit=unit, coordinator=make_coordinator(unit), staff=staff, now=now
    )


def create(row):
    return lambda: create_accounts(list_id=row.pk, clock=timezone.now, size=4)


def test_two_workers_at_one_list(staff, now):
    row = approve(make_lines(COUNT), staff, now)

    at_once(create(row), create(row), create(row))

    row.refresh_from_db()
    assert (row.state, row.new_count) == (State.DONE, COUNT)
    assert User.objects.filter(state=User.State.PENDING).count() == COUNT
    assert Message.objects.filter(template="account_opened").count() == COUNT
    assert Message.objects.filter(template="list_done").count() == 1
    assert find_chain_fault() is None


def test_a_worker_that_lost_its_lease_writes_nothing_more(staff, now):
    """It woke up again after the sweep had given the list to another."""
    row = approve(make_lines(COUNT), staff, now)
    late = now + timedelta(hours=1)

    at_once(
        lambda: create_accounts(list_id=row.pk, clock=lambda: now, size=2),
        lambda: create_accounts(list_id=row.pk, clock=lambda: late, size=2),
    )

    row.refresh_from_db()
    assert (row.state, row.new_count) == (State.DONE, COUNT)
    assert User.objects.filter(state=User.State.PENDING).count() == COUNT
    assert Message.objects.filter(template="list_done").count() == 1


def test_two_lists_with_the_same_people_in_opposite_order(staff, now):
    lines = make_lines(COUNT)
    # Names and numbers crossed with the phones of others: no one order suits both indexes.
    crossed = [
        (*line[:3], other[3], *line[4:])
        for line, other in zip(lines, reversed(lines), strict=True)
    ]
    one, other = approve(lines, staff, now), approve(crossed[::-1], staff, now)

    at_once(create(one), create(other))

    for row in (one, other):
        row.refresh_from_db()
        assert row.state == State.DONE
        assert row.new_count + row.linked_count + row.failed_count == COUNT
    people = User.objects.filter(state=User.State.PENDING)
    assert people.count() == one.new_count + other.new_count
    for row in (one, other):
        members = UnitMember.objects.filter(unit=row.unit, ended_at=None)
        assert members.filter(person__in=people).count() == (
            row.new_count + row.linked_count
        )
    assert find_chain_fault() is None


def test_people_who_register_themselves_meanwhile(staff, now):
    load_regions()
    lines = make_lines(COUNT)
    row = approve(lines, staff, now)

    def register(line):
        application = Application(
            name=line[1],
            id_number=line[2],
            phone=line[3],
            password_hash=make_password("hongyadong-1900"),
            region_code="500103",
            unit_name="别的单位",
            consents={"privacy": "2026-01"},
        )

        def run():
            try:
                register_person(application=application, address="", now=now)
            except (IdNumberTakenError, PhoneTakenError):
                return False
            return True

        return run

    _, *registered = at_once(create(row), *(register(line) for line in lines[::6]))

    row.refresh_from_db()
    assert row.state == State.DONE
    assert row.failed_count == 0
    assert row.linked_count == sum(registered)
    assert row.new_count == COUNT - sum(registered)
    numbers = {line[2] for line in lines}
    found = [p.id_number for p in User.objects.filter(id_number_cipher__isnull=False)]
    assert sorted(n for n in found if n in numbers) == sorted(numbers)
