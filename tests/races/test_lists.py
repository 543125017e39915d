"""Several workers, lists and visitors at once: every person gets one account."""

import time
from datetime import timedelta
from threading import Event

import pytest
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts.errors import IdNumberTakenError, PhoneTakenError
from accounts.locks import lock_person
from accounts.models import Message, RegistrationList, UnitMember, User
from accounts.services.audit import find_chain_fault
from accounts.services.lists import check_list, checking, create_accounts
from accounts.services.reference_data import load_regions
from accounts.services.registration import Application, register_person
from tests.factories.accounts import UnitFactory, UserFactory
from tests.factories.lists import (
    hand_in,
    make_approved_list,
    make_coordinator,
    make_lines,
)
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)
State = RegistrationList.State
COUNT = 24


def approve(lines, staff, now, unit=None):
    unit = unit or UnitFactory()
    return make_approved_list(
        lines, unit=unit, coordinator=make_coordinator(unit), staff=staff, now=now
    )


def create(row):
    return lambda: create_accounts(list_id=row.pk, clock=timezone.now, size=4)


def test_two_workers_at_one_list(staff, now):
    row = approve(make_lines(COUNT), staff, now)

    run_together(create(row), create(row), create(row))

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

    run_together(
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

    run_together(create(one), create(other))

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


def test_rows_of_one_day_add_up_in_parallel_checks(unit, now, monkeypatch):
    """Each of two lists is within the limit; both together are not."""
    coordinator = make_coordinator(unit)
    rows = [
        hand_in(make_lines(2), unit=unit, coordinator=coordinator, now=now)
        for _ in range(2)
    ]
    monkeypatch.setattr(checking, "DAILY_ROWS", 3)
    count = checking.count_lists_of_day

    def count_slowly(*args, **kwargs):
        found = count(*args, **kwargs)
        time.sleep(0.3)
        return found

    monkeypatch.setattr(checking, "count_lists_of_day", count_slowly)

    run_together(
        *(lambda row=row: check_list(list_id=row.pk, clock=lambda: now) for row in rows)
    )

    for row in rows:
        row.refresh_from_db()
    assert sorted(row.state for row in rows) == [State.CHECKED, State.REFUSED]


def test_whoever_logs_in_meanwhile_gets_no_new_end(staff, now):
    """The first login is under way when the list would give the person more time."""
    line = make_lines(1)[0]
    person = UserFactory(
        name=line[1],
        id_number=line[2],
        phone=line[3],
        pending=True,
        pending_until=now - timedelta(seconds=1),
    )
    row = approve([line], staff, now)
    is_locked = Event()

    def log_in():
        with transaction.atomic():
            known = lock_person(person.pk)
            is_locked.set()
            time.sleep(0.5)
            known.state, known.pending_until = User.State.ACTIVE, None
            known.save()

    def create_then():
        is_locked.wait(timeout=10)
        create_accounts(list_id=row.pk, clock=lambda: now)

    run_together(log_in, create_then)

    person.refresh_from_db()
    assert (person.state, person.pending_until) == (User.State.ACTIVE, None)
    assert Message.objects.filter(template="account_opened").count() == 0
    row.refresh_from_db()
    assert (row.state, row.linked_count) == (State.DONE, 1)


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

    _, *registered = run_together(create(row), *(register(line) for line in lines[::6]))

    row.refresh_from_db()
    assert row.state == State.DONE
    assert row.failed_count == 0
    assert row.linked_count == sum(registered)
    assert row.new_count == COUNT - sum(registered)
    numbers = {line[2] for line in lines}
    found = [p.id_number for p in User.objects.filter(id_number_cipher__isnull=False)]
    assert sorted(n for n in found if n in numbers) == sorted(numbers)
