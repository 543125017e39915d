"""The hot path of the ledger: one guarded statement on the person's clock.

It recognises the case in which every rule says "credit" (`rules.steady`), and nothing else.
Whatever it does not take is for the full ledger, which alone refuses, asks and completes. The
arithmetic is that of `rules.credit.credit_beat`; a test drives both with the same beats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.db import connection

from learning.rules.beat_tokens import BeatClaim, derive_key, read_token, write_token
from learning.rules.credit import Terms
from learning.services.ledger import Beat

# `now` was read before the row was locked: a beat that waited for another comes with an older
# time, and without the guard would move the clock back and be paid the same seconds again.
# What stands in WHERE is evaluated anew on the row that the other beat left. No FROM, then: a
# joined row would be the old one.
_STATEMENT = """
UPDATE learning_personclock SET
    sequence = %(sequence)s,
    last_beat_at = {greatest}(last_beat_at, %(now)s),
    last_position_ms = %(position_ms)s,
    balance_ms = {least}(
        %(tolerance_ms)s, balance_ms + {elapsed} - (%(position_ms)s - last_position_ms)
    ),
    credited_ms = credited_ms + (%(position_ms)s - last_position_ms),
    until_prompt_ms = until_prompt_ms - (%(position_ms)s - last_position_ms),
    beats = beats + 1,
    jitter_ms = jitter_ms + {least}(%(beat_ms)s, abs({elapsed} - %(beat_ms)s)),
    last_gained_ms = %(position_ms)s - last_position_ms
WHERE person_id = %(person_id)s AND session = %(session)s AND login = %(login)s
    AND sequence BETWEEN 1 AND %(sequence)s - 1
    AND %(position_ms)s BETWEEN last_position_ms AND run_limit_ms
    AND %(position_ms)s - last_position_ms <= %(gap_ms)s
    AND %(position_ms)s - last_position_ms <= {elapsed} + {greatest}(0, balance_ms)
    AND %(position_ms)s - last_position_ms < until_prompt_ms
    AND hold_until IS NULL
    AND EXISTS (
        SELECT 1 FROM accounts_personsession
        WHERE code = %(login)s AND ended_at IS NULL
    )
RETURNING last_gained_ms, run_from_ms
"""
_LATER = "max(last_beat_at, %(now)s)"
# Django's text of a moment: seconds, then a point and microseconds if there are any.
_MICROSECOND = "CAST(substr({} || '.000000', 21, 6) AS INTEGER)"
# Whole milliseconds, rounded down, from the last beat to now. SQLite's own functions: one of
# Python's would ask for the interpreter's lock at each call, and wait for the other threads.
_DIALECTS = {
    "postgresql": {
        "greatest": "GREATEST",
        "least": "LEAST",
        "elapsed": (
            "CAST(floor(extract(epoch FROM GREATEST(last_beat_at, %(now)s)"
            " - last_beat_at) * 1000) AS bigint)"
        ),
    },
    "sqlite": {
        "greatest": "max",
        "least": "min",
        "elapsed": (
            f"(((strftime('%%s', {_LATER}) - strftime('%%s', last_beat_at)) * 1000000"
            f" + {_MICROSECOND.format(_LATER)}"
            f" - {_MICROSECOND.format('last_beat_at')}) / 1000)"
        ),
    },
}


class Row(Protocol):
    """Runs a statement that returns at most one row, and commits."""

    def __call__(
        self, statement: str, values: Mapping[str, Any], /
    ) -> tuple[Any, ...] | None: ...


@dataclass(frozen=True, slots=True)
class SteadyAnswer:
    """What a steady beat led to: its credit, and the run from its beginning to here."""

    sequence: int
    credited_ms: int
    run_from_ms: int
    position_ms: int


def record_steady_beat(
    fetch: Row, claim: BeatClaim, beat: Beat, *, terms: Terms, now: datetime
) -> SteadyAnswer | None:
    """Credit a beat if it is a steady one of a live session; None leaves it to the ledger.

    `fetch` runs the statement outside any transaction of Django's.
    """
    if beat.session != claim.session:
        return None
    row = fetch(
        steady_statement(),
        {
            "person_id": claim.person_id,
            "session": claim.session,
            "login": claim.login,
            "sequence": beat.sequence,
            "position_ms": beat.position_ms,
            "beat_ms": terms.beat_ms,
            "tolerance_ms": terms.tolerance_ms,
            "gap_ms": terms.gap_ms,
            "now": _as_stored(now),
        },
    )
    if row is None:
        return None
    gained, run_from = row
    return SteadyAnswer(beat.sequence, gained, run_from, beat.position_ms)


@cache
def steady_statement() -> str:
    """The statement in the words of the database in use, with `%(name)s` for values."""
    return _STATEMENT.format(**_DIALECTS[_vendor()])


@cache
def _vendor() -> str:
    # Asking the connection costs as much as reading the beat's token.
    return connection.vendor


def _as_stored(moment: datetime) -> datetime | str:
    """A moment as the database compares it: SQLite has Django's text in UTC."""
    if _vendor() == "sqlite":
        return str(moment.astimezone(UTC).replace(tzinfo=None))
    return moment


# --- Tokens ------------------------------------------------------------------------------
@cache
def _keys(secret: str, fallbacks: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(derive_key(each) for each in (secret, *fallbacks))


def _signing_keys() -> tuple[bytes, ...]:
    return _keys(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))


def issue_beat_token(claim: BeatClaim, *, now: datetime) -> str:
    """A token with which the next beats of this session may take the hot path."""
    return write_token(claim, _signing_keys()[0], now=now.timestamp())


def read_beat_token(token: str, *, now: datetime) -> BeatClaim | None:
    """Whom a token speaks for; None if it is none of ours or has expired."""
    return read_token(token, _signing_keys(), now=now.timestamp())
