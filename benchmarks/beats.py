"""A beat of the player: the hot path beside a view that does nothing, and beside slower ways.

    DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres REDIS_URL=redis://127.0.0.1:6379/9 \\
        python -m benchmarks.beats

Makes databases of its own (`ROWS`: rows of progress in the two on PostgreSQL), starts the
portal's web server on each as `manage.py serve` does, without middleware as well, and sends
beats of thousands of learners from another process: at a fixed rate with random arrivals,
beside a storm of logins, and as fast as they are answered; all in turns. Then from twelve
threads of one person. Prints what each cost and the ratios to hold; removes everything.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.learners import Crowd
from benchmarks.notifications import serve
from benchmarks.pages import own_database
from benchmarks.turns import COUNT, Database, Turn

ROUNDS = int(os.environ.get("ROUNDS", "5"))
RATE = int(os.environ.get("RATE", "600"))
# A second, while beats come at the fixed rate.
LOGINS = int(os.environ.get("LOGINS", "20"))
LEARNERS = os.environ.get("LEARNERS", "12000")
SMALL, LARGE = os.environ.get("ROWS", "100000,10000000").split(",")
DATABASE = "portal_benchmark_beats"
BEAT, NOTHING, NAIVE = "/learning/beat/", "/nothing/", "/naive-beat/"
STEADY, FULL, EMPTY = '200 {"sequence"', '200 {"session"', "200 success"
# What is slow gets a tenth of the rate and of the messages.
SLOW = {"count": COUNT // 10}
BARE = "benchmarks.bare"


def main() -> None:
    server = os.environ.get(
        "DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"
    )
    base = server.rpartition("/")[0]
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/9")
    os.environ["BENCHMARK_BROKER"] = os.environ["REDIS_URL"]
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.served"
    with ExitStack() as stack:
        small, large, one = (
            f"{base}/{DATABASE}{suffix}" for suffix in ("", "_large", "_one")
        )
        for url in (small, large, one):
            stack.enter_context(own_database(server, url.rpartition("/")[2]))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["PORTAL_VAR"] = str(folder)
        parallel = {
            "PostgreSQL": measure_parallel(one),
            "SQLite": measure_parallel(f"sqlite:///{folder}/one.sqlite3"),
        }
        embedded = f"sqlite:///{folder}/beats.sqlite3"
        # What starts the servers asks the settings which database they have.
        os.environ["DATABASE_URL"] = small
        turns = prepare(
            stack,
            [
                (small, fill(small, SMALL, folder)),
                (large, fill(large, LARGE, folder)),
                (embedded, fill(embedded, "0", folder)),
            ],
        )
        turns.take(folder)
        report(turns, parallel, Database(small).hot_share("learning_personclock"))


def run(*command: str, database: str) -> str:
    """What a module of the benchmarks prints, run on a database."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=os.environ | {"DATABASE_URL": database},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def fill(url: str, rows: str, folder: Path) -> Crowd:
    file = folder / f"players-{rows}"
    run("benchmarks.learners", LEARNERS, rows, str(file), database=url)
    return Crowd(file)


def measure_parallel(url: str) -> float:
    """Credited over elapsed time of one person with twelve threads."""
    return float(json.loads(run("benchmarks.parallel_beats", database=url))["ratio"])


# --- What is sent ------------------------------------------------------------------------
@dataclass
class Turns:
    """All that is measured, in its order within a round."""

    # At a fixed rate.
    calm_empty: Turn
    calm_portal_empty: Turn
    calm_beat: Turn
    calm_full: Turn
    storm: Turn
    # As fast as answered.
    empty: Turn
    portal_empty: Turn
    beat: Turn
    large_beat: Turn
    patient_beat: Turn
    full: Turn
    naive: Turn
    embedded_empty: Turn
    embedded_beat: Turn

    def take(self, folder: Path) -> None:
        turns: list[Turn] = list(vars(self).values())
        for turn in turns:
            turn.take(folder, keep=False)
        for _ in range(ROUNDS):
            for turn in turns:
                turn.take(folder)


def prepare(stack: ExitStack, filled: list[tuple[str, Crowd]]) -> Turns:
    """The servers started, and what each will be sent."""
    import django

    django.setup()
    (small, crowd), (large, large_crowd), (embedded, embedded_crowd) = filled
    start = partial(serve, os.environ["REDIS_URL"])
    # Each try to log in comes from an address of its own, as behind a proxy.
    portal = stack.enter_context(start(DATABASE_URL=small, TRUSTED_PROXY_COUNT="1"))
    bare = stack.enter_context(start(DATABASE_URL=small, DJANGO_SETTINGS_MODULE=BARE))
    patient = stack.enter_context(
        start(DATABASE_URL=small, DJANGO_SETTINGS_MODULE="benchmarks.patient")
    )
    portal_large = stack.enter_context(start(DATABASE_URL=large))
    on_sqlite = partial(start, processes=1, DATABASE_URL=embedded)
    sqlite = stack.enter_context(on_sqlite())
    sqlite_bare = stack.enter_context(on_sqlite(DJANGO_SETTINGS_MODULE=BARE))

    database = Database(small)
    rows = f"{int(SMALL):,} rows"
    nothing = {"path": NOTHING, "messages": crowd.steady, "answer": EMPTY}
    steady = {"path": BEAT, "messages": crowd.steady, "answer": STEADY}
    full = {"path": BEAT, "messages": crowd.full, "answer": FULL}
    on = {"database": database}
    return Turns(
        Turn("no-op without middleware", bare, **nothing, **on, rate=RATE),
        Turn("no-op", portal, **nothing, **on, rate=RATE),
        Turn("beat", portal, **steady, **on, rate=RATE),
        Turn("beat, full ledger", portal, **full, **on, rate=RATE / 10, **SLOW),
        Turn(
            *(f"beat, beside {LOGINS} logins a second", portal),
            **steady,
            **on,
            rate=RATE,
            logins=LOGINS,
        ),
        Turn("no-op without middleware", bare, **nothing, **on),
        Turn("no-op", portal, **nothing, **on),
        Turn(f"beat, {rows} of progress", portal, **steady, **on),
        Turn(
            *(f"beat, {int(LARGE):,} rows", portal_large),
            **steady | {"messages": large_crowd.steady},
            database=Database(large),
        ),
        Turn("beat that waits for the disk", patient, **steady, **on),
        Turn("beat, full ledger", portal, **full, **on, **SLOW),
        Turn("beat, made simply", portal, **full | {"path": NAIVE}, **on, **SLOW),
        Turn(
            *("no-op without middleware, one process on SQLite", sqlite_bare),
            **nothing,
        ),
        Turn(
            *("beat, one process on SQLite", sqlite),
            **steady | {"messages": embedded_crowd.steady},
        ),
    )


