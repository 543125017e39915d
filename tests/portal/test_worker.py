"""A real worker on the broker of the run: the folder with SQLite, Redis with PostgreSQL."""

import os
import signal
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache

from portal.celery import app
from portal.tasks import WORKER_SEEN_KEY, mark_worker_seen
from tests.conftest import (
    WORKER_START_SECONDS,
    start_worker,
    stop_worker,
    wait_for_cache,
)
from tests.portal.slow_task import note_start_and_linger

pytestmark = pytest.mark.worker

QUEUE = "crash-tests"


def wait_for_run(folder: Path, number: int) -> int:
    """Wait for the `number`th run of the task and return the process that runs it."""
    return int(wait_for_file(folder, f"run-{number}-*").name.rpartition("-")[2])


def wait_for_file(folder: Path, pattern: str) -> Path:
    deadline = time.monotonic() + WORKER_START_SECONDS
    while not (found := list(folder.glob(pattern))):
        assert time.monotonic() < deadline, f"no {pattern}"
        time.sleep(0.05)
    return found[0]


@pytest.fixture
def crash_worker(transactional_db):
    """Start workers that know the slow task, on a queue of their own; killed at the end."""
    started = []

    def start():
        process = start_worker("-I", "tests.portal.slow_task", "-Q", QUEUE)
        started.append(process)
        return process

    app.conf.task_always_eager = False
    yield start
    app.conf.task_always_eager = True
    for process in started:
        stop_worker(process)


def test_a_real_worker_takes_a_task_from_the_real_broker(celery_worker_process):
    cache.delete(WORKER_SEEN_KEY)

    mark_worker_seen.delay()

    assert wait_for_cache(WORKER_SEEN_KEY, celery_worker_process) is not None


def test_tasks_are_eager_again_afterwards():
    assert app.conf.task_always_eager is True


def test_a_task_whose_pool_process_is_killed_runs_again(crash_worker, tmp_path):
    crash_worker()
    note_start_and_linger.apply_async(args=[str(tmp_path)], queue=QUEUE)

    os.kill(wait_for_run(tmp_path, 0), signal.SIGKILL)

    assert wait_for_run(tmp_path, 1)
    wait_for_file(tmp_path, "finished")


@pytest.mark.skipif(
    bool(settings.REDIS_URL), reason="Redis hands a message out again after 30 minutes"
)
def test_a_task_of_a_worker_killed_whole_runs_in_the_next_one(crash_worker, tmp_path):
    first = crash_worker()
    note_start_and_linger.apply_async(args=[str(tmp_path)], queue=QUEUE)
    wait_for_run(tmp_path, 0)

    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    crash_worker()

    assert wait_for_run(tmp_path, 1)
    wait_for_file(tmp_path, "finished")
