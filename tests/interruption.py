"""Something else that happens between two statements of one function."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.db import connection


def run_before(beginning: str, work: Callable[[], object]) -> AbstractContextManager:
    """Do `work` once, right before the first statement that begins like this."""
    is_done = False

    def interrupt(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        nonlocal is_done
        if sql.startswith(beginning) and not is_done:
            is_done = True
            work()
        return execute(sql, params, many, context)

    return connection.execute_wrapper(interrupt)
