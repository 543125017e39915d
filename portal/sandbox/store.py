"""What the sandbox must still know after a restart: JSON documents in one SQLite file."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]

# The file in the sandbox's folder.
STORE_NAME = "sandbox.sqlite3"


class Store:
    """Documents by kind and key. Safe for the server's threads: one lock around all."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS document ("
            " kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,"
            " PRIMARY KEY (kind, key))"
        )

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def get(self, kind: str, key: str) -> Document | None:
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM document WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, key: str, body: Document) -> None:
        text = json.dumps(body, ensure_ascii=False)
        with self._lock:
            self._connection.execute(
                "INSERT INTO document (kind, key, body) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                (kind, key, text),
            )

    def delete(self, kind: str, key: str) -> Document | None:
        """Remove a document and return what it was."""
        with self._lock:
            body = self.get(kind, key)
            self._connection.execute(
                "DELETE FROM document WHERE kind = ? AND key = ?", (kind, key)
            )
        return body

    def list(self, kind: str) -> dict[str, Document]:
        """All documents of a kind by key, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, body FROM document WHERE kind = ? ORDER BY rowid", (kind,)
            ).fetchall()
        return {key: json.loads(body) for key, body in rows}

    @contextmanager
    def edit(self, kind: str, key: str) -> Iterator[Document]:
        """Hand out a document for change, alone; raises `KeyError` if there is none."""
        with self._lock:
            body = self.get(kind, key)
            if body is None:
                raise KeyError(key)
            yield body
            self.put(kind, key, body)
