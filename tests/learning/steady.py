"""A learner whose beats go to the hot path first, as the web server sends them."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from accounts.models import User
from accounts.services.sessions import begin_session
from catalog.models import Plan
from learning.rules.beat_tokens import BeatClaim
from learning.services import Beat, Receipt
from learning.services.steady_beats import SteadyAnswer, record_steady_beat
from learning.services.terms import read_terms
from tests.learning.learner import Learner, TestClock


def fetch(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Django's own connection in place of a raw one: it sees what the test has written."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


class SteadyLearner(Learner):
    """Takes the hot path where it is open; `steady` counts how often it was."""

    def __init__(self, person: User, plan: Plan, clock: TestClock) -> None:
        row = begin_session(
            person=person, user_agent="", address="", at_a_time=1, now=clock.now
        )
        super().__init__(person, plan, clock, login=row.code)
        self.steady = 0

    def claim(self) -> BeatClaim:
        return BeatClaim(self.person.pk, self.session, self.login)

    def try_steady(
        self,
        position: float,
        *,
        sequence: int | None = None,
        claim: BeatClaim | None = None,
    ) -> SteadyAnswer | None:
        """Offer a beat to the hot path alone."""
        number = self.sequence + 1 if sequence is None else sequence
        answer = record_steady_beat(
            fetch,
            claim or self.claim(),
            Beat(self.session, number, round(position * 1000), is_playing=True),
            terms=read_terms(),
            now=self.clock(),
        )
        if answer:
            self.sequence, self.position = number, position
            self.steady += 1
        return answer

    def tell(
        self, position: float, *, sequence: int | None = None, is_playing: bool = True
    ) -> Receipt:
        """A beat as the web server takes it: the hot path, else the full ledger."""
        answer = self.try_steady(position, sequence=sequence)
        if answer:
            return Receipt(credited_ms=answer.credited_ms)
        full = self.beat(position, sequence=sequence, is_playing=is_playing)
        return full.receipt
