"""Credited time of one person over elapsed time, with twelve threads beating at once.

    python -m benchmarks.parallel_beats

On the empty database that `DATABASE_URL` names; `benchmarks.beats` runs it on both. Every beat
claims a few milliseconds more than the last one that was taken, oftener than time allows.
Prints the largest ratio of three runs, and how many beats were taken.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from time import monotonic

THREADS = 12
RUNS = 3
SECONDS = 3.0
MILLISECOND = timedelta(milliseconds=1)


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from benchmarks.learners import gather

    gather(1)
    runs = [beat_at_once() for _ in range(RUNS)]
    ratio = max(ratio for ratio, _ in runs)
    sys.stdout.write(
        json.dumps({"ratio": ratio, "beats": sum(taken for _, taken in runs)})
    )


def beat_at_once() -> tuple[float, int]:
    """Credited over elapsed time of one run, and how many beats earned it."""
    from django.utils import timezone

    from learning.models import PersonClock
    from learning.rules.beat_tokens import BeatClaim
    from learning.services import Beat
    from learning.services.steady_beats import record_steady_beat
    from learning.services.terms import read_terms
    from portal.lib.raw_connections import open_raw_connections

    begun = PersonClock.objects.get()
    claim = BeatClaim(begun.person_id, begun.session, begun.login)
    terms, raw = read_terms(), open_raw_connections()
    numbers = count(begun.sequence + 1)
    end = monotonic() + SECONDS

    reached = begun.last_position_ms

    def hammer(number: int) -> int:
        nonlocal reached
        taken = 0
        while monotonic() < end:
            now = timezone.now()
            beat = Beat(
                claim.session, next(numbers), reached + 1 + number, is_playing=True
            )
            answer = record_steady_beat(raw.fetch, claim, beat, terms=terms, now=now)
            if answer:
                reached = max(reached, answer.position_ms)
                taken += 1
        return taken

    with ThreadPoolExecutor(THREADS) as pool:
        taken = sum(pool.map(hammer, range(THREADS)))
    raw.close()
    clock = PersonClock.objects.get()
    elapsed_ms = (clock.last_beat_at - begun.last_beat_at) / MILLISECOND
    return (clock.credited_ms - begun.credited_ms) / elapsed_ms, taken


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    main()
