"""Steady playing: beats of which nothing but credit can come.

Most beats find no question due, no gap, no second seen before and no chapter at its end. How
far such a run may go is decided here, when the full ledger has looked at everything; until
then `services.steady_beats` needs no row but the person's clock.
"""

from collections.abc import Sequence

from learning.rules.credit import COMPLETE_AT_PERCENT, Terms
from learning.rules.intervals import merge_intervals, total_ms


def find_run_limit_ms(
    position_ms: int, known: Sequence[Sequence[int]], duration_ms: int
) -> int:
    """Up to which position playing on from `position_ms` earns nothing but credit.

    `known` is what is covered or pending. A run ends before the next second that is known,
    before the one that completes the chapter, and with the video. None begins inside what is
    known, nor in a chapter in which nothing has counted yet: whether somebody has begun to
    study shall be in the chapter's own row.
    """
    merged = merge_intervals(known)
    total = total_ms(merged)
    if not total or any(start <= position_ms < end for start, end in merged):
        return position_ms
    # The longest coverage that is still short of the share that completes.
    incomplete_ms = (duration_ms * COMPLETE_AT_PERCENT - 1) // 100
    starts = [start for start, _ in merged if start > position_ms]
    return max(
        position_ms, min([duration_ms, position_ms + incomplete_ms - total, *starts])
    )


def measure_jitter_ms(elapsed_ms: int, terms: Terms) -> int:
    """How far a beat came from the player's rhythm, at most one period."""
    return min(abs(elapsed_ms - terms.beat_ms), terms.beat_ms)
