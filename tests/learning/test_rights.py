"""Several rights to one enrolment: taking back one never ends what another gives."""

from datetime import timedelta

import pytest

from learning.models import Enrolment, FurtherRight, PlaySession
from learning.queries import list_learners
from learning.services import open_enrolments, revoke_enrolment, withdraw_rights
from tests.factories.accounts import UserFactory
from tests.factories.catalog import ChapterFactory, PlanFactory
from tests.factories.learning import (
    ChapterProgressFactory,
    EnrolmentFactory,
    enrol,
)

pytestmark = pytest.mark.django_db


def give(plan, people, now, number="D1", source="order"):
    return open_enrolments(
        plan=plan, users=people, source=source, source_number=number, now=now
    )


def withdraw(plan, people, now, number="D1", source="order"):
    return withdraw_rights(
        plan=plan,
        person_ids=[person.pk for person in people],
        source=source,
        source_number=number,
        now=now,
    )


def test_the_only_right_taken_back_ends_the_enrolment(owner, now):
    plan = PlanFactory()
    give(plan, [owner], now)

    assert withdraw(plan, [owner], now) == [owner.pk]
    assert withdraw(plan, [owner], now) == []

    assert Enrolment.objects.get().state == Enrolment.State.REVOKED


def test_another_right_takes_its_place(owner, now):
    plan = PlanFactory()
    give(plan, [owner], now)
    give(plan, [owner], now, "D2")
    give(plan, [owner], now + timedelta(days=1), "", "staff")

    assert withdraw(plan, [owner], now) == []

    enrolment = Enrolment.objects.get()
    assert enrolment.state == Enrolment.State.OPEN
    assert (enrolment.source, enrolment.source_number) == ("order", "D2")
    assert FurtherRight.objects.get().source == "staff"


def test_a_further_right_goes_without_a_trace_on_the_enrolment(owner, now):
    plan = PlanFactory()
    give(plan, [owner], now)
    give(plan, [owner], now, "D2")
    give(plan, [owner], now, "D2")
    assert FurtherRight.objects.count() == 1
    before = Enrolment.objects.values().get()

    assert withdraw(plan, [owner], now, "D2") == []

    assert Enrolment.objects.values().get() == before
    assert FurtherRight.objects.count() == 0


def test_the_right_of_others_is_left_alone(owner, stranger, now):
    plan, other = PlanFactory(), PlanFactory()
    give(plan, [owner, stranger], now)
    give(other, [owner], now)

    withdraw(plan, [owner], now)
    withdraw(plan, [stranger], now, "D9")

    live = Enrolment.objects.live().order_by("pk")
    assert [(row.person, row.plan) for row in live] == [
        (stranger, plan),
        (owner, other),
    ]


def test_what_was_learnt_is_kept(owner, now):
    enrolment = EnrolmentFactory(person=owner, completed=True)

    withdraw(enrolment.plan, [owner], now, enrolment.source_number)

    enrolment.refresh_from_db()
    assert enrolment.state == Enrolment.State.REVOKED
    assert enrolment.completed_at is not None
    assert enrolment.percent == 100


def test_an_open_session_on_it_ends(learner, now):
    enrolment = learner.enrolment

    withdraw(enrolment.plan, [learner.person], now, enrolment.source_number)

    assert PlaySession.objects.get().end == PlaySession.End.REVOKED


def test_revoking_takes_every_right(owner, now):
    plan = PlanFactory()
    (enrolment,) = give(plan, [owner], now)
    give(plan, [owner], now, "D2")

    revoke_enrolment(enrolment=enrolment, now=now)

    assert FurtherRight.objects.count() == 0


def test_thousands_lose_it_with_few_queries(db, now, django_assert_max_num_queries):
    plan = PlanFactory()
    people = [UserFactory() for _ in range(50)]
    give(plan, people, now)

    with django_assert_max_num_queries(8):
        assert len(withdraw(plan, people, now)) == 50


def test_learners_are_those_who_have_begun(owner, stranger, now):
    plan = PlanFactory()
    chapter = ChapterFactory()
    touched = enrol(owner, plan)
    ChapterProgressFactory(enrolment=touched, chapter=chapter)
    ids = [owner.pk, stranger.pk]
    assert list_learners(plan.pk, ids) == set()

    touched.chapter_progress.update(pending_ms=1000)
    assert list_learners(plan.pk, ids) == {owner.pk}

    EnrolmentFactory(person=stranger, plan=plan, completed=True)
    assert list_learners(plan.pk, ids) == set(ids)
