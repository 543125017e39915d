"""A registration list of ten thousand people: checked, then turned into accounts.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python -m benchmarks.rosters

On PostgreSQL and on SQLite, in databases of its own among a crowd of accounts. Each size runs in
a process of its own, as in a fresh worker, so that its memory is its own. A list has people who
are registered already, some under another name, and rows with mistakes. Prints wall time (what
somebody waits for) and CPU (of the worker and, for PostgreSQL, of its database process): on a
busy machine the second is the stable one. `SIZES`, `ROUNDS` and `DATABASES` (`sqlite` alone, for
one) in the environment change the run.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SIZES = [int(size) for size in os.environ.get("SIZES", "10000,25000,50000").split(",")]
ROUNDS = int(os.environ.get("ROUNDS", "3"))
DATABASES = os.environ.get("DATABASES", "postgresql,sqlite").split(",")
CROWD = int(os.environ.get("CROWD", "100000"))
DATABASE = "portal_benchmark_rosters"
# Of a hundred rows: registered already, registered under another name, with a mistake.
KNOWN, RENAMED, WRONG = 5, 1, 1


def main() -> None:
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
        return
    write = sys.stdout.write
    write(
        "| database | rows | step | wall s | worker CPU s | database CPU s "
        "| CPU µs a row | × bare | peak MB (before) |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    server = os.environ.get(
        "DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"
    )
    own = {"postgresql": own_postgresql(server), "sqlite": own_sqlite()}
    for name in DATABASES:
        with own[name] as environment:
            run_child(environment, "0")
            for size in SIZES:
                run_child(environment, str(size))


def run_child(environment: dict[str, str], argument: str) -> None:
    sys.stdout.flush()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.rosters", argument],
        env=os.environ | {"LOG_LEVEL": "ERROR"} | environment,
        check=True,
    )


@contextmanager
def own_postgresql(server: str) -> Iterator[dict[str, str]]:
    import psycopg

    base, _, _ = server.rpartition("/")
    folder = tempfile.mkdtemp(prefix="portal-rosters-")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
        try:
            yield {"PORTAL_VAR": folder, "DATABASE_URL": f"{base}/{DATABASE}"}
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
            shutil.rmtree(folder)


@contextmanager
def own_sqlite() -> Iterator[dict[str, str]]:
    folder = tempfile.mkdtemp(prefix="portal-rosters-")
    try:
        yield {
            "PORTAL_VAR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/portal.sqlite3",
        }
    finally:
        shutil.rmtree(folder)


def measure(size: int) -> None:
    """Fill the database (size 0), or run the rounds of one size in it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    if size == 0:
        populate()
        return
    case = prepare()
    peak = 0.0
    begin_peak()
    before = peak_mb()
    bare, checks, creations = Figures(), Figures(), Figures()
    for number in range(ROUNDS):
        bare.time(lambda number=number: case.insert_bare(size, number))
        row = case.hand_in(size, number)
        # What stands above is the benchmark's own use of memory.
        begin_peak()
        checks.time(lambda row=row: case.check(row, size))
        case.approve(row)
        creations.time(lambda row=row: case.create(row))
        peak = max(peak, peak_mb())
        case.verify(row, size)
    for step, figures in (
        ("bare insert", bare),
        ("checked", checks),
        ("created", creations),
    ):
        figures.report(case.vendor, size, step, bare, f"{peak:.0f} ({before:.0f})")


def begin_peak() -> None:
    """Let the kernel forget the peak so far: reading Django's modules is one."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """The most memory that this process has used since `begin_peak`."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@dataclass
class Figures:
    """Seconds of every round: wall, CPU of this process, CPU of the database's process."""

    rounds: list[tuple[float, float, float]] = field(default_factory=list)

    def time(self, action: Callable[[], None]) -> None:
        wall, cpu, backend = time.perf_counter(), time.process_time(), backend_cpu()
        action()
        self.rounds.append(
            (
                time.perf_counter() - wall,
                time.process_time() - cpu,
                backend_cpu() - backend,
            )
        )

    @property
    def cpu(self) -> float:
        """CPU seconds of the best round: what makes another worse is the machine's other work."""
        return min(cpu + backend for _, cpu, backend in self.rounds)

    def report(
        self, vendor: str, size: int, step: str, bare: "Figures", memory: str
    ) -> None:
        walls = [wall for wall, _, _ in self.rounds]
        best = min(self.rounds, key=lambda each: each[1] + each[2])
        sys.stdout.write(
            f"| {vendor} | {size} | {step} | {min(walls):.2f}–{max(walls):.2f} "
            f"| {best[1]:.2f} | {best[2]:.2f} | {self.cpu / size * 1e6:.0f} "
            f"| {self.cpu / bare.cpu:.1f} | {memory} |\n"
        )