# --- What is printed ---------------------------------------------------------------------
def report(turns: Turns, parallel: dict[str, float], hot_share: float) -> None:
    every: list[Turn] = list(vars(turns).values())
    report_fixed([turn for turn in every if turn.rate and not turn.logins])
    report_storm(turns.storm)
    report_fast([turn for turn in every if not turn.rate])
    report_aims(turns, parallel, hot_share)


def report_fixed(turns: list[Turn]) -> None:
    write = sys.stdout.write
    write(
        "\n| at a fixed rate | a second | web CPU µs | database CPU µs | together "
        "| × no-op without middleware | × no-op | answer ms, median / 99 % | WAL bytes |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    bare, floor = turns[0].cpu_us, turns[1].cpu_us
    for turn in turns:
        times = statistics.quantiles(turn.milliseconds, n=100)
        write(
            f"| {turn.name} | {turn.a_second:.0f} | {statistics.median(turn.web_us):.0f} "
            f"| {statistics.median(turn.database_us):.0f} | {turn.cpu_us:.0f} "
            f"| {turn.cpu_us / bare:.2f} | {turn.cpu_us / floor:.2f} "
            f"| {times[49]:.1f} / {times[98]:.1f} "
            f"| {statistics.median(turn.log_bytes):.0f} |\n"
        )


def report_storm(turn: Turn) -> None:
    times = statistics.quantiles(turn.milliseconds, n=100)
    answers = ", ".join(
        f"{count} × {text}" for text, count in turn.login_answers.items()
    )
    sys.stdout.write(
        f"\n{turn.name}: answer ms, median / 99 % {times[49]:.1f} / {times[98]:.1f}; "
        f"logins answered {answers}\n"
    )


def report_fast(turns: list[Turn]) -> None:
    write = sys.stdout.write
    write(
        "\n| as fast as answered, 16 connections | a second | min–max | web CPU µs "
        "| database CPU µs |\n| --- | --- | --- | --- | --- |\n"
    )
    for turn in turns:
        rates = [turn.count / seconds for seconds in turn.seconds]
        write(
            f"| {turn.name} | {turn.a_second:.0f} | {min(rates):.0f}–{max(rates):.0f} "
            f"| {statistics.median(turn.web_us):.0f} "
            f"| {statistics.median(turn.database_us):.0f} |\n"
        )


def report_aims(turns: Turns, parallel: dict[str, float], hot_share: float) -> None:
    beat, empty = turns.beat.a_second, turns.empty.a_second
    calm = turns.calm_beat
    rows = [
        ("beat / no-op without middleware", beat / empty, "≥ 0.40"),
        (
            "beat that waits for the disk / that no-op",
            turns.patient_beat.a_second / empty,
            "≥ 0.25",
        ),
        ("beat, full ledger / that no-op", turns.full.a_second / empty, "≥ 0.10"),
        (
            "no-op / no-op without middleware",
            turns.portal_empty.a_second / empty,
            "≥ 0.5",
        ),
        (
            "beat / no-op without middleware, one process on SQLite",
            turns.embedded_beat.a_second / turns.embedded_empty.a_second,
            "≥ 0.8",
        ),
        ("beat / beat made simply", beat / turns.naive.a_second, "≥ 12"),
        (
            f"beat, {int(LARGE):,} rows / {int(SMALL):,}",
            turns.large_beat.a_second / beat,
            "≥ 0.9",
        ),
        (
            f"CPU of a beat / of that no-op, {RATE} a second",
            calm.cpu_us / turns.calm_empty.cpu_us,
            "≤ 2.0",
        ),
        (
            f"99 % of answers in ms, {RATE} a second",
            statistics.quantiles(calm.milliseconds, n=100)[98],
            "≤ 50",
        ),
        ("WAL bytes of a beat", statistics.median(calm.log_bytes), "≤ 300"),
        ("share of updates within their page", hot_share, "≥ 0.99"),
        *(
            (f"credited / elapsed, twelve threads of one person, {name}", ratio, "≤ 1")
            for name, ratio in parallel.items()
        ),
    ]
    sys.stdout.write("\n| ratio | measured | to hold |\n| --- | --- | --- |\n")
    for name, value, aim in rows:
        sys.stdout.write(f"| {name} | {value:.3g} | {aim} |\n")


if __name__ == "__main__":
    main()
