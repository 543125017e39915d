"""What one beat of the player is worth.

The server's time decides: a beat reports where the player stands, and earns no more than the
time that passed here, the way the position moved, and the gap cap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from learning.rules.intervals import Interval, subtract_intervals

COMPLETE_AT_PERCENT = 95
# The last second of a video counts as its end, and a shorter gap is not worth going back for.
SECOND_MS = 1000


class Refusal(StrEnum):
    """Why watched time does not count; the values are those of `RefusedTime.Reason`."""

    NETWORK = "network"
    PROMPT = "prompt"
    TOO_FAST = "too_fast"
    REPEATED = "repeated"
    TAKEN_OVER = "taken_over"
    NOT_ENTITLED = "not_entitled"


@dataclass(frozen=True)
class Terms:
    """The figures of the ledger in milliseconds; see learning.md for what they are called."""

    beat_ms: int
    tolerance_ms: int
    prompt_after_ms: tuple[int, int]
    first_prompt_ms: int | None
    prompt_answer_ms: int
    prompt_tries: int
    prompt_hold_ms: int
    idle_ms: int

    @property
    def gap_ms(self) -> int:
        """The gap cap G: what one beat can be worth at most."""
        return 2 * self.beat_ms


@dataclass(frozen=True)
class Movement:
    """A beat against the clock: the time since the last one and the way of the position.

    `balance_ms` is what the session has left over from before: positive when time passed that
    playing did not use, negative when the position ran ahead of the clock. `is_review` says
    that the whole way was covered before.
    """

    elapsed_ms: int
    from_ms: int
    to_ms: int
    balance_ms: int = 0
    is_first: bool = False
    is_review: bool = False

    @property
    def forward_ms(self) -> int:
        return max(0, self.to_ms - self.from_ms)


@dataclass(frozen=True)
class BeatCredit:
    """`played` is the media time that may count, None when the beat earns nothing."""

    played: Interval | None
    balance_ms: int
    refused_ms: int = 0
    refusal: Refusal | None = None

    @property
    def credit_ms(self) -> int:
        return self.played[1] - self.played[0] if self.played else 0


def credit_beat(movement: Movement, terms: Terms) -> BeatCredit:
    """Decide what a beat earns.

    Never more than the elapsed time (with what the balance saved of it), the forward movement
    and the gap cap; so the sum over a session never exceeds the time since its opening. A
    position further ahead than the elapsed time and the tolerance allow is a jump: it moves
    the position and earns nothing.
    """
    forward = movement.forward_ms
    balance = movement.balance_ms + movement.elapsed_ms - forward
    if forward == 0:
        # Standing still saves time up to the tolerance; going back neither saves nor costs.
        went_back = movement.to_ms < movement.from_ms
        kept = movement.balance_ms if went_back else min(terms.tolerance_ms, balance)
        return BeatCredit(played=None, balance_ms=kept)
    if balance < -terms.tolerance_ms:
        refused = min(movement.elapsed_ms, forward)
        return BeatCredit(None, movement.balance_ms, refused, Refusal.TOO_FAST)
    if movement.is_review:
        # Reviewing earns nothing, so its speed must not use up what the next new part needs.
        reviewed = min(movement.elapsed_ms, forward, terms.gap_ms)
        return BeatCredit(None, movement.balance_ms, reviewed, Refusal.REPEATED)
    balance = min(terms.tolerance_ms, balance)
    if movement.is_first and movement.elapsed_ms > terms.gap_ms:
        return BeatCredit(None, balance, forward, Refusal.NETWORK)
    available = movement.elapsed_ms + max(0, movement.balance_ms)
    credit = min(forward, available, terms.gap_ms)
    played = (movement.from_ms, movement.from_ms + credit) if credit else None
    refused = forward - credit
    return BeatCredit(played, balance, refused, Refusal.NETWORK if refused else None)


def is_chapter_covered(covered_ms: int, duration_ms: int) -> bool:
    """Has enough of a chapter been covered to finish it?"""
    return duration_ms > 0 and covered_ms * 100 >= duration_ms * COMPLETE_AT_PERCENT


def find_resume_ms(
    position_ms: int,
    known: Iterable[Sequence[int]],
    duration_ms: int,
    *,
    is_completed: bool,
) -> int:
    """Where to go on: where the learner left; from the end, the first part that is missing."""
    if position_ms < duration_ms - SECOND_MS:
        return position_ms
    if is_completed:
        return 0
    gaps = subtract_intervals((0, duration_ms), known)
    return next((gap[0] for gap in gaps if gap[1] - gap[0] >= SECOND_MS), 0)
