"""One thing that is sent to a server, in turns with others, and what it cost.

Messages go out from a process of its own; CPU is read of the server's processes and of
PostgreSQL's that serve the database.
"""

import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import sub
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.learners import write_logins
from benchmarks.notifications import Server
from benchmarks.pages import TICK, backend_cpu_ms

# Of one turn, unless told otherwise.
COUNT = int(os.environ.get("COUNT", "3000"))
CONNECTIONS = 16
LOGIN = "/accounts/login/"

Messages = Callable[[int], list[dict[str, Any]]]


class Database:
    """One database and what its processes have used and written so far."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def value(self, query: str) -> Any:
        row = self.connection.execute(query).fetchone()
        return row[0] if row else None

    def cpu_ms(self) -> float:
        """Of the processes that serve this database, and of the one that writes the log."""
        rows = self.connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
            " OR datname = current_database() AND pid <> pg_backend_pid()"
        )
        return sum(backend_cpu_ms(row[0]) for row in rows.fetchall())

    def log_bytes(self) -> int:
        return int(self.value("SELECT pg_current_wal_insert_lsn() - '0/0'"))

    def hot_share(self, table: str) -> float:
        """The share of the table's updates that stayed within their page."""
        query = (
            "SELECT n_tup_hot_upd::float / greatest(n_tup_upd, 1)"
            f" FROM pg_stat_user_tables WHERE relname = '{table}'"
        )
        return float(self.value(query))


@dataclass
class Turn:
    """One thing that is sent, in turns with the others. `rate` 0: as fast as answered."""

    name: str
    server: Server
    path: str
    messages: Messages
    # How each answer begins.
    answer: str
    # PostgreSQL's; what SQLite costs is the web's.
    database: Database | None = None
    rate: float = 0
    count: int = COUNT
    # Tries to log in a second, beside what is measured, and how they were answered.
    logins: int = 0
    login_answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    web_us: list[float] = field(default_factory=list)
    database_us: list[float] = field(default_factory=list)
    log_bytes: list[float] = field(default_factory=list)

    def take(self, folder: Path, *, keep: bool = True) -> None:
        """Send the messages from a process of its own and note what they cost."""
        file = folder / "messages"
        file.write_text(
            "\n".join(json.dumps(each) for each in self.messages(self.count))
        )
        sender = [
            "benchmarks.arrivals",
            str(self.server.port),
            self.path,
            str(self.rate),
        ]
        if not self.rate:
            connections = str(CONNECTIONS)
            sender = [
                "benchmarks.hammer",
                str(self.server.port),
                self.path,
                connections,
            ]
        before = self.spent()
        storm = self.begin_storm(folder)
        done = subprocess.run(
            [sys.executable, "-m", *sender, str(file)],
            check=True,
            stdout=subprocess.PIPE,
        )
        web, database, log = map(sub, self.spent(), before)
        found = json.loads(done.stdout)
        wrong = {text for text in found["answers"] if not text.startswith(self.answer)}
        if wrong:
            raise RuntimeError(f"{self.name}: {found['answers']}")
        if keep:
            self.seconds.append(found["seconds"])
            self.milliseconds += found["milliseconds"]
            self.web_us.append(web * 1000 / self.count)
            self.database_us.append(database * 1000 / self.count)
            self.log_bytes.append(log / self.count)
        if storm:
            answers = json.loads(storm.communicate()[0])["answers"]
            for text, count in answers.items():
                self.login_answers[text[:3]] += count

    def spent(self) -> tuple[float, float, float]:
        """CPU of web and database so far in milliseconds, bytes of the log."""
        web = web_cpu_ms(self.server.pid)
        if self.database is None:
            return web, 0, 0
        return web, self.database.cpu_ms(), self.database.log_bytes()

    def begin_storm(self, folder: Path) -> subprocess.Popen[bytes] | None:
        if not self.logins:
            return None
        file = folder / "logins"
        tries = write_logins(int(self.logins * self.count / self.rate))
        file.write_text("\n".join(json.dumps(each) for each in tries))
        sender = ["benchmarks.arrivals", str(self.server.port), LOGIN, str(self.logins)]
        return subprocess.Popen(
            [sys.executable, "-m", *sender, str(file)], stdout=subprocess.PIPE
        )

    @property
    def cpu_us(self) -> float:
        return statistics.median(self.web_us) + statistics.median(self.database_us)

    @property
    def a_second(self) -> float:
        return self.count / statistics.median(self.seconds)


def web_cpu_ms(pid: int) -> float:
    """CPU of the server and its processes so far, threads that have ended included."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = 0
    for each in [str(pid), *children]:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 / TICK
