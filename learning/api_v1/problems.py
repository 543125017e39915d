"""Refusals of learning as problems: the codes and statuses that the player knows."""

from collections.abc import Iterator
from contextlib import contextmanager

from catalog.errors import CourseNotFoundError
from learning.api import STATUS_OF
from learning.errors import LearningError
from portal.lib.problems import ProblemError


@contextmanager
def refusals_as_problems() -> Iterator[None]:
    """Let errors of learning leave an API view as problems."""
    try:
        yield
    except LearningError as error:
        raise ProblemError(
            status=STATUS_OF[type(error)], code=error.code, title=error.message
        ) from error
    except CourseNotFoundError as error:
        raise ProblemError(status=404, code="not_found", title=error.message) from error
