"""Sending wake-up calls without waiting for a broker that is dead.

What must not be lost is a row by now, so a message is worth a moment and no more. Celery's own
way would try four times, and wait without end for a broker that takes the call and says nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from celery import Celery
from kombu.pools import producers

logger = logging.getLogger(__name__)

# Of connecting, and of an answer: redis on the next machine takes a millisecond.
PATIENCE_SECONDS = 1
# The sweeps find what was not told in the meantime.
PAUSE_SECONDS = 10


class Breaker:
    """After a failure nothing is tried for a while, and then by one thread alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._is_open = False
        self._next_try = 0.0

    def may_try(self) -> bool:
        with self._lock:
            if not self._is_open:
                return True
            if self._clock() < self._next_try:
                return False
            # The others go on waiting for this one's word.
            self._next_try = self._clock() + PAUSE_SECONDS
            return True

    def note_success(self) -> None:
        with self._lock:
            self._is_open = False

    def note_failure(self) -> None:
        with self._lock:
            self._is_open = True
            self._next_try = self._clock() + PAUSE_SECONDS


class WakeUps:
    """The way of messages to the broker, with connections and a patience of their own."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self.breaker = Breaker()

    def send(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Send a task now. Raises what the broker's client raises; silent during a pause."""
        if not self.breaker.may_try():
            logger.debug("no broker: %s waits for its sweep", task.name)
            return
        try:
            with self._producers.acquire(block=True, timeout=PATIENCE_SECONDS) as way:
                # Once more at once: a connection may have died while nobody used it.
                task.apply_async(
                    args,
                    dict(kwargs),
                    producer=way,
                    retry=True,
                    retry_policy={"max_retries": 1, "interval_start": 0},
                )
        except Exception:
            self.breaker.note_failure()
            raise
        self.breaker.note_success()

    @property
    def _producers(self) -> Any:
        # kombu keeps one pool for all connections that are equal.
        return producers[
            self._app.connection_for_write(
                connect_timeout=PATIENCE_SECONDS,
                transport_options={
                    "socket_connect_timeout": PATIENCE_SECONDS,
                    "socket_timeout": PATIENCE_SECONDS,
                },
            )
        ]
