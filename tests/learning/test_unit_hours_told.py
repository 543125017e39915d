"""Who learns by SMS what a spot check did to hours of a unit."""

import pytest

from accounts.models import Message, UnitMember, User
from learning.errors import HoursRefusedError
from learning.services.unit_hours import inspect_unit_hours, record_unit_hours
from tests.factories.accounts import UnitAppointmentFactory
from tests.factories.unit_hours import UnitHoursFactory, make_training

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(unit, member, coordinator, now):
    [row] = record_unit_hours(
        unit=unit, people=[member], training=make_training(), actor=coordinator, now=now
    )
    return row


def told():
    rows = Message.objects.order_by("pk")
    found = [(row.template, row.recipient_mask, row.text) for row in rows]
    Message.objects.all().delete()
    return found


def test_who_loses_hours_is_told_and_so_is_the_unit(
    record, unit, member, coordinator, staff, now
):
    UnitAppointmentFactory(unit=unit, ended_at=now)
    UnitMember.objects.filter(person=member).update(ended_at=now)

    def inspect(*, passes):
        reason = "签到表不符"
        inspect_unit_hours(
            record=record, passes=passes, reason=reason, actor=staff, now=now
        )

    inspect(passes=True)
    assert told() == []
    inspect(passes=False)
    lost = "2026年度专业科目8学时经抽查不予认可"
    [person, desk] = told()
    assert person[:2] == ("unit_hours_rejected", member.masked_phone)
    assert f"{unit.name}为您登记的{lost}，不再计入年度学时" in person[2]
    assert desk[:2] == ("unit_hours_rejected_unit", coordinator.masked_phone)
    assert f"{unit.name}为{member.name}登记的{lost}" in desk[2]
    assert "签到表不符" not in person[2] + desk[2]
    inspect(passes=True)
    [again] = told()
    assert again[:2] == ("unit_hours_restored", member.masked_phone)


def test_who_closed_the_account_is_not_told(record, member, staff, now):
    User.objects.filter(pk=member.pk).update(phone_cipher=None, phone_index=None)

    inspect_unit_hours(
        record=record, passes=False, reason="签到表不符", actor=staff, now=now
    )

    assert [template for template, *_ in told()] == ["unit_hours_rejected_unit"]


def test_a_finding_that_is_refused_tells_nobody(staff, now):
    row = UnitHoursFactory(state="withdrawn")

    with pytest.raises(HoursRefusedError):
        inspect_unit_hours(record=row, passes=True, reason="核实", actor=staff, now=now)

    assert told() == []
