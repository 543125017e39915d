"""What every test shares: an own folder, an own database, no network, people, a clock.

The environment is prepared before Django reads its settings: this file, not pyproject.toml,
names the settings module.
"""

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from portal.supervisor import end_with_parent
from tests.clock import at
from tests.network import allow_loopback_only
from tests.stores import asks_for_store, refused_cache

# Media, keys, cache, broker and database of this run (of this xdist worker), removed after it.
VAR = Path(tempfile.mkdtemp(prefix="portal-test-"))
atexit.register(shutil.rmtree, VAR, ignore_errors=True)
PROJECT = Path(__file__).resolve().parent.parent
# Trimmed fonts, named after what they are made from: seconds of CPU, once for all runs.
FONT_STORE = PROJECT / "var/test-fonts"
FONT_STORE.mkdir(parents=True, exist_ok=True)
(VAR / "fonts").symlink_to(FONT_STORE)
os.environ["PORTAL_VAR"] = str(VAR)
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
for name in ("PORTAL_PRODUCTION", "PORTAL_SANDBOX", "PORTAL_MESSAGE_BOX", "SITE_URL"):
    os.environ.pop(name, None)

# Six seconds of CPU; the rest is for machines that have other things to do.
WORKER_START_SECONDS = 180
pytest_plugins = ["tests.sandbox_fixture"]


def use_own_redis_database() -> None:
    """Give each xdist worker a Redis database of its own: gw0 the named one, gw1 the next."""
    url = os.environ.get("REDIS_URL", "")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    if url:
        server, _, number = url.rpartition("/")
        os.environ["REDIS_URL"] = f"{server}/{int(number) + int(worker[2:])}"


use_own_redis_database()


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    allow_loopback_only()
    # Argon2 takes a fifth of a second by design; no test measures it.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # With Redis a session costs no query; counts are to be the same in every run.
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    # Look for a static file when one is asked for: each test client would list them all.
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    # xdist's workers inherit the environment. With the module's name in it pytest-django would
    # read the settings before this file has given the worker a folder of its own.
    if getattr(session.config.option, "numprocesses", None):
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    """Report without garbage collection, in which Python 3.11 lets other threads run.

    Up to 3.11.7 `ast.parse` counts its depth for all threads together: one that parses in the
    midst of another, as a traceback of the live server does, ends pytest with a SystemError.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stores-only",
        action="store_true",
        help="leave out tests that ask for neither the database nor the cache",
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """The longest files first: one that comes last keeps a single worker busy."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("journey") is None,
            item.get_closest_marker("browser") is None,
        )
    )
    if config.getoption("stores_only"):
        config.hook.pytest_deselected(
            items=[item for item in items if not asks_for_store(item)]
        )
        items[:] = filter(asks_for_store, items)


def pytest_collection_finish() -> None:
    """Modules and collected tests live to the end: no garbage collection looks at them again."""
    gc.collect()
    gc.freeze()


# --- Database and cache ------------------------------------------------------------------
@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """SQLite in a file: the live server's threads and a real worker open it too.

    PostgreSQL without waits for the disk: what a test wrote need not outlive the machine.
    """
    from django.conf import settings

    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        database.setdefault("TEST", {})["NAME"] = str(VAR / "test.sqlite3")
    else:
        database["OPTIONS"]["options"] = "-c synchronous_commit=off"


@pytest.fixture(scope="session")
def _migrated_once(django_db_modify_db_settings: None) -> Iterator[Any]:
    """What the workers of this run share; None without workers."""
    from tests.migrated_once import MigratedOnce

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        yield None
        return
    migrated = MigratedOnce(run)
    yield migrated
    migrated.end()


@pytest.fixture(scope="session")
def django_db_keepdb(_migrated_once: Any) -> bool:
    """Whether the file of the test database was laid there; the folder goes with the run."""
    from django.conf import settings

    return bool(_migrated_once and _migrated_once.begin(settings.DATABASES["default"]))


@pytest.fixture(scope="session")
def _without_collection() -> None:
    gc.disable()


