"""Units and districts at the same hours at the same moment: each hour counts once."""

import pytest

from learning.errors import HoursRefusedError
from learning.models import UnitHours, UnitHoursEvent
from learning.queries.hours import sum_unit_hours
from learning.services.unit_hours import (
    inspect_unit_hours,
    record_unit_hours,
    withdraw_unit_hours,
)
from tests.factories.accounts import (
    UnitAppointmentFactory,
    UnitMemberFactory,
    UserFactory,
)
from tests.factories.unit_hours import UnitHoursFactory, make_training
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions):
    """Run all at one moment; how many of them were refused."""
    outcomes = run_together(*actions, refusals=(HoursRefusedError,))
    return sum(isinstance(each, HoursRefusedError) for each in outcomes)


def test_two_units_record_the_same_training(now):
    person = UserFactory()
    desks = [UnitAppointmentFactory() for _ in range(2)]
    for desk in desks:
        UnitMemberFactory(unit=desk.unit, person=person)

    def recording(desk):
        return lambda: record_unit_hours(
            unit=desk.unit,
            people=[person],
            training=make_training(),
            actor=desk.person,
            now=now,
        )

    assert at_once(*map(recording, desks)) == 1
    assert UnitHours.objects.count() == UnitHoursEvent.objects.count() == 1
    assert sum_unit_hours(person) == {2026: 8}


def test_the_unit_withdraws_what_the_district_checks(now):
    desk, supervisor = UnitAppointmentFactory(), UserFactory(staff=True)
    row = UnitHoursFactory(unit=desk.unit, recorded_by=desk.person)

    refused = at_once(
        lambda: withdraw_unit_hours(
            record=row, reason="填错", actor=desk.person, now=now
        ),
        lambda: inspect_unit_hours(
            record=row, passes=True, reason="核实", actor=supervisor, now=now
        ),
    )

    row.refresh_from_db()
    assert refused == 1
    assert [event.state for event in row.events.all()] == [row.state]
