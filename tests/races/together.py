"""Runs several things at one moment, each on a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections


def run_together(
    *works: Callable[[], Any], refusals: tuple[type[Exception], ...] = ()
) -> list[Any]:
    """What each work returned, or the refusal that it raised, in their order.

    All are released at one moment. What is no refusal is raised here.
    """
    start = Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=10)
            return work()
        except refusals as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))
