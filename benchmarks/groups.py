"""A group purchase of five thousand people: checked among a million accounts, paid, enrolled.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python -m benchmarks.groups

On PostgreSQL, in a database of its own that is dropped at the end. Among a small and a large
crowd of accounts (`CROWDS`) the same purchase is made `ROUNDS` times: numbers pasted and checked
by the worker's code, ordered, and the payment settled with enrolments and messages for all.
Prints wall time and CPU (of the worker and of its database process) and, as ratios, the large
crowd over the small one and each step over bare rows written by `bulk_create`: on a busy machine
those are the stable ones. `SIZE` and `ROUNDS` in the environment change the run.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.rosters import Figures

SIZE = int(os.environ.get("SIZE", "5000"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
CROWDS = [int(n) for n in os.environ.get("CROWDS", "10000,1000000").split(",")]
DATABASE = "portal_benchmark_groups"
# What the promises say, in seconds.
CHECK_SECONDS, SETTLE_SECONDS = 2, 5

CROWD_SQL = """
INSERT INTO accounts_user (
    password, is_superuser, code, username, name, id_kind, id_number_cipher,
    id_number_index, former_id_number_index, phone_cipher, phone_index, email, state,
    is_staff, is_coordinator, is_active, date_joined
)
SELECT '', false, 'C' || n, 'many' || n, '众人', 'id_card', NULL,
    encode(sha256(('i' || n)::bytea), 'hex'), '', NULL,
    encode(sha256(('p' || n)::bytea), 'hex'), '', 'active',
    false, false, true, now()
FROM generate_series(%s, %s) AS n
"""


def main() -> None:
    server = os.environ.get(
        "DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"
    )
    with own_postgresql(server):
        import django

        django.setup()
        measure()


@contextmanager
def own_postgresql(server: str) -> Iterator[None]:
    """A database and a folder of this run, named in the environment before Django reads it."""
    import psycopg

    base, _, _ = server.rpartition("/")
    folder = tempfile.mkdtemp(prefix="portal-groups-")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_VAR": folder,
            "DATABASE_URL": f"{base}/{DATABASE}",
            "LOG_LEVEL": "ERROR",
        }
        try:
            yield
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
            shutil.rmtree(folder)


def measure() -> None:
    from django.core.management import call_command

    from tests.factories.groups import make_crowd

    call_command("migrate", verbosity=0)
    people = make_crowd(SIZE, first=100_000)
    write = sys.stdout.write
    write(f"{SIZE} people, {ROUNDS} rounds\n\n")
    write(
        "| accounts | step | wall s | worker CPU s | database CPU s "
        "| CPU µs a person | × bare rows | × small crowd |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    small: dict[str, Figures] = {}
    grown = 0
    for crowd in CROWDS:
        populate(grown, crowd)
        grown = crowd
        figures = run_rounds(people)
        for step in ("bare rows", "checked", "ordered", "settled"):
            report(crowd, step, figures, small)
        small = small or figures


def populate(start: int, end: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(CROWD_SQL, [start + 1, end])
        cursor.execute("VACUUM ANALYZE")


def run_rounds(people: list[Any]) -> dict[str, Figures]:
    """Every step of `ROUNDS` purchases, each of a plan of its own."""
    from django.utils import timezone

    from learning.models import Enrolment
    from orders.models import GatewayMessage, GroupCheck
    from orders.payments.protocol import Report, State
    from orders.services import apply_report
    from orders.services.groups import check_people, place_group_order
    from tests.factories.groups import hand_in, paste
    from tests.factories.orders import PaymentAttemptFactory, make_endless_plan

    unit, buyer = make_buyer()
    figures = {
        step: Figures() for step in ("bare rows", "checked", "ordered", "settled")
    }
    for _ in range(ROUNDS):
        # Yesterday's: a day's checks have a limit.
        GroupCheck.objects.update(created_at="2020-01-01T00:00:00+08:00")
        bare = make_endless_plan()
        figures["bare rows"].time(
            lambda plan=bare: Enrolment.objects.bulk_create(
                [
                    Enrolment(
                        person=person,
                        plan=plan,
                        source="staff",
                        opened_at=timezone.now(),
                    )
                    for person in people
                ],
                batch_size=1000,
            )
        )
        plan = make_endless_plan()
        check = hand_in(
            paste(*people), buyer=buyer, unit=unit, plan=plan, now=timezone.now()
        )
        figures["checked"].time(
            lambda check=check: check_people(check_id=check.pk, clock=timezone.now)
        )
        orders: list[Any] = []
        figures["ordered"].time(
            lambda check=check, orders=orders: orders.append(
                place_group_order(check_id=check.pk, actor=buyer, now=timezone.now())
            )
        )
        attempt = PaymentAttemptFactory(order=orders[0])
        paid = Report(attempt.number, State.PAID, attempt.amount_fen)
        figures["settled"].time(
            lambda paid=paid: apply_report(
                gateway="alipay",
                report=paid,
                source=GatewayMessage.Source.NOTIFICATION,
                now=timezone.now(),
            )
        )
        verify(orders[0])
    return figures


def make_buyer() -> tuple[Any, Any]:
    import secrets

    from tests.factories.accounts import UnitFactory
    from tests.factories.lists import make_coordinator

    token = secrets.token_hex(4)
    unit = UnitFactory(name=f"单位{token}", region__code=token)
    phone = f"1980{secrets.randbelow(10**7):07d}"
    return unit, make_coordinator(
        unit, username=f"unit{token}", id_number=None, phone=phone
    )


def verify(order: Any) -> None:
    """The figures count only if everybody may study and is told."""
    from accounts.models import Message
    from learning.models import Enrolment

    enrolled = Enrolment.objects.filter(source_number=order.number).count()
    told = Message.objects.filter(created_at__gte=order.created_at).count()
    if (enrolled, told) != (SIZE, SIZE):
        raise RuntimeError(f"{enrolled} enrolled, {told} told")


def report(
    crowd: int, step: str, figures: dict[str, Figures], small: dict[str, Figures]
) -> None:
    found, bare = figures[step], figures["bare rows"]
    walls = [wall for wall, _, _ in found.rounds]
    best = min(found.rounds, key=lambda each: each[1] + each[2])
    growth = f"{found.cpu / small[step].cpu:.2f}" if small else "1.00"
    sys.stdout.write(
        f"| {crowd:,} | {step} | {min(walls):.2f}–{max(walls):.2f} | {best[1]:.2f} "
        f"| {best[2]:.2f} | {found.cpu / SIZE * 1e6:.0f} | {found.cpu / bare.cpu:.1f} "
        f"| {growth} |\n"
    )
    promised = {"checked": CHECK_SECONDS, "settled": SETTLE_SECONDS}.get(step)
    if promised and found.cpu > promised:
        sys.stdout.write(f"{step}: over the promised {promised} s\n")


if __name__ == "__main__":
    main()
