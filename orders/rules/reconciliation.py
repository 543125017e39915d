"""Pure comparison of a gateway's bill with our own books."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# The vendors' calendar; bills of a day are ready from ten the next morning.
BILL_ZONE = ZoneInfo("Asia/Shanghai")
READY_AT = time(10, 0)
# So many past days are looked after again when their bill could not be had.
DAYS_BACK = 7


@dataclass(frozen=True, order=True)
class Key:
    """What an entry is about: an attempt's payment, or one refund of it."""

    attempt_number: str
    refund_number: str = ""

    @property
    def subject(self) -> str:
        return "refund" if self.refund_number else "payment"


@dataclass(frozen=True)
class Entry:
    """Money under a key, in their bill or in our books."""

    key: Key
    amount_fen: int


@dataclass(frozen=True)
class Difference:
    """`our_fen` is None for what only they have, `their_fen` for what only we have."""

    key: Key
    our_fen: int | None
    their_fen: int | None

    @property
    def kind(self) -> str:
        if self.our_fen is None:
            return "theirs_only"
        return "ours_only" if self.their_fen is None else "amount"


def compare(
    *,
    theirs: Iterable[Entry],
    ours: Iterable[Entry],
    billed_elsewhere: Iterable[Key] = (),
    booked: Iterable[Entry] = (),
) -> list[Difference]:
    """List what the two sides of a day disagree about, by number.

    `ours` is what we booked for the day, `booked` what we have of their entries whatever the
    day: a payment at midnight may stand in the bill of one day and in our books of another.
    `billed_elsewhere` are ours that stand in the bill of another day. A key that comes twice
    in a bill is money twice.
    """
    their_sums, known = _add_up(theirs), _add_up(booked)
    elsewhere = set(billed_elsewhere)
    differences = []
    for key, amount in their_sums.items():
        if known.get(key) != amount:
            differences.append(Difference(key, known.get(key), amount))
    for entry in ours:
        if entry.key not in their_sums and entry.key not in elsewhere:
            differences.append(Difference(entry.key, entry.amount_fen, None))
    return sorted(differences, key=lambda each: each.key)


def _add_up(entries: Iterable[Entry]) -> dict[Key, int]:
    sums: dict[Key, int] = defaultdict(int)
    for entry in entries:
        sums[entry.key] += entry.amount_fen
    return dict(sums)


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """First moment of a day by the vendors' calendar, and of the day after."""
    start = datetime.combine(day, time(), tzinfo=BILL_ZONE)
    return start, start + timedelta(days=1)


def list_ready_days(now: datetime) -> list[date]:
    """Days whose bill should be there by now, oldest first."""
    local = now.astimezone(BILL_ZONE)
    last = local.date() - timedelta(days=1 if local.time() >= READY_AT else 2)
    return [last - timedelta(days=back) for back in reversed(range(DAYS_BACK))]
