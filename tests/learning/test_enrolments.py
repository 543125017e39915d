import pytest

from accounts.models import AuditEntry
from learning.errors import EnrolmentNotFoundError, ReasonMissingError
from learning.models import Enrolment
from learning.queries import (
    find_enrolment,
    get_enrolment_for,
    list_completed_for,
    list_enrolments_for,
    list_holders,
)
from learning.services import (
    open_enrolment_by_staff,
    open_enrolments,
    revoke_enrolment,
)
from tests.factories.accounts import UserFactory
from tests.factories.catalog import PlanFactory
from tests.factories.learning import EnrolmentFactory, enrol


def open_for(plan, users, now, number="N1"):
    return open_enrolments(
        plan=plan, users=users, source="order", source_number=number, now=now
    )


def test_opening_gives_one_enrolment_per_person(owner, stranger, now):
    plan = PlanFactory()

    opened = open_for(plan, [stranger, owner, owner], now)

    assert [row.person_id for row in opened] == sorted([owner.pk, stranger.pk])
    assert {row.state for row in opened} == {Enrolment.State.OPEN}
    assert {(row.source, row.source_number) for row in opened} == {("order", "N1")}
    assert {row.opened_at for row in opened} == {now}
    assert Enrolment.objects.count() == 2


def test_opening_twice_changes_nothing(owner, now):
    plan = PlanFactory()
    first = open_for(plan, [owner], now)
    before = Enrolment.objects.values().get()

    second = open_for(plan, [owner], now, "N2")

    assert second == first
    assert Enrolment.objects.values().get() == before


def test_opening_for_nobody_does_nothing(db, now):
    assert open_for(PlanFactory(), [], now) == []


def test_thousands_are_opened_with_few_queries(db, now, django_assert_max_num_queries):
    plan = PlanFactory()
    people = [UserFactory() for _ in range(50)]

    with django_assert_max_num_queries(8):
        assert len(open_for(plan, people, now)) == 50


def test_a_revoked_enrolment_is_opened_again(owner, now):
    enrolment = EnrolmentFactory(person=owner, percent=40, elective_earned=10)
    revoke_enrolment(enrolment=enrolment, now=now)

    (again,) = open_for(enrolment.plan, [owner], now, "N2")

    again.refresh_from_db()
    assert again.pk == enrolment.pk
    assert (again.state, again.source_number) == (Enrolment.State.OPEN, "N2")
    assert (again.percent, again.elective_earned) == (40, 10)


def test_a_completed_one_stays_completed_when_opened_again(owner, now):
    enrolment = EnrolmentFactory(person=owner, completed=True)
    revoke_enrolment(enrolment=enrolment, now=now)

    (again,) = open_for(enrolment.plan, [owner], now)

    again.refresh_from_db()
    assert again.state == Enrolment.State.COMPLETED


def test_staff_open_a_plan_with_a_reason(owner, staff, now):
    plan = PlanFactory(code="general-2026")

    enrolment = open_enrolment_by_staff(
        plan=plan, person=owner, reason=" 缴费凭证核实 ", actor=staff, now=now
    )

    entry = AuditEntry.objects.get()
    assert enrolment.source == Enrolment.Source.STAFF
    assert (entry.action, entry.actor) == ("enrolment.opened_by_staff", staff)
    assert entry.target == f"user:{owner.code}"
    assert entry.detail == {"plan": "general-2026", "reason": "缴费凭证核实"}


def test_staff_open_nothing_without_a_reason(owner, staff, now):
    with pytest.raises(ReasonMissingError):
        open_enrolment_by_staff(
            plan=PlanFactory(), person=owner, reason="  ", actor=staff, now=now
        )

    assert Enrolment.objects.count() == AuditEntry.objects.count() == 0


def test_only_the_person_reaches_an_enrolment(owner, stranger):
    enrolment = enrol(owner, PlanFactory(code="p"))

    assert get_enrolment_for(owner, "p") == enrolment
    with pytest.raises(EnrolmentNotFoundError):
        get_enrolment_for(stranger, "p")
    with pytest.raises(EnrolmentNotFoundError):
        get_enrolment_for(owner, "q")


def test_a_revoked_enrolment_is_held_by_nobody(owner):
    enrolment = EnrolmentFactory(person=owner, revoked=True, plan__code="p")

    assert find_enrolment(owner.pk, enrolment.plan_id) is None
    assert list_holders(enrolment.plan_id, [owner.pk]) == set()
    with pytest.raises(EnrolmentNotFoundError):
        get_enrolment_for(owner, "p")


def test_holders_are_found_at_once(owner, stranger, django_assert_num_queries):
    plan = PlanFactory()
    enrol(owner, plan)

    with django_assert_num_queries(1):
        held = list_holders(plan.pk, [owner.pk, stranger.pk])

    assert held == {owner.pk}


def test_lists_begin_with_the_newest_year(owner):
    old = enrol(owner, PlanFactory(year=2020))
    new = EnrolmentFactory(person=owner, completed=True, plan__year=2026)

    assert list(list_enrolments_for(owner)) == [new, old]
    assert list(list_completed_for(owner)) == [new]
