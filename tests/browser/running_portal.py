"""The whole portal as `script/server` starts it, in a folder and with a database of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

import psycopg

PROJECT = Path(__file__).resolve().parent.parent.parent
# Sample videos made once for all runs in this checkout: they are named after their content.
VIDEO_STORE = PROJECT / "var/test-videos"
FONT_STORE = PROJECT / "var/test-fonts"
START_SECONDS = 300
END_SECONDS = 30


@dataclass(frozen=True)
class RunningPortal:
    url: str
    log: Path


@contextmanager
def run_portal(folder: Path) -> Iterator[RunningPortal]:
    """Start web server, worker, beat and sandbox on the sample data; end them all after use.

    Uses the databases and brokers of the test run: SQLite and the file broker, or a database
    beside the one of DATABASE_URL and REDIS_URL.
    """
    var = folder / "var"
    videos = var / "media/videos"
    if VIDEO_STORE.exists():
        shutil.copytree(VIDEO_STORE, videos)
    var.mkdir(exist_ok=True)
    (var / "fonts").symlink_to(FONT_STORE)
    log = folder / "portal.log"
    port = free_port()
    environment = {
        **os.environ,
        "PORTAL_VAR": str(var),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "SANDBOX_PORT": str(free_port()),
    }
    command = [sys.executable, "manage.py", "serve", f"127.0.0.1:{port}"]
    with own_database(environment), log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, log)
            VIDEO_STORE.parent.mkdir(exist_ok=True)
            shutil.copytree(videos, VIDEO_STORE, dirs_exist_ok=True)
            yield RunningPortal(f"http://127.0.0.1:{port}", log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(END_SECONDS)


@contextmanager
def own_database(environment: dict[str, str]) -> Iterator[None]:
    """Beside the test database of this run, so that no other test meets the sample data."""
    url = urlsplit(os.environ.get("DATABASE_URL", ""))
    if url.scheme not in {"postgres", "postgresql"}:
        yield
        return
    name = f"journey_{os.getpid()}"
    environment["DATABASE_URL"] = url._replace(path=f"/{name}").geturl()
    # The named database need not exist: pytest-django makes one beside it, too.
    server = url._replace(path="/postgres").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        # Nothing in it outlives the test: its commits need not wait for the disk.
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        try:
            yield
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"the portal did not start:\n{log.read_text()[-4000:]}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
