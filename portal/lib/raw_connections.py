"""Database connections beside Django's, for one statement that runs very often.

Opened from Django's own settings, kept by the process and never by a thread: the web server's
threads come and go, and would leave their connections behind.
"""

from collections.abc import Mapping
from contextlib import suppress
from queue import LifoQueue
from sqlite3 import Connection as SqliteConnection
from sqlite3 import Error as SqliteError
from threading import Lock
from typing import Any, Protocol

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from psycopg.types.numeric import Int8

# Fewer than the threads of a process: a statement of a tenth of a millisecond rarely waits.
CONNECTIONS = 6
# A crash of the database may lose the last moment's commits; no statement waits for the disk.
ASYNCHRONOUS = "-c synchronous_commit=off"
# Whoever holds a row for longer, as a refund of thousands does, shall not hold up the others.
IMPATIENT = "-c lock_timeout=1000"


class RawConnections(Protocol):
    """Runs single statements with `%(name)s` for values, each committed by itself."""

    def fetch(
        self, statement: str, values: Mapping[str, Any]
    ) -> tuple[Any, ...] | None: ...

    def close(self) -> None: ...


def open_raw_connections() -> RawConnections:
    """Connections to the default database; the first statement opens the first one."""
    if connection.vendor == "sqlite":
        return SqliteRaw()
    return PostgresRaw()


class PostgresRaw:
    """Some connections that take turns: prepared statements, no wait for the disk."""

    def __init__(self, size: int = CONNECTIONS) -> None:
        # The one used last comes first, so that a quiet process keeps few open.
        self._free: LifoQueue[psycopg.Connection[Any] | None] = LifoQueue()
        for _ in range(size):
            self._free.put(None)

    def fetch(
        self, statement: str, values: Mapping[str, Any]
    ) -> tuple[Any, ...] | None:
        """The statement's first row, None where it has none.

        A connection that a restart of the server broke is replaced once. Raises
        django.db.DatabaseError when that does not help, and when a row stays locked.
        """
        typed = {name: _type_of(value) for name, value in values.items()}
        kept = self._free.get()
        try:
            if kept is None or kept.closed:
                kept = _connect()
            try:
                return kept.execute(statement, typed, prepare=True).fetchone()
            except psycopg.OperationalError:
                if not kept.closed:
                    raise
                kept = _connect()
                return kept.execute(statement, typed, prepare=True).fetchone()
        except psycopg.Error as error:
            _drop(kept)
            kept = None
            raise DatabaseError("no raw connection") from error
        finally:
            self._free.put(kept)

    def close(self) -> None:
        """Close what nobody is using at the moment."""
        for _ in range(self._free.qsize()):
            _drop(self._free.get())
            self._free.put(None)


def _connect() -> psycopg.Connection[Any]:
    settings = connections.create_connection(DEFAULT_DB_ALIAS).get_connection_params()
    own = {
        "autocommit": True,
        "options": f"{settings.get('options', '')} {ASYNCHRONOUS} {IMPATIENT}".strip(),
        # Django's own value switches prepared statements off, those asked for as well.
        "prepare_threshold": 0,
        # Django's cursor is for Django's wrapper.
        "cursor_factory": psycopg.Cursor,
    }
    return psycopg.connect(**settings | own)


def _drop(kept: psycopg.Connection[Any] | None) -> None:
    if kept is not None:
        with suppress(psycopg.Error):
            kept.close()


def _type_of(value: Any) -> Any:
    """One type for all whole numbers: by their size they would make many statements."""
    return Int8(value) if type(value) is int else value


class SqliteRaw:
    """One connection behind a lock: SQLite has one writer, and waiting here is cheaper."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: SqliteConnection | None = None

    def fetch(
        self, statement: str, values: Mapping[str, Any]
    ) -> tuple[Any, ...] | None:
        """The statement's first row, None where it has none.

        Raises django.db.DatabaseError, as when another writer is at it for too long.
        """
        native = statement % {name: f":{name}" for name in values}
        with self._lock:
            if self._kept is None:
                # Django's own opening, for its pragmas, functions and waiting time.
                opened = connections.create_connection(DEFAULT_DB_ALIAS)
                opened.connect()
                self._kept = opened.connection
            try:
                rows: list[tuple[Any, ...]] = self._kept.execute(
                    native, values
                ).fetchall()
            except SqliteError as error:
                raise DatabaseError("no raw statement") from error
        return rows[0] if rows else None

    def close(self) -> None:
        with self._lock:
            if self._kept is not None:
                self._kept.close()
                self._kept = None
