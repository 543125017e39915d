"""Refusals of orders as problems: one code for each class of error, one status for its kind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from orders.errors import (
    AttemptUsedUpError,
    GatewayDownError,
    IdempotencyKeyReusedError,
    OrderError,
    OrderNotFoundError,
    PlanAlreadyHeldError,
    PlanBeingBoughtError,
    PriceChangedError,
)
from portal.lib.problems import ProblemError, code_of

# What is not named here is a conflict with the state of things: 409.
STATUS_OF: dict[type[OrderError], int] = {
    OrderNotFoundError: 404,
    IdempotencyKeyReusedError: 422,
    GatewayDownError: 503,
    AttemptUsedUpError: 503,
}
# Where a refused client may go on instead.
MEMBERS_OF: dict[type[OrderError], Callable[[Any], dict[str, object]]] = {
    PlanAlreadyHeldError: lambda error: {"plan": error.plan_code},
    PriceChangedError: lambda error: {"price_fen": error.price_fen},
    PlanBeingBoughtError: lambda error: (
        {"order": error.order_number} if error.order_number else {}
    ),
}


@contextmanager
def refusals_as_problems() -> Iterator[None]:
    """Let errors of orders leave an API view as problems."""
    try:
        yield
    except OrderError as error:
        kind = type(error)
        members = MEMBERS_OF.get(kind, lambda _error: {})(error)
        raise ProblemError(
            status=STATUS_OF.get(kind, 409),
            code=code_of(kind),
            title=str(error),
            **members,
        ) from error
