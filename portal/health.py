"""What a load balancer asks: is the process alive (`/healthz`), can it serve (`/readyz`)?

Every part is asked in a thread of its own and given two seconds: a database that swallows
packets must not hang the answer. A part that still hangs from the last time is not asked
again, so at most one thread per part is ever lost.
"""

import functools
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from time import monotonic

from django.core.cache import cache
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.celery import app as celery_app

logger = logging.getLogger(__name__)

PART_SECONDS = 2.0


class PartDownError(Exception):
    """A part answered, but not as it should."""


class Probe:
    """One check, run in the background so that nobody waits longer than `PART_SECONDS`."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._failure: str | None = None
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()

    def start(self) -> None:
        with self._start_lock:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, daemon=True)
                # Started first: others read it without the lock, to wait for its end.
                thread.start()
                self._thread = thread

    def failure(self, deadline: float) -> str | None:
        """Return the name of what went wrong by `deadline` (monotonic), None when all is well."""
        if self._thread is None:
            return "NotStarted"
        self._thread.join(max(0.0, deadline - monotonic()))
        return "Timeout" if self._thread.is_alive() else self._failure

    def _run(self) -> None:
        try:
            self._check()
        except Exception as error:
            self._failure = type(error).__name__
            logger.warning("part is down", exc_info=True)
        else:
            self._failure = None
        finally:
            connection.close()


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_cache() -> None:
    key = f"portal.health.{uuid.uuid4().hex}"
    cache.set(key, "here", timeout=10)
    if cache.get(key) != "here":
        raise PartDownError
    cache.delete(key)


def check_broker() -> None:
    with celery_app.connection_for_write() as broker:
        # Asks for a queue's length: that needs the folder or the server, and writes nothing.
        queue = celery_app.conf.task_default_queue
        broker.default_channel.queue_declare(queue=queue, durable=True)


def check_migrations() -> None:
    applied = set(MigrationRecorder(connection).applied_migrations())
    if not migrations_of_code() <= applied:
        raise PartDownError


@functools.cache
def migrations_of_code() -> frozenset[tuple[str, str]]:
    """Return app and name of every migration of this code; read from disk once a process."""
    return frozenset(MigrationLoader(None).disk_migrations)


PROBES: Mapping[str, Probe] = {
    "database": Probe(check_database),
    "cache": Probe(check_cache),
    "broker": Probe(check_broker),
    "migrations": Probe(check_migrations),
}


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process does; asks nobody else."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when every part works, else 503 and what failed: `{"database": "Timeout"}`."""
    for probe in PROBES.values():
        probe.start()
    deadline = monotonic() + PART_SECONDS
    failures = {name: probe.failure(deadline) for name, probe in PROBES.items()}
    failed = {name: reason for name, reason in failures.items() if reason is not None}
    if failed:
        return JsonResponse({"status": "unavailable", "failed": failed}, status=503)
    return JsonResponse({"status": "ok"})
