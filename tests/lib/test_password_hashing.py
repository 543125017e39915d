"""Hashing on a worker: one at a time, room for a few, and the same hashes as Django's."""

import os
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    PBKDF2PasswordHasher,
    check_password,
    make_password,
)

from portal.lib.password_hashing import (
    NICENESS,
    HashingBusyError,
    HashingWorker,
    WorkerArgon2Hasher,
    WorkerPBKDF2Hasher,
)


def test_work_is_done_one_at_a_time_by_one_thread():
    worker = HashingWorker(capacity=8)

    with ThreadPoolExecutor(8) as pool:
        names = set(
            pool.map(
                lambda _: worker.run(lambda: threading.current_thread().name), range(8)
            )
        )

    assert names == {"hashing_0"}


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a thread's on Linux")
def test_the_thread_steps_back_and_the_others_do_not():
    before = os.getpriority(os.PRIO_PROCESS, 0)

    nice = HashingWorker().run(lambda: os.getpriority(os.PRIO_PROCESS, 0))

    assert nice == min(19, max(before, NICENESS))
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_whoever_finds_no_room_is_told_at_once():
    worker = HashingWorker(capacity=2)
    begun, may_end = threading.Event(), threading.Event()

    def wait() -> str:
        begun.set()
        assert may_end.wait(10)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        first: Future[str] = pool.submit(worker.run, wait)
        assert begun.wait(10)
        # No waiting for the second to be in the queue: it takes its room before it waits.
        assert worker._room.acquire(timeout=10)
        with pytest.raises(HashingBusyError):
            worker.run(wait)
        worker._room.release()
        may_end.set()
        assert first.result() == "done"

    assert worker.run(lambda: "free again") == "free again"


def test_room_is_free_again_after_a_failure():
    worker = HashingWorker(capacity=1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            worker.run(lambda: 1 // 0)


@pytest.mark.parametrize(
    ("own", "django"),
    [
        (WorkerArgon2Hasher, Argon2PasswordHasher),
        (WorkerPBKDF2Hasher, PBKDF2PasswordHasher),
    ],
)
def test_the_hashes_are_djangos(own: type, django: type, monkeypatch):
    """What was stored before opens, and what is stored now would open there."""
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 1024)
    old = django().encode("correct horse", "saltsaltsalt")
    new = own().encode("correct horse", "saltsaltsalt")

    assert own.algorithm == django.algorithm
    assert own().verify("correct horse", old)
    assert django().verify("correct horse", new)
    assert not own().verify("wrong horse", old)


def test_the_portal_hashes_with_them(settings):
    settings.PASSWORD_HASHERS = [
        "portal.lib.password_hashing.WorkerPBKDF2Hasher",
    ]
    with pytest.MonkeyPatch.context() as cheap:
        cheap.setattr(WorkerPBKDF2Hasher, "iterations", 1000)
        assert check_password("secret", make_password("secret"))
