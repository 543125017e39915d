"""Waking a task costs next to nothing when the broker is dead, and nobody reads of a failure."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from portal.celery import app
from portal.tasks import mark_worker_seen
from portal.wake_ups import PATIENCE_SECONDS, PAUSE_SECONDS, Breaker, WakeUps

pytestmark = pytest.mark.stores

QUEUE = "wake-up-test"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- Breaker -----------------------------------------------------------------------------


def test_everything_is_tried_while_it_works() -> None:
    breaker = Breaker(Clock())
    breaker.note_success()

    assert [breaker.may_try() for _ in range(3)] == [True] * 3


def test_after_a_failure_one_tries_again_after_the_pause() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.note_failure()

    assert breaker.may_try() is False
    clock.now += PAUSE_SECONDS - 0.001
    assert breaker.may_try() is False
    clock.now += 0.001
    assert [breaker.may_try() for _ in range(3)] == [True, False, False]


def test_success_ends_the_pause() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.note_failure()
    clock.now += PAUSE_SECONDS
    assert breaker.may_try() is True
    breaker.note_success()

    assert [breaker.may_try() for _ in range(3)] == [True] * 3


def test_one_that_tries_and_is_never_heard_of_again_blocks_nobody_for_ever() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.note_failure()
    clock.now += PAUSE_SECONDS
    assert breaker.may_try() is True

    clock.now += PAUSE_SECONDS
    assert breaker.may_try() is True


# --- Dead brokers ------------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def celery_at(listener: socket.socket) -> Celery:
    port = listener.getsockname()[1]
    # Not the current one, to which the tasks of every app belong.
    return Celery("dead", broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)


def make_task(celery: Celery) -> Any:
    def probe(word: str = "") -> None:
        """Never run: no worker knows this queue."""

    celery.conf.task_routes = {"probe": {"queue": QUEUE}}
    return celery.task(name="probe")(probe)


@pytest.fixture
def not_eager() -> Iterator[None]:
    app.conf.task_always_eager = False
    yield
    app.conf.task_always_eager = True


@pytest.mark.parametrize("is_silent", [False, True], ids=["refusing", "silent"])
def test_a_dead_broker_is_tried_once_and_not_waited_for(
    listener: socket.socket, is_silent: bool
) -> None:
    """Celery alone never returns from the silent one."""
    if is_silent:
        listener.listen(16)
    celery = celery_at(listener)
    wake_ups, task = WakeUps(celery), make_task(celery)

    started = time.monotonic()
    with pytest.raises(OperationalError):
        wake_ups.send(task, (), {})
    tried = time.monotonic()
    for _ in range(100):
        wake_ups.send(task, (), {})

    # Twice the patience, and what a busy machine adds.
    assert tried - started < 2 * PATIENCE_SECONDS + 5
    assert time.monotonic() - tried < 1


@pytest.mark.django_db(transaction=True)
def test_the_request_hears_nothing_of_a_dead_broker(
    not_eager: None,
    listener: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("portal.celery.wake_ups", WakeUps(celery_at(listener)))

    with transaction.atomic():
        mark_worker_seen.delay_on_commit()

    assert "Error calling" in caplog.text


@pytest.mark.skipif(not settings.REDIS_URL, reason="a folder is never silent")
def test_a_living_broker_gets_the_message() -> None:
    living = Celery("living", broker=settings.REDIS_URL, set_as_current=False)

    with living.connection_for_read() as connection:
        channel = connection.default_channel
        channel.queue_declare(QUEUE)
        channel.queue_purge(QUEUE)
        WakeUps(living).send(make_task(living), ("word",), {})
        message = channel.basic_get(QUEUE, no_ack=True)

    assert message.headers["task"] == "probe"
    assert message.headers["argsrepr"] == "('word',)"
