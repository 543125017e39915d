"""Fixtures of learning. Models are imported late: Django is not ready when this is read."""

from datetime import date, datetime
from typing import Any

import pytest


@pytest.fixture
def clock(now: datetime) -> Any:
    from tests.learning.learner import TestClock

    return TestClock(now)


@pytest.fixture
def learner(owner: Any, clock: Any) -> Any:
    """The owner, with one course of two chapters of ten and five minutes open.

    The next question is far away; tests that want one say when.
    """
    from tests.factories.learning import make_study_plan
    from tests.learning.learner import Learner

    learner = Learner(owner, make_study_plan(chapters=(600_000, 300_000)), clock)
    learner.open()
    learner.expect_prompt_after(100_000)
    return learner


@pytest.fixture
def learning_settings(settings: Any) -> dict[str, Any]:
    """`settings.LEARNING` as a copy that a test may change."""
    settings.LEARNING = dict(settings.LEARNING)
    return settings.LEARNING


@pytest.fixture
def offline(learner: Any) -> Any:
    """A minute seen, then five minutes without a line: 280 seconds refused."""
    from learning.models import RefusedTime

    learner.watch(60)
    learner.play(300)
    learner.beat()
    return RefusedTime.objects.get()


@pytest.fixture
def waiting(learner: Any) -> Any:
    """An appeal with pictures, after a minute that a question has confirmed."""
    from learning.models import RefusedTime
    from tests.factories.requests import make_proofs
    from tests.learning.appealing import appeal

    learner.expect_prompt_after(60)
    learner.watch(60)
    learner.answer_right()
    learner.play(300)
    learner.beat()
    return appeal(learner, RefusedTime.objects.get(), proofs=make_proofs())


@pytest.fixture
def flag(learner: Any) -> Any:
    from learning.models import StudyFlag

    return StudyFlag.objects.create(
        person=learner.person,
        kind="marathon",
        day=date(2026, 6, 15),
        facts={"credited_ms": 46_800_000},
        found_at=learner.clock.now,
    )


@pytest.fixture
def reviewer(db: None) -> Any:
    from tests.factories.requests import make_staff

    return make_staff("审核")


@pytest.fixture
def desk(client_of: Any, reviewer: Any) -> Any:
    """The browser of a reviewer."""
    return client_of(reviewer)