@pytest.fixture(scope="session")
def django_db_setup(
    _without_collection: None,
    _migrated_once: Any,
    django_db_setup: None,
    django_db_blocker: Any,
) -> None:
    """Migrate without garbage collection, which takes a third of the time.

    Every step renders models anew and throws the old ones away: half a gigabyte in all.
    """
    from tests.emptying import empty_tables_after_tests

    if _migrated_once:
        with django_db_blocker.unblock():
            _migrated_once.hand_on()
    gc.enable()
    gc.collect()
    empty_tables_after_tests()


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Counters of one test (throttles, for one) must not reach the next."""
    from django.core.cache import caches

    caches["template_fragments"].clear()
    if asks_for_store(request.node):
        caches["default"].clear()
        yield
    else:
        with refused_cache():
            yield


# --- Clock -------------------------------------------------------------------------------
@pytest.fixture
def now() -> datetime:
    """The moment most tests happen at: a Monday morning in Chongqing."""
    return at("2026-06-15 10:00")


@pytest.fixture
def working_calendar(db: None) -> None:
    """The days off of 2026, which tests with real transactions sweep away."""
    from accounts.services.reference_data import load_calendar

    load_calendar()


# --- People ------------------------------------------------------------------------------
@pytest.fixture
def owner(db: None) -> Any:
    """The trainee whose things a test is about."""
    from tests.factories.accounts import UserFactory

    return UserFactory(name="赵一", with_profile=True)


@pytest.fixture
def stranger(db: None) -> Any:
    """A trainee who has nothing to do with the owner and must see nothing of hers."""
    from tests.factories.accounts import UserFactory

    return UserFactory(name="钱二", with_profile=True)


@pytest.fixture
def unit(db: None) -> Any:
    from tests.factories.accounts import UnitFactory

    return UnitFactory()


@pytest.fixture
def member(unit: Any) -> Any:
    """A trainee of the coordinator's unit."""
    from tests.factories.accounts import (
        ProfileFactory,
        UnitMemberFactory,
        UserFactory,
    )

    person = UserFactory(name="孙三")
    ProfileFactory(person=person, unit=unit, region=unit.region, unit_name=unit.name)
    UnitMemberFactory(unit=unit, person=person)
    return person


@pytest.fixture
def coordinator(unit: Any) -> Any:
    """The person whom the unit appointed to act for it."""
    from tests.factories.accounts import UnitAppointmentFactory, UserFactory

    person = UserFactory(name="李四")
    UnitAppointmentFactory(unit=unit, person=person)
    return person


@pytest.fixture
def staff(db: None) -> Any:
    """A member of the staff with every permission."""
    from tests.factories.accounts import UserFactory

    return UserFactory(name="周五", is_staff=True, is_superuser=True)


@pytest.fixture
def client_of() -> Callable[[Any], Any]:
    """Return a function that gives a test client in which the person is logged in.

    Each login has its row from the start, as after a real one, and ends no other.
    """
    from django.test import Client
    from django.utils import timezone

    from accounts.middleware import mark_session
    from accounts.services.sessions import begin_session

    def log_in(person: Any) -> Client:
        client = Client()
        client.force_login(person)
        store = client.session
        row = begin_session(
            person=person,
            user_agent="",
            address="",
            at_a_time=100,
            now=timezone.now(),
        )
        mark_session(store, row)
        store.save()
        return client

    return log_in


# --- A real worker -----------------------------------------------------------------------
def database_url() -> str:
    """The test database as another process opens it."""
    from django.db import connection

    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    who = quote(database["USER"] or "", safe="")
    if database["PASSWORD"]:
        who += f":{quote(database['PASSWORD'], safe='')}"
    host = quote(database["HOST"] or "", safe="")
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgres://{who}@{host}{port}/{database['NAME']}"


def start_worker(*arguments: str) -> subprocess.Popen[bytes]:
    """Start `celery worker` on the test database and the real broker."""
    with (VAR / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "--quiet", "-A", "portal", "worker"),
                *("--concurrency", "2", "--without-gossip", "--without-mingle"),
                *("--without-heartbeat", *arguments),
            ],
            cwd=PROJECT,
            env=os.environ | {"DATABASE_URL": database_url()},
            stdout=log,
            stderr=log,
            start_new_session=True,
            # A run that is killed leaves no worker behind.
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )


def stop_worker(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def _worker(django_db_setup: None) -> Iterator[subprocess.Popen[bytes]]:
    process = start_worker("--hostname", f"test-{os.getpid()}@localhost")
    yield process
    stop_worker(process)


@pytest.fixture
def celery_worker_process(
    transactional_db: None, _worker: subprocess.Popen[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """A real `celery worker` on the test database; tasks go through the real broker."""
    from portal.celery import app
    from portal.tasks import WORKER_SEEN_KEY, mark_worker_seen

    app.conf.task_always_eager = False
    app.control.purge()
    mark_worker_seen.delay()
    wait_for_cache(WORKER_SEEN_KEY, _worker)
    yield _worker
    app.control.purge()
    app.conf.task_always_eager = True


def wait_for_cache(key: str, process: subprocess.Popen[bytes]) -> Any:
    """Wait for `key` to be set by the worker; its log is in the failure otherwise."""
    from django.core.cache import cache

    deadline = time.monotonic() + WORKER_START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        value = cache.get(key)
        if value is not None:
            return value
        time.sleep(0.1)
    pytest.fail(f"the worker did not answer:\n{(VAR / 'worker.log').read_text()}")
