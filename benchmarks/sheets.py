"""CPU and memory of reading, checking and writing registration lists, without a database.

    python -m benchmarks.sheets [SIZE ...]

Each size (default 1,000, 10,000, 50,000) runs in a process of its own, so that its memory is its
own. Figures are processor time, minima of five rounds, and the peak of resident memory;
the last column says how much a row costs compared with the first size: linear is 1.
What becomes of a list in the database is `benchmarks.rosters`.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import TypeVar

SIZES = (1_000, 10_000, 50_000)
ROUNDS = 5
TODAY = date(2026, 5, 19)
# One person of so many has something wrong.
WRONG = 20

Result = TypeVar("Result")


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        sys.stdout.write(json.dumps(measure(int(sys.argv[2]))))
        return
    sizes = [int(text) for text in sys.argv[1:]] or SIZES
    first: dict[str, float] = {}
    sys.stdout.write(
        "| rows | file kB | read s | find s | check s | error sheet s | peak MB (before)"
        " | read + find + check, a row |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.sheets", "--one", str(size)]
        found = json.loads(subprocess.check_output(command))
        checked = (found["read"] + found["find"] + found["check"]) / size
        ratio = checked / first.setdefault("row", checked)
        times = " | ".join(
            f"{found[key]:.2f}" for key in ("read", "find", "check", "write")
        )
        memory = f"{found['peak']:.0f} ({found['before']:.0f})"
        sys.stdout.write(
            f"| {size} | {found['kb']:.0f} | {times} | {memory} "
            f"| {checked * 1e6:.0f} µs, × {ratio:.2f} |\n"
        )
        sys.stdout.flush()


def measure(size: int) -> dict[str, float]:
    from accounts.documents import write_error_sheet
    from accounts.rules.rosters import check_roster, find_roster
    from portal.lib.sheet_reading import read_sheet

    content = make_file(size)
    before = peak_mb()
    rows, read = timed(lambda: read_sheet(content, max_rows=size))
    roster, find = timed(lambda: find_roster(rows, most_people=size))
    checked, check = timed(lambda: check_roster(roster, today=TODAY))
    peak = peak_mb()
    if sum(not row.is_valid for row in checked) != size // WRONG:
        raise RuntimeError("the list was not read as it was made")
    _, write = timed(lambda: write_error_sheet(checked, head=roster.head))
    return {
        "kb": len(content) / 1000,
        "read": read,
        "find": find,
        "check": check,
        "write": write,
        "before": before,
        "peak": peak,
    }


def make_file(size: int) -> bytes:
    """A filled list, made in a process of its own: its memory is not the reader's."""
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'portal.settings'\n"
        "import django; django.setup()\n"
        "from tests.factories.sheets import make_list, make_person\n"
        f"people = (make_person(n, **({{'phone': '1'}} if n % {WRONG} == 0 else {{}}))"
        f" for n in range({size}))\n"
        "sys.stdout.buffer.write(make_list(*people))"
    )
    return subprocess.check_output([sys.executable, "-c", code])


def timed(action: Callable[[], Result]) -> tuple[Result, float]:
    """Return what the action returns and its least processor time."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        result = action()
        seconds.append(time.process_time() - start)
    return result, min(seconds)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
