"""A worker's process killed with SIGKILL in the middle of a transaction, and what is left."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Message, Profile, RegistrationList, UnitMember, User
from accounts.services.audit import find_chain_fault
from accounts.services.leases import LEASE
from accounts.services.lists import check_list, create_accounts
from accounts.tasks import sweep_lists
from tests.conftest import PROJECT, WORKER_START_SECONDS, database_url
from tests.factories.lists import hand_in, make_approved_list, make_lines

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]
State = RegistrationList.State

# Does a list's work and stops before the commit of the second step, to be killed there.
VICTIM = """
import os, sys, time
import django
django.setup()
from django.utils import timezone
from accounts.services.lists import {module}
real, calls = {module}.{step}, []
def linger(*args):
    result = real(*args)
    calls.append(result)
    if len(calls) == 2:
        print("in the middle", flush=True)
        time.sleep(120)
    return result
{module}.{step} = linger
{module}.ROWS_A_STEP = 4
{call}
"""


def kill_in_the_middle(module, step, call):
    source = VICTIM.format(module=module, step=step, call=call)
    process = subprocess.Popen(
        [sys.executable, "-c", source],
        cwd=PROJECT,
        env=os.environ
        | {"DATABASE_URL": database_url(), "PORTAL_VAR": str(settings.VAR_DIR)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + WORKER_START_SECONDS
    assert process.stdout is not None
    while "in the middle" not in process.stdout.readline():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def after_the_lease():
    return timezone.now() + LEASE + timedelta(seconds=1)


def test_creation_goes_on_where_the_killed_worker_stopped(unit, coordinator, staff):
    row = make_approved_list(
        make_lines(10),
        unit=unit,
        coordinator=coordinator,
        staff=staff,
        now=timezone.now(),
    )

    kill_in_the_middle(
        "creating",
        "_write_around",
        f"creating.create_accounts(list_id={row.pk}, clock=timezone.now, size=4)",
    )
    row.refresh_from_db()
    assert (row.state, row.new_count) == (State.CREATING, 4)
    assert User.objects.filter(state=User.State.PENDING).count() == 4

    create_accounts(list_id=row.pk, clock=timezone.now)
    row.refresh_from_db()
    assert row.new_count == 4, "the dead worker's lease still runs"
    create_accounts(list_id=row.pk, clock=after_the_lease, size=4)

    row.refresh_from_db()
    assert (row.state, row.new_count, row.failed_count) == (State.DONE, 10, 0)
    people = User.objects.filter(state=User.State.PENDING)
    assert people.count() == 10
    assert Profile.objects.filter(person__in=people).count() == 10
    assert UnitMember.objects.filter(person__in=people).count() == 10
    assert Message.objects.filter(template="account_opened").count() == 10
    assert find_chain_fault() is None


def test_a_killed_check_begins_anew(unit, coordinator):
    row = hand_in(
        make_lines(10), unit=unit, coordinator=coordinator, now=timezone.now()
    )

    kill_in_the_middle(
        "checking",
        "_compare_with_accounts",
        f"checking.check_list(list_id={row.pk}, clock=timezone.now)",
    )
    row.refresh_from_db()
    assert (row.state, row.checked_count, row.rows.count()) == (State.CHECKING, 4, 4)

    check_list(list_id=row.pk, clock=after_the_lease)

    row.refresh_from_db()
    assert (row.state, row.checked_count, row.valid_count) == (State.CHECKED, 10, 10)
    assert row.rows.count() == 10


@pytest.mark.parametrize("state", [State.APPROVED, State.CREATING])
def test_the_sweep_opens_accounts_that_nobody_was_woken_for(
    unit, coordinator, staff, state
):
    row = make_approved_list(
        make_lines(2),
        unit=unit,
        coordinator=coordinator,
        staff=staff,
        now=timezone.now(),
    )
    RegistrationList.objects.filter(pk=row.pk).update(
        state=state, lease_until=timezone.now() + LEASE
    )
    sweep_lists()
    row.refresh_from_db()
    assert (row.state, row.new_count) == (state, 0)

    RegistrationList.objects.filter(pk=row.pk).update(lease_until=None)
    sweep_lists()

    row.refresh_from_db()
    assert (row.state, row.new_count) == (State.DONE, 2)


def test_the_sweep_finds_what_a_killed_worker_left(unit, coordinator):
    row = hand_in(make_lines(2), unit=unit, coordinator=coordinator, now=timezone.now())
    RegistrationList.objects.filter(pk=row.pk).update(
        state=State.CHECKING, lease_until=timezone.now() + LEASE
    )
    sweep_lists()
    row.refresh_from_db()
    assert row.state == State.CHECKING

    RegistrationList.objects.filter(pk=row.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    sweep_lists()

    row.refresh_from_db()
    assert row.state == State.CHECKED
