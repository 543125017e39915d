"""A worker's process killed with SIGKILL in the middle of a check, and what is left."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Message
from accounts.services.leases import LEASE
from learning.models import Enrolment
from orders.models import GroupCheck, Order
from orders.payments.protocol import Report
from orders.payments.protocol import State as PaymentState
from orders.services import apply_report
from orders.services.groups import check_people
from orders.tasks import sweep_groups
from tests.conftest import PROJECT, WORKER_START_SECONDS, database_url
from tests.factories.groups import hand_in, make_group_order, make_trainees, paste
from tests.factories.orders import PaymentAttemptFactory, make_endless_plan

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]
State = GroupCheck.State

# Does the work and stops at the named step before its commit, to be killed there.
VICTIM = """
import time
import django
django.setup()
from django.utils import timezone
{imports}
real, calls = {module}.{step}, []
def linger(*args, **kwargs):
    result = real(*args, **kwargs)
    calls.append(result)
    if len(calls) == {times}:
        print("in the middle", flush=True)
        time.sleep(120)
    return result
{module}.{step} = linger
{call}
"""


def kill_in_the_middle(**source):
    process = subprocess.Popen(
        [sys.executable, "-c", VICTIM.format(**source)],
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


@pytest.fixture
def given(coordinator, unit):
    return {
        "buyer": coordinator,
        "unit": unit,
        "plan": make_endless_plan(),
        "now": timezone.now(),
    }


def test_a_killed_check_begins_anew_and_loses_nobody(given):
    people = make_trainees(10)
    check = hand_in(paste(*people), **given)

    kill_in_the_middle(
        imports="from orders.services.groups import checking",
        module="checking",
        step="_compare_with_accounts",
        times=2,
        call=f"checking.ROWS_A_STEP = 4; "
        f"checking.check_people(check_id={check.pk}, clock=timezone.now)",
    )
    check.refresh_from_db()
    assert (check.state, check.checked_count, check.rows.count()) == ("checking", 4, 4)
    check_people(check_id=check.pk, clock=timezone.now)
    check.refresh_from_db()
    assert check.checked_count == 4, "the dead worker's lease still runs"

    check_people(check_id=check.pk, clock=after_the_lease)

    check.refresh_from_db()
    assert (check.state, check.checked_count, check.free_count) == ("checked", 10, 10)
    assert check.asked_count == 10, "a second begin is no second question"
    assert sorted(check.rows.values_list("person_id", flat=True)) == sorted(
        person.pk for person in people
    )


def test_the_sweep_finds_what_a_killed_worker_left(given):
    check = hand_in(paste(*make_trainees(2)), **given)
    GroupCheck.objects.update(state=State.CHECKING, lease_until=timezone.now() + LEASE)
    sweep_groups()
    check.refresh_from_db()
    assert check.state == State.CHECKING

    GroupCheck.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep_groups()

    check.refresh_from_db()
    assert (check.state, check.free_count) == (State.CHECKED, 2)


def test_the_sweep_finds_what_no_worker_was_told_of(given):
    check = hand_in(paste(*make_trainees(2)), **given)

    sweep_groups()

    check.refresh_from_db()
    assert check.state == State.CHECKED


def test_a_killed_settlement_leaves_nothing_half_done(given):
    """Killed after enrolments and messages were written, before the commit."""
    people = make_trainees(5)
    order = make_group_order(people, **given)
    attempt = PaymentAttemptFactory(order=order)
    report = (
        f"Report({attempt.number!r}, State.PAID, {attempt.amount_fen}, "
        "gateway_number='T1')"
    )

    kill_in_the_middle(
        imports="from orders.services import apply_report, delivery\n"
        "from orders.payments.protocol import Report, State",
        module="delivery",
        step="tell_people",
        times=1,
        call=f"apply_report(gateway='alipay', report={report}, "
        "source='notification', now=timezone.now())",
    )
    order.refresh_from_db()
    assert order.state == Order.State.PENDING
    assert Enrolment.objects.count() == Message.objects.count() == 0

    apply_report(
        gateway="alipay",
        report=Report(attempt.number, PaymentState.PAID, attempt.amount_fen),
        source="notification",
        now=timezone.now(),
    )

    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert Enrolment.objects.count() == Message.objects.count() == 5
