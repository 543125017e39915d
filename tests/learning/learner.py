"""A learner with a player and a clock of the test's own, at the door of the services."""

from datetime import datetime, timedelta

from accounts.models import User
from catalog.models import Plan
from learning.models import ChapterProgress, Enrolment, PersonClock, Prompt
from learning.queries import find_open_prompt, read_refused_ms
from learning.services import (
    Beat,
    PromptAnswer,
    StudyAnswer,
    answer_prompt,
    close_session,
    open_session,
    record_beat,
)
from tests.factories.learning import enrol, list_chapters, wrong_option

BEAT = 10


class TestClock:
    """A clock that moves when told; calling it reads it, as the services do."""

    __test__ = False

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Learner:
    """Watches the chapters of one plan by beats of ten seconds.

    Positions and lengths are whole or broken seconds. Another device of the same person is
    another Learner with the same person and clock.
    """

    def __init__(
        self, person: User, plan: Plan, clock: TestClock, *, login: str = "login"
    ) -> None:
        self.person = person
        self.clock = clock
        self.login = login
        self.chapters = list_chapters(plan)
        self.enrolment = Enrolment.objects.filter(
            person=person, plan=plan
        ).first() or enrol(person, plan)
        self.session = ""
        self.sequence = 0
        self.position = 0.0

    def open(self, chapter: int = 0, position: float | None = None) -> StudyAnswer:
        answer = open_session(
            person=self.person,
            enrolment=self.enrolment,
            chapter=self.chapters[chapter],
            login=self.login,
            position_ms=None if position is None else int(position * 1000),
            clock=self.clock,
        )
        self.session = answer.session
        self.sequence = 0
        self.position = (
            answer.progress.position_ms / 1000 if position is None else position
        )
        return answer

    def _report(self, sequence: int | None, is_playing: bool) -> Beat:
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        return Beat(self.session, sequence, round(self.position * 1000), is_playing)

    def beat(
        self,
        position: float | None = None,
        *,
        sequence: int | None = None,
        is_playing: bool = True,
    ) -> StudyAnswer:
        if position is not None:
            self.position = position
        return record_beat(
            person=self.person,
            login=self.login,
            beat=self._report(sequence, is_playing),
            clock=self.clock,
        )

    def play(self, seconds: float) -> None:
        """Let the video and the clock run, without a word to the server."""
        self.clock.advance(seconds)
        self.position += seconds

    def watch(self, seconds: float) -> list[StudyAnswer]:
        """Play with a beat every ten seconds and one at the end."""
        answers = []
        while seconds > 0:
            step = min(BEAT, seconds)
            self.play(step)
            answers.append(self.beat())
            seconds -= step
        return answers

    def watch_answering(self, seconds: float) -> None:
        """Play, and answer every question at once and rightly."""
        while seconds > 0:
            step = min(BEAT, seconds)
            answer = self.watch(step)[-1]
            if answer.prompt:
                self.answer_right()
            seconds -= step

    def close(self) -> None:
        close_session(
            person=self.person,
            login=self.login,
            beat=self._report(None, False),
            clock=self.clock,
        )

    def answer(self, option: str, prompt: Prompt | None = None) -> PromptAnswer:
        return answer_prompt(
            person=self.person,
            login=self.login,
            session=self.session,
            code=(prompt or self.prompt).code,
            option=option,
            clock=self.clock,
        )

    def answer_right(self) -> PromptAnswer:
        return self.answer(self.prompt.correct_option)

    def answer_wrong(self) -> PromptAnswer:
        return self.answer(wrong_option(self.prompt))

    @property
    def prompt(self) -> Prompt:
        prompt = find_open_prompt(self.person.pk)
        assert prompt is not None
        return prompt

    @property
    def person_clock(self) -> PersonClock:
        return PersonClock.objects.get(person=self.person)

    def progress(self, chapter: int = 0) -> ChapterProgress:
        return ChapterProgress.objects.get(
            enrolment=self.enrolment, chapter=self.chapters[chapter]
        )

    def earned_ms(self) -> int:
        """Credited and pending time of all chapters."""
        rows = ChapterProgress.objects.filter(enrolment__person=self.person)
        return sum(row.covered_ms + row.pending_ms for row in rows)

    def refused(self) -> dict[str, int]:
        """Refused milliseconds of the current session, by reason."""
        return read_refused_ms(self.session)

    def expect_prompt_after(self, seconds: float) -> None:
        """Set the credited time until the next question; the rules draw it at random."""
        PersonClock.objects.filter(person=self.person).update(
            until_prompt_ms=int(seconds * 1000)
        )
