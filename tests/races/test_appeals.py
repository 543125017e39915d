"""Two of the staff decide on one appeal, and a learner appeals twice, at the same moment."""

import pytest
from django.utils import timezone

from accounts.errors import AccountsError
from learning.errors import LearningError
from learning.models import Appeal, ChapterProgress, CreditDecision, RefusedTime
from learning.services.appeals import approve_appeal, file_appeal
from tests.factories.accounts import UserFactory
from tests.factories.learning import make_study_plan
from tests.factories.requests import make_staff
from tests.learning.learner import Learner, TestClock
from tests.races.test_requests import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def learner() -> Learner:
    clock = TestClock(timezone.now())
    learner = Learner(UserFactory(), make_study_plan(), clock)
    learner.open()
    learner.expect_prompt_after(100_000)
    learner.watch(60)
    learner.play(300)
    learner.beat()
    return learner


def quietly(action):
    """`at_once` knows the refusals of accounts."""

    def run():
        try:
            action()
        except LearningError as error:
            raise AccountsError from error

    return run


def test_of_two_decisions_at_once_one_counts(learner: Learner):
    now = learner.clock.now
    row = file_appeal(
        person=learner.person,
        stretch_id=RefusedTime.objects.get().pk,
        text="断网",
        proofs=[],
        now=now,
    )
    actors = [make_staff("审核") for _ in range(4)]

    outcomes = at_once(
        *(
            lambda actor=actor: approve_appeal(
                appeal_id=row.pk, seen_version=1, actor=actor, now=now
            )
            for actor in actors
        )
    )

    assert outcomes.count(None) == 1
    assert CreditDecision.objects.get().milliseconds == 280_000
    assert ChapterProgress.objects.get().covered_ms == 280_000


def test_of_two_appeals_at_once_one_is_filed(learner: Learner):
    stretch = RefusedTime.objects.get()
    file = quietly(
        lambda: file_appeal(
            person=learner.person,
            stretch_id=stretch.pk,
            text="断网",
            proofs=[],
            now=learner.clock.now,
        )
    )

    outcomes = at_once(file, file)

    assert sorted(map(str, outcomes)) == sorted(map(str, [None, AccountsError]))
    assert Appeal.objects.count() == 1
