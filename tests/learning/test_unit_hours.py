"""A unit records hours of its people: who may, for whom, what is kept, what is refused."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from learning.errors import (
    HoursRefusedError,
    ReasonMissingError,
    UnitHoursNotFoundError,
)
from learning.models import UnitHours, UnitHoursEvent
from learning.queries.hours import (
    find_unit_hours,
    get_unit_hours_of,
    list_unit_hours_for,
    read_repeated_credits,
    sum_unit_hours,
)
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
from tests.factories.catalog import CourseFactory, PlanFactory
from tests.factories.learning import CourseCompletionFactory, EnrolmentFactory
from tests.factories.unit_hours import UnitHoursFactory, make_training

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(unit, member, coordinator, now):
    [row] = record_unit_hours(
        unit=unit, people=[member], training=make_training(), actor=coordinator, now=now
    )
    return row


def steps_of(row):
    events = row.events.order_by("at", "pk")
    return [(event.state, event.actor, event.reason) for event in events]


def audited():
    rows = AuditEntry.objects.order_by("position")
    return [(row.action, row.target) for row in rows]


# --- Recording ---------------------------------------------------------------------------
def test_recorded_with_its_history(record, unit, member, coordinator, now):
    row = UnitHours.objects.get()

    assert (row.person, row.unit, row.recorded_by) == (member, unit, coordinator)
    assert (row.year, row.hours, row.state) == (2026, 8, "recorded")
    assert (row.starts_on, row.ends_on) == (date(2026, 3, 2), date(2026, 3, 3))
    assert row.recorded_at == now
    assert steps_of(row) == [("recorded", coordinator, "")]
    assert audited() == [("learning.unit_hours_recorded", f"unithours:{row.code}")]
    assert sum_unit_hours(member) == {2026: 8}


def test_one_training_for_many(unit, member, coordinator, now):
    colleague = UnitMemberFactory(unit=unit).person

    rows = record_unit_hours(
        unit=unit,
        people=[colleague, member, colleague],
        training=make_training(),
        actor=coordinator,
        now=now,
    )

    assert [row.person for row in rows] == [member, colleague]
    assert UnitHoursEvent.objects.count() == 2


def refuse(message, *, unit, people, actor, now, **changes):
    before = UnitHours.objects.count()
    with pytest.raises(HoursRefusedError, match=message):
        record_unit_hours(
            unit=unit,
            people=people,
            training=make_training(**changes),
            actor=actor,
            now=now,
        )
    assert UnitHours.objects.count() == before
    assert UnitHoursEvent.objects.count() == before


def test_only_by_who_acts_for_the_unit(unit, member, coordinator, staff, now):
    ended = UnitAppointmentFactory(unit=unit, ended_at=now).person
    elsewhere = UnitAppointmentFactory().person

    for actor in (ended, elsewhere, member, staff):
        refuse("您不是该单位的经办人", unit=unit, people=[member], actor=actor, now=now)


def test_one_person_outside_the_unit_and_nothing_is_recorded(
    unit, member, coordinator, stranger, now
):
    left = UnitMemberFactory(unit=unit, ended_at=now).person

    for other in (stranger, left):
        refuse(
            f"{other.name}不在本单位人员名单中",
            unit=unit,
            people=[member, other],
            actor=coordinator,
            now=now,
        )


def test_the_same_training_twice_is_refused(record, unit, member, coordinator, now):
    refuse(
        f"{member.name}：同一时段的同一培训内容已登记过",
        unit=unit,
        people=[member],
        actor=coordinator,
        now=now,
    )


def test_another_unit_cannot_record_it_again(record, member, now):
    second = UnitAppointmentFactory()
    UnitMemberFactory(unit=second.unit, person=member)

    refuse(
        "同一时段的同一培训内容已登记过",
        unit=second.unit,
        people=[member],
        actor=second.person,
        now=now,
    )


def test_hours_of_other_days_can_fill_a_day(unit, member, coordinator, now):
    """Two days of 48 hours leave no room, though one training lies on the first alone."""
    days = [(2, 2, 24), (2, 3, 24)]
    for number, (first, last, hours) in enumerate(days):
        UnitHoursFactory(
            person=member,
            content=f"第{number}次",
            starts_on=date(2026, 3, first),
            ends_on=date(2026, 3, last),
            hours=hours,
        )

    with pytest.raises(HoursRefusedError, match=f"{member.name}：与同一时段"):
        record_unit_hours(
            unit=unit,
            people=[member],
            training=make_training(starts_on=date(2026, 3, 3), hours=1),
            actor=coordinator,
            now=now,
        )

    assert UnitHours.objects.count() == 2


def test_recording_costs_the_same_for_many(unit, member, coordinator, now):
    people = [member, *(UnitMemberFactory(unit=unit).person for _ in range(15))]

    def count(people, content):
        with CaptureQueriesContext(connection) as queries:
            record_unit_hours(
                unit=unit,
                people=people,
                training=make_training(content=content),
                actor=coordinator,
                now=now,
            )
        return len(queries)

    # The first of all begins the audit's chain.
    count(people[:1], "甲")
    assert count(people[:1], "乙") == count(people, "丙")


def test_a_training_that_is_not_over_is_refused(unit, member, coordinator, now):
    refuse(
        "培训结束后才能登记",
        unit=unit,
        people=[member],
        actor=coordinator,
        now=now,
        ends_on=date(2026, 6, 16),
    )


# --- Withdrawing -------------------------------------------------------------------------
def test_withdrawn_with_a_reason_and_recorded_anew(
    record, unit, member, coordinator, now
):
    withdraw_unit_hours(record=record, reason=" 学时填错 ", actor=coordinator, now=now)

    record.refresh_from_db()
    assert (record.state, record.state_reason) == ("withdrawn", "学时填错")
    assert steps_of(record)[-1] == ("withdrawn", coordinator, "学时填错")
    assert audited()[-1] == (
        "learning.unit_hours_withdrawn",
        f"unithours:{record.code}",
    )
    assert sum_unit_hours(member) == {}
    record_unit_hours(
        unit=unit,
        people=[member],
        training=make_training(hours=6),
        actor=coordinator,
        now=now,
    )
    assert sum_unit_hours(member) == {2026: 6}


def test_withdrawing_is_for_the_unit_and_wants_a_reason(
    record, coordinator, member, now
):
    elsewhere = UnitAppointmentFactory().person

    for actor in (elsewhere, member):
        with pytest.raises(HoursRefusedError, match="您不是该单位的经办人"):
            withdraw_unit_hours(record=record, reason="填错", actor=actor, now=now)
    with pytest.raises(ReasonMissingError):
        withdraw_unit_hours(record=record, reason="  ", actor=coordinator, now=now)

    record.refresh_from_db()
    assert record.state == "recorded"
    assert record.events.count() == 1


def test_what_was_checked_is_not_withdrawn(record, coordinator, staff, now):
    inspect_unit_hours(record=record, passes=True, reason="", actor=staff, now=now)

    with pytest.raises(HoursRefusedError, match="已有其他办理结果"):
        withdraw_unit_hours(record=record, reason="填错", actor=coordinator, now=now)

    record.refresh_from_db()
    assert record.state == "passed"


# --- Checking ----------------------------------------------------------------------------
def test_passed_hours_count_and_rejected_ones_do_not(record, member, staff, now):
    inspect_unit_hours(record=record, passes=True, reason="", actor=staff, now=now)
    assert sum_unit_hours(member) == {2026: 8}

    inspect_unit_hours(
        record=record, passes=False, reason="签到表不符", actor=staff, now=now
    )

    record.refresh_from_db()
    assert (record.state, record.state_reason) == ("rejected", "签到表不符")
    assert sum_unit_hours(member) == {}
    assert [state for state, _, _ in steps_of(record)] == [
        *("recorded", "passed", "rejected")
    ]


@pytest.mark.parametrize(
    ("state", "passes"),
    [("recorded", False), ("passed", False), ("rejected", True)],
)
def test_a_finding_against_somebody_wants_a_reason(staff, now, state, passes):
    row = UnitHoursFactory(state=state)

    with pytest.raises(ReasonMissingError):
        inspect_unit_hours(record=row, passes=passes, reason="", actor=staff, now=now)

    row.refresh_from_db()
    assert row.state == state
    assert row.events.count() == 0


def test_nobody_checks_hours_of_their_own(record, coordinator, member, now):
    for actor in (coordinator, member):
        with pytest.raises(HoursRefusedError, match="不能抽查本人"):
            inspect_unit_hours(
                record=record, passes=True, reason="核实", actor=actor, now=now
            )

    record.refresh_from_db()
    assert record.state == "recorded"


def test_rejected_hours_recorded_anew_are_not_passed_as_well(
    record, unit, member, coordinator, staff, now
):
    inspect_unit_hours(
        record=record, passes=False, reason="证明不全", actor=staff, now=now
    )
    record_unit_hours(
        unit=unit, people=[member], training=make_training(), actor=coordinator, now=now
    )

    with pytest.raises(HoursRefusedError, match="同一培训内容已登记过"):
        inspect_unit_hours(
            record=record, passes=True, reason="补齐证明", actor=staff, now=now
        )

    assert sum_unit_hours(member) == {2026: 8}


# --- The database guards -----------------------------------------------------------------
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE learning_unithours SET hours = 40",
        "UPDATE learning_unithours SET recorded_by_id = person_id",
        "UPDATE learning_unithoursevent SET reason = 'x'",
    ],
)
def test_what_was_recorded_is_never_changed(record, statement):
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    "changes",
    [{"hours": 0}, {"ends_on": date(2026, 3, 1)}, {"ends_on": date(2027, 1, 1)}],
)
def test_rows_that_cannot_be(changes):
    with pytest.raises(DatabaseError), transaction.atomic():
        UnitHoursFactory(**changes)


# --- Reading -----------------------------------------------------------------------------
def test_reads_are_bound_to_their_person_and_unit(record, unit, member, stranger):
    UnitHoursFactory(person=stranger)
    other = UnitHoursFactory(person=member, year=2025)

    assert list(list_unit_hours_for(member)) == [record, other]
    assert list(find_unit_hours(unit, year=2026)) == [record]
    assert list(find_unit_hours(unit, year=2026, name="不存在")) == []
    assert list(find_unit_hours(unit, year=2026, state="withdrawn")) == []
    assert get_unit_hours_of(unit, record.code) == record
    with pytest.raises(UnitHoursNotFoundError):
        get_unit_hours_of(unit, other.code)


def test_a_course_finished_in_two_plans_of_a_year_repeats(owner, stranger):
    course = CourseFactory(credits=5)
    for person, year in [(owner, 2026), (owner, 2026), (owner, 2025), (stranger, 2026)]:
        enrolment = EnrolmentFactory(person=person, plan=PlanFactory(year=year))
        CourseCompletionFactory(enrolment=enrolment, course=course)
    revoked = EnrolmentFactory(person=owner, plan=PlanFactory(), revoked=True)
    CourseCompletionFactory(enrolment=revoked, course=course)

    assert read_repeated_credits(owner) == {(2026, "general"): 5}
    assert read_repeated_credits(stranger) == {}
    assert read_repeated_credits(UserFactory()) == {}
