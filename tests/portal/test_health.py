import socket
import threading
from time import monotonic

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError
from kombu.exceptions import OperationalError as BrokerError

from portal import health
from portal.health import Probe

pytestmark = pytest.mark.stores


def fail(error: Exception):
    def check(*_args: object, **_kwargs: object) -> None:
        raise error

    return check


@pytest.fixture
def part_down(monkeypatch):
    """Replace the check of one part."""

    def replace(part: str, error: Exception) -> None:
        probes = {**health.PROBES, part: Probe(fail(error))}
        monkeypatch.setattr(health, "PROBES", probes)

    return replace


@pytest.fixture
def patience(monkeypatch):
    """Two seconds are for a load balancer; a test's first look reads every migration."""
    monkeypatch.setattr(health, "PART_SECONDS", 60)


def test_the_process_is_alive_without_asking_anybody(client, part_down):
    part_down("database", OperationalError())

    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.django_db(transaction=True)
def test_all_parts_work(client, patience):
    response = client.get("/readyz")

    assert response.json() == {"status": "ok"}
    assert response.status_code == 200
    assert response["Cache-Control"].startswith("max-age=0, no-cache, no-store")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", ["database", "cache", "broker", "migrations"])
def test_a_part_that_is_down_is_named(client, patience, part_down, part):
    part_down(part, OperationalError("password of the server"))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "failed": {part: "OperationalError"},
    }


def test_the_database_is_really_asked(monkeypatch):
    monkeypatch.setattr(connection, "cursor", fail(OperationalError()))

    with pytest.raises(OperationalError):
        health.check_database()


def test_the_cache_must_give_back_what_it_was_given(monkeypatch):
    health.check_cache()

    monkeypatch.setattr(
        type(cache), "get", lambda *_args, **_kwargs: None, raising=False
    )
    monkeypatch.setattr(health, "cache", ForgetfulCache())
    with pytest.raises(health.PartDownError):
        health.check_cache()


class ForgetfulCache:
    def set(self, key: str, value: str, timeout: int) -> None:
        pass

    def get(self, key: str) -> None:
        return None


def test_the_broker_is_really_asked(monkeypatch):
    health.check_broker()

    monkeypatch.setattr(
        health.celery_app, "connection_for_write", fail(BrokerError("no folder"))
    )
    with pytest.raises(BrokerError):
        health.check_broker()


@pytest.mark.django_db
def test_a_migration_that_was_not_applied_is_noticed(monkeypatch):
    health.check_migrations()

    applied = dict(MigrationRecorder(connection).applied_migrations())
    applied.popitem()
    monkeypatch.setattr(
        MigrationRecorder, "applied_migrations", lambda _recorder: applied
    )
    with pytest.raises(health.PartDownError):
        health.check_migrations()


def test_a_part_that_hangs_does_not_hang_the_answer():
    release = threading.Event()
    runs = []

    def hang() -> None:
        runs.append(1)
        release.wait(10)

    probe = Probe(hang)
    for _ in range(2):
        probe.start()
        started = monotonic()
        assert probe.failure(started + 0.1) == "Timeout"
        assert monotonic() - started < 5
    assert runs == [1]

    release.set()
    assert probe.failure(monotonic() + 5) is None


def test_a_part_that_came_back_is_well_again():
    errors = [OSError()]

    def check() -> None:
        if errors:
            raise errors.pop()

    probe = Probe(check)
    probe.start()
    assert probe.failure(monotonic() + 5) == "OSError"
    probe.start()
    assert probe.failure(monotonic() + 5) is None


def test_whoever_waits_while_another_asks_anew_hears_of_the_last_time(monkeypatch):
    """Two load balancers at once."""
    probe = Probe(lambda: None)
    probe.start()
    assert probe.failure(monotonic() + 5) is None
    heard = []

    class Thread(threading.Thread):
        def start(self) -> None:
            heard.append(probe.failure(monotonic() + 5))
            super().start()

    monkeypatch.setattr(threading, "Thread", Thread)
    probe.start()

    assert heard == [None]
    assert probe.failure(monotonic() + 5) is None


def test_a_database_that_swallows_packets_is_a_timeout():
    """A listener that accepts nothing: the connection attempt neither fails nor succeeds."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()

        def ask() -> None:
            with socket.create_connection(address, timeout=5) as client:
                client.recv(1)

        probe = Probe(ask)
        probe.start()
        assert probe.failure(monotonic() + 0.2) == "Timeout"


def test_only_reading_is_allowed(client):
    assert client.post("/healthz").status_code == 405
    assert client.post("/readyz").status_code == 405
