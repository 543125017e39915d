"""CPU and queries of the five pages that everybody opens, on PostgreSQL.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python -m benchmarks.pages

Makes a database of its own, fills it (many plans, courses, orders and people), asks each page
in turn through the real middleware, and prints medians of the CPU time of the web process and
of its database process, beside a view that does nothing. Drops the database at the end.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROUNDS = int(os.environ.get("ROUNDS", "40"))
TICK = os.sysconf("SC_CLK_TCK")
DATABASE = "portal_benchmark_pages"

Ask = Callable[[], None]


def main() -> None:
    server = os.environ.get(
        "DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"
    )
    base, _, maintenance = server.rpartition("/")
    os.environ["DATABASE_URL"] = f"{base}/{DATABASE}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    with own_database(f"{base}/{maintenance}", DATABASE):
        measure()


@contextmanager
def own_database(server: str, name: str) -> Iterator[None]:
    """Make the database `name` on the server of that address; drop it at the end."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def measure() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from benchmarks.population import populate

    call_command("migrate", verbosity=0)
    visitor = populate()
    pages = {"没有内容的视图": visitor.nothing, **visitor.pages}
    backend = connection.connection.info.backend_pid

    queries: dict[str, int] = {}
    for name, ask in pages.items():
        ask()
        with CaptureQueriesContext(connection) as captured:
            ask()
        queries[name] = len(captured)
    web: dict[str, list[float]] = {name: [] for name in pages}
    database: dict[str, list[float]] = {name: [] for name in pages}
    names = list(pages)
    for _ in range(ROUNDS):
        random.shuffle(names)
        for name in names:
            web_ms, database_ms = cpu_of(pages[name], backend)
            web[name].append(web_ms)
            database[name].append(database_ms)
    report(queries, web, database)


def cpu_of(ask: Ask, backend: int, repeat: int = 5) -> tuple[float, float]:
    """CPU milliseconds of one request: this process, and the database's process.

    The latter is counted in scheduler nanoseconds where the kernel shows them.
    """
    database_before = backend_cpu_ms(backend)
    web_before = time.process_time()
    for _ in range(repeat):
        ask()
    web = (time.process_time() - web_before) * 1000 / repeat
    return web, (backend_cpu_ms(backend) - database_before) / repeat


def backend_cpu_ms(pid: int) -> float:
    schedstat = Path(f"/proc/{pid}/schedstat")
    if schedstat.exists():
        return int(schedstat.read_text().split()[0]) / 1e6
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICK


def report(
    queries: dict[str, int],
    web: dict[str, list[float]],
    database: dict[str, list[float]],
) -> None:
    write = sys.stdout.write
    write("| page | queries | web ms | database ms | CPU ms | min–max | × no-op |\n")
    write("| --- | --- | --- | --- | --- | --- | --- |\n")
    floor = 0.0
    for name, web_ms in web.items():
        totals = [w + d for w, d in zip(web_ms, database[name], strict=True)]
        middle = statistics.median(totals)
        floor = floor or middle
        write(
            f"| {name} | {queries[name]} | {statistics.median(web_ms):.2f} "
            f"| {statistics.median(database[name]):.2f} | {middle:.2f} "
            f"| {min(totals):.2f}–{max(totals):.2f} | {middle / floor:.1f} |\n"
        )


if __name__ == "__main__":
    main()
