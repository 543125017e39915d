"""Which tests ask for a store: the database, or what is in Redis where Redis is used.

The others say the same on SQLite and on PostgreSQL and run once. That they ask for none is not
taken on trust: pytest-django refuses them the database, and this module the cache.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

# `stores` is for those whose use of one shows in no fixture: they ask for the cache, start a
# process that reads DATABASE_URL, or do what depends on such a setting.
MARKERS = ("django_db", "stores", "worker", "browser", "journey")
FIXTURES = {"db", "transactional_db", "live_server"}


def asks_for_store(item: pytest.Item) -> bool:
    """Tell from the test's markers and from all fixtures that it leads to."""
    return any(map(item.get_closest_marker, MARKERS)) or not FIXTURES.isdisjoint(
        getattr(item, "fixturenames", ())
    )


class _NoCache:
    def close(self) -> None:
        """At the end of each request Django closes the cache, whether asked for or not."""

    def __getattr__(self, name: str) -> Any:
        pytest.fail(
            f"the test calls {name} of the cache: mark it `stores` to run it on Redis too"
        )


@contextmanager
def refused_cache() -> Iterator[None]:
    """Let a test fail that asks for the cache in this thread."""
    from django.core.cache import caches  # noqa: PLC0415

    kept = caches["default"]
    caches["default"] = _NoCache()
    yield
    caches["default"] = kept