def backend_cpu() -> float:
    """CPU seconds of the PostgreSQL process that serves this one; 0 for SQLite."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    schedstat = Path(f"/proc/{pid}/schedstat")
    return int(schedstat.read_text().split()[0]) / 1e9 if schedstat.exists() else 0.0


def populate() -> None:
    """The tables and a crowd of accounts that have nothing to do with the lists."""
    import secrets

    from django.core.management import call_command
    from django.utils import timezone

    from accounts.models import Profile, User

    call_command("migrate", verbosity=0)
    now = timezone.now()
    for start in range(0, CROWD, 5000):
        people = User.objects.bulk_create(
            User(
                username=f"crowd{start + n}",
                name="众人",
                id_number_index=secrets.token_hex(32),
                phone_index=secrets.token_hex(32),
                date_joined=now,
            )
            for n in range(5000)
        )
        Profile.objects.bulk_create(Profile(person=p, updated_at=now) for p in people)


@dataclass
class Case:
    """A unit, its coordinator and staff, and the steps of a list's way."""

    unit: Any
    coordinator: Any
    staff: Any
    vendor: str
    next_person: int

    def insert_bare(self, size: int, number: int) -> None:
        """The yardstick: as many accounts by themselves, and nothing around them."""
        from accounts.models import User

        people = []
        for n in range(size):
            person = User(username=f"bare{size}-{number}-{n}", name="众人", password="")
            person.store_id_number(f"{size}-{number}-{n}")
            person.store_phone(f"{size}-{number}-{n}")
            people.append(person)
        User.objects.bulk_create(people, batch_size=1000)

    def hand_in(self, size: int, number: int) -> Any:
        from django.utils import timezone

        from accounts.models import User
        from tests.factories import lists

        start, self.next_person = self.next_person, self.next_person + size
        lines = [list(line) for line in lists.make_lines(size, start=start)]
        known = []
        for n, line in enumerate(lines):
            if n % 100 < KNOWN + RENAMED:
                name = line[1] if n % 100 < KNOWN else "原名"
                person = User(username=f"known{start + n}", name=name)
                person.store_id_number(line[2])
                person.store_phone(str(int(line[3]) - 90_000_000))
                known.append(person)
            elif n % 100 < KNOWN + RENAMED + WRONG:
                line[2] = line[2][:-1]
        User.objects.bulk_create(known, batch_size=1000)
        from accounts.models import RegistrationList

        # Yesterday's: a day's lists have a limit.
        RegistrationList.objects.update(uploaded_at="2020-01-01T00:00:00+08:00")
        return lists.hand_in(
            lines, unit=self.unit, coordinator=self.coordinator, now=timezone.now()
        )

    def check(self, row: Any, size: int) -> None:
        from django.utils import timezone

        from accounts.services.lists import check_list, checking

        checking.DAILY_ROWS = 10 * size
        check_list(list_id=row.pk, clock=timezone.now, max_rows=size)

    def approve(self, row: Any) -> None:
        from django.utils import timezone

        from accounts.services.lists import approve_list, submit_list

        row.refresh_from_db()
        if row.state != "checked":
            raise RuntimeError(f"{row.state}: {row.reason}")
        submit_list(
            list_id=row.pk,
            leaves_out_invalid=True,
            actor=self.coordinator,
            now=timezone.now(),
        )
        approve_list(list_id=row.pk, actor=self.staff, now=timezone.now())

    def create(self, row: Any) -> None:
        from django.utils import timezone

        from accounts.services.lists import create_accounts

        create_accounts(list_id=row.pk, clock=timezone.now)

    def verify(self, row: Any, size: int) -> None:
        """The figures count only if everybody got what they should."""
        from accounts.models import Message, UnitMember

        row.refresh_from_db()
        found = (row.state, row.new_count, row.linked_count, row.failed_count)
        people = size * (100 - KNOWN - RENAMED - WRONG) // 100
        if found != ("done", people, size * KNOWN // 100, 0):
            raise RuntimeError(str(found))
        members = UnitMember.objects.filter(person__in=row.rows.values("person"))
        if members.count() != people + size * KNOWN // 100:
            raise RuntimeError("memberships are missing")
        told = Message.objects.filter(
            template="account_opened", created_at__gte=row.decided_at
        )
        if told.count() != people:
            raise RuntimeError("messages are missing")


def prepare() -> Case:
    import secrets

    from django.db import connection

    from accounts.models import RegistrationList
    from tests.factories.accounts import UnitFactory, UserFactory
    from tests.factories.lists import make_coordinator

    token = secrets.token_hex(4)
    unit = UnitFactory(name=f"单位{token}", region__code=token)
    taken = sum(RegistrationList.objects.values_list("row_count", flat=True))
    factory = {"id_number": None, "phone": None}
    staff = UserFactory(username=f"staff{token}", is_superuser=True, **factory)
    # Phones of 1980… belong to nobody in the lists and in no other process.
    phone = f"1980{secrets.randbelow(10**7):07d}"
    coordinator = make_coordinator(
        unit, username=f"unit{token}", id_number=None, phone=phone
    )
    return Case(unit, coordinator, staff, connection.vendor, taken)


if __name__ == "__main__":
    main()
