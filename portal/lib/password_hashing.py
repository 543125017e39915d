"""Password hashes on a worker of their own, so that a storm of logins starves nothing else.

A hash takes a fifth of a second of CPU by design and runs outside Python's lock: a handful of
threads that hash would take every core from pages and from the player's beats. Here each
process hashes one at a time, in a thread that steps back behind the others, and lets a few wait;
whoever comes beyond those is told at once, instead of holding a thread of the web server.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from typing import ParamSpec, TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

# At work and waiting; half of a web process's threads, the other half go on serving.
CAPACITY = 4
NICENESS = 19
RETRY_SECONDS = 5

Given = ParamSpec("Given")
Result = TypeVar("Result")


class HashingBusyError(Exception):
    """More passwords than can be hashed soon; nothing was compared and nothing changed."""


class HashingWorker:
    """One thread that hashes, with room for `capacity` calls at work or waiting."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._room = threading.Semaphore(capacity)
        self._thread = ThreadPoolExecutor(
            1, thread_name_prefix="hashing", initializer=_step_back
        )

    def run(
        self,
        work: Callable[Given, Result],
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Result:
        """What `work` returns or raises. Raises HashingBusyError when there is no room."""
        if not self._room.acquire(blocking=False):
            raise HashingBusyError
        try:
            return self._thread.submit(partial(work, *given, **named)).result()
        finally:
            self._room.release()


def _step_back() -> None:
    # On Linux niceness is a thread's own; elsewhere such a process may not exist.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


@cache
def worker_of(_process: int) -> HashingWorker:
    """The worker of a process; a thread does not come along into a forked one."""
    return HashingWorker()


class WorkerArgon2Hasher(Argon2PasswordHasher):
    """Argon2 as Django's, on the worker; in one lane, where Django's eight threads a hash would
    together outweigh the threads that serve."""

    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return worker_of(os.getpid()).run(super().encode, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        return worker_of(os.getpid()).run(super().verify, password, encoded)


class WorkerPBKDF2Hasher(PBKDF2PasswordHasher):
    """PBKDF2 as Django's, on the worker; verifying encodes, so one way in is enough."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        return worker_of(os.getpid()).run(super().encode, password, salt, iterations)
