"""Fixtures of learning. Models are imported late: Django is not ready when this is read."""

from datetime import datetime
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
