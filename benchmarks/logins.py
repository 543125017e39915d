"""Finding who logs in, with 1,000 and with 1,000,000 accounts, side by side on PostgreSQL.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python -m benchmarks.logins

Makes two databases of its own, fills them with accounts whose indexes are real, and looks
people up by phone, ID number and user name, in shuffled turns. Drops both at the end.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from benchmarks.pages import backend_cpu_ms, own_database

SIZES = {"default": 1_000, "large": int(os.environ.get("ACCOUNTS", "1000000"))}
NAMES = {alias: f"portal_benchmark_logins_{alias}" for alias in SIZES}
ROUNDS = int(os.environ.get("ROUNDS", "200"))
LOOKUPS = 20
COLUMNS = (
    *("code", "username", "name", "id_kind", "id_number_cipher", "id_number_index"),
    *("phone_cipher", "phone_index", "email", "state", "is_staff", "is_active"),
    *("date_joined", "password", "is_superuser"),
)
# As long as a real one; looking up decrypts nothing.
SEALED = b"k1:" + bytes(43)
JOINED = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)

# In the environment, since this file is two modules: `__main__` and the router's.
TURN = "BENCHMARK_DATABASE"


class TurnRouter:
    """Sends every query to the database whose turn it is."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return os.environ.get(TURN, "default")

    db_for_write = db_for_read


def main() -> None:
    server = os.environ.get(
        "DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"
    )
    base, _, maintenance = server.rpartition("/")
    os.environ["DATABASE_URL"] = f"{base}/{NAMES['default']}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    with ExitStack() as stack:
        for name in NAMES.values():
            stack.enter_context(own_database(f"{base}/{maintenance}", name))
        measure()


def measure() -> None:
    import django
    from django.conf import settings

    large = settings.DATABASES["default"] | {"NAME": NAMES["large"]}
    settings.DATABASES["large"] = large
    settings.DATABASE_ROUTERS = ["benchmarks.logins.TurnRouter"]
    django.setup()
    from django.core.management import call_command
    from django.db import connections

    for alias, size in SIZES.items():
        choose(alias)
        call_command("migrate", verbosity=0, database=alias)
        fill(connections[alias], size)
    times: dict[str, list[float]] = {alias: [] for alias in SIZES}
    cpu: dict[str, list[float]] = {alias: [] for alias in SIZES}
    for alias in list(SIZES) * 20:
        look_up(alias, times={}, cpu={})
    turns = list(SIZES)
    for _ in range(ROUNDS):
        random.shuffle(turns)
        for alias in turns:
            look_up(alias, times=times, cpu=cpu)
    report(times, cpu)
    connections.close_all()


def choose(alias: str) -> None:
    os.environ[TURN] = alias


def fill(connection: Any, size: int) -> None:
    connection.ensure_connection()
    table = f"COPY accounts_user ({', '.join(COLUMNS)}) FROM STDIN"
    with connection.connection.cursor() as cursor:
        with cursor.copy(table) as copy:
            for row in accounts(size):
                copy.write_row(row)
        cursor.execute("VACUUM ANALYZE accounts_user")


def accounts(size: int) -> Iterator[tuple[Any, ...]]:
    from accounts.personal_data import id_number_index, phone_index
    from tests.factories.accounts import make_id_number, make_phone

    for n in range(size):
        number, phone = make_id_number(n), make_phone(n)
        yield (
            *(f"B{n:015d}", f"person{n}", "赵一", "id_card", SEALED),
            *(id_number_index(number), SEALED, phone_index(phone), ""),
            *("active", False, True, JOINED, "", False),
        )


def look_up(
    alias: str, *, times: dict[str, list[float]], cpu: dict[str, list[float]]
) -> None:
    from django.db import connections

    from accounts.queries import find_person_by_account

    choose(alias)
    connections[alias].ensure_connection()
    backend = connections[alias].connection.info.backend_pid
    asked = [next(pick(SIZES[alias])) for _ in range(LOOKUPS)]
    database = backend_cpu_ms(backend)
    web, started = time.process_time(), time.perf_counter()
    for account in asked:
        if find_person_by_account(account) is None:
            raise RuntimeError("an account of the table was not found")
    elapsed = (time.perf_counter() - started) * 1000 / LOOKUPS
    web_ms = (time.process_time() - web) * 1000 / LOOKUPS
    database_ms = (backend_cpu_ms(backend) - database) / LOOKUPS
    times.setdefault(alias, []).append(elapsed)
    cpu.setdefault(alias, []).append(web_ms + database_ms)


def pick(size: int) -> Iterator[str]:
    from tests.factories.accounts import make_id_number, make_phone

    n = random.randrange(size)
    yield random.choice((make_id_number(n), make_phone(n), f"person{n}"))


def report(times: dict[str, list[float]], cpu: dict[str, list[float]]) -> None:
    write = sys.stdout.write
    write("| accounts | wall ms, median | CPU ms, median | × of 1,000 (wall, CPU) |\n")
    write("| --- | --- | --- | --- |\n")
    wall = {alias: statistics.median(values) for alias, values in times.items()}
    work = {alias: statistics.median(values) for alias, values in cpu.items()}
    for alias, size in SIZES.items():
        write(
            f"| {size:,} | {wall[alias]:.2f} | {work[alias]:.2f} "
            f"| {wall[alias] / wall['default']:.2f}, {work[alias] / work['default']:.2f} |\n"
        )


if __name__ == "__main__":
    main()
