"""Staff who decide at the same moment: one decision, one unit, one change."""

import pytest

from accounts.errors import AccountsError, RequestMovedError, RequestRefusedError
from accounts.models import AuditEntry, PersonRequest, Unit, UnitAppointment, User
from accounts.services.audit import find_chain_fault
from accounts.services.reference_data import load_regions
from accounts.services.request_decisions import approve_request
from accounts.services.requests import withdraw_request
from tests.factories.accounts import UserFactory
from tests.factories.requests import (
    UNIT_CODE,
    file_appointment,
    file_name_change,
    file_number_change,
    make_staff,
)
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions):
    """Run all at one moment; the outcome of each: None or its error's class."""
    outcomes = run_together(*actions, refusals=(AccountsError,))
    return [
        type(each) if isinstance(each, AccountsError) else None for each in outcomes
    ]


def approval(row, actor, now):
    seen = row.version
    return lambda: approve_request(
        request_id=row.pk, seen_version=seen, actor=actor, now=now
    )


def test_two_approvals_at_once_are_one_approval(now):
    """Each of the two looked at an undecided request: neither checked the other's."""
    person = UserFactory(name="赵一")
    before = person.id_number
    row = file_number_change(person, now=now)
    actors = [make_staff("审核") for _ in range(2)]

    outcomes = at_once(*(approval(row, actor, now) for actor in actors))

    assert sorted(map(str, outcomes)) == sorted(map(str, [None, RequestMovedError]))
    row.refresh_from_db()
    assert (row.state, row.second_decider) == ("first_approved", None)
    assert User.objects.get(pk=person.pk).id_number == before
    assert find_chain_fault() is None


def test_of_many_second_approvals_one_counts(now):
    person = UserFactory(name="赵一")
    row = file_number_change(person, now=now)
    first, *actors = [make_staff("审核") for _ in range(4)]
    row = approve_request(request_id=row.pk, seen_version=1, actor=first, now=now)

    outcomes = at_once(*(approval(row, actor, now) for actor in actors))

    assert outcomes.count(None) == 1
    assert AuditEntry.objects.filter(action="account.id_number_changed").count() == 1
    assert PersonRequest.objects.get().state == "approved"


def test_withdrawn_while_it_is_approved(now):
    person = UserFactory(name="赵一")
    row = file_name_change(person, now=now)

    outcomes = at_once(
        approval(row, make_staff("审核"), now),
        lambda: withdraw_request(request=row, actor=person, now=now),
    )

    assert outcomes.count(None) == 1
    row.refresh_from_db()
    name = User.objects.get(pk=person.pk).name
    assert (row.state, name) in {("approved", "赵易"), ("withdrawn", "赵一")}


def test_two_coordinators_of_a_new_unit_get_one_unit(now):
    load_regions()
    people = [UserFactory() for _ in range(3)]
    rows = [file_appointment(person, now=now) for person in people]
    clerk = make_staff("业务")

    outcomes = at_once(*(approval(row, clerk, now) for row in rows))

    assert outcomes == [None, None, None]
    unit = Unit.objects.get(credit_code=UNIT_CODE)
    appointed = UnitAppointment.objects.filter(unit=unit, ended_at=None)
    assert set(appointed.values_list("person", flat=True)) == {p.pk for p in people}


def test_one_of_a_kind_though_sent_twice(now):
    person = UserFactory(name="赵一")

    def send():
        file_name_change(person, now=now)

    outcomes = at_once(send, send, send)

    assert outcomes.count(None) == 1
    assert outcomes.count(RequestRefusedError) == 2
    assert PersonRequest.objects.count() == 1
