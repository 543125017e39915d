"""One migrated database for all workers of a run: migrating takes ten seconds of a core."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.db import connection


class MigratedOnce:
    """What the first worker of a run has migrated, and the others begin with.

    From its making until `hand_on` all other workers wait.
    """

    def __init__(self, run: str) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"portal-migrated-{run}"
        self._folder.mkdir(exist_ok=True)
        self._lock = (self._folder / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # On SQLite the database itself, on PostgreSQL the mark that the template is there.
        self._kept = self._folder / "migrated.sqlite3"
        self._template = f"migrated_{run}"
        self.is_first = not self._kept.exists()

    def begin(self, database: dict[str, Any]) -> bool:
        """Let the worker's database begin as the kept one; whether its file lies there now.

        `database` are Django's settings of it, with the name that it has in tests.
        """
        if self.is_first:
            return False
        if connection.vendor == "sqlite":
            shutil.copyfile(self._kept, database["TEST"]["NAME"])
            return True
        database["TEST"]["TEMPLATE"] = self._template
        return False

    def hand_on(self) -> None:
        """Keep what the first worker migrated; the next one may go on."""
        if self.is_first and connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM INTO %s", [str(self._kept)])
        elif self.is_first:
            name = connection.settings_dict["NAME"]
            # A database that somebody is connected to cannot be a template.
            connection.close()
            _on_server(f'CREATE DATABASE "{self._template}" TEMPLATE "{name}"')
            self._kept.touch()
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def end(self) -> None:
        """Remove what was kept; a worker that came later still would migrate for itself."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if self.is_first:
            if connection.vendor == "postgresql":
                _on_server(f'DROP DATABASE IF EXISTS "{self._template}"')
            shutil.rmtree(self._folder)
        self._lock.close()


def _on_server(statement: str) -> None:
    server = urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl()
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(statement.encode())
