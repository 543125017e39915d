"""Anti-idle questions (防挂机答题): when one is due, which one of a pool, and how it is put.

Randomness is handed in, so tests can repeat it; the services hand in the system's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from learning.rules.intervals import Interval

OPTION_ID_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
OPTION_ID_LENGTH = 8
OPTION_COUNT = 4
# A question of a pool comes back after so many others; a pool may be small. Generated ones
# are many, and come back much later.
POOL_REST = 20
GENERATED_REST = 200


@dataclass(frozen=True)
class QuestionText:
    """A question before it is put: one right answer and the wrong ones.

    `question_id` is the row of the pool it comes from, None for a generated one.
    """

    stem: str
    right: str
    wrong: Sequence[str]
    question_id: int | None = None


@dataclass(frozen=True)
class PooledQuestion:
    """What a question is chosen by: a pool may hold thousands, and one is put.

    What it asks about is on screen from `shown_at_ms` of its chapter on, if it says so.
    """

    question_id: int
    stem: str
    shown_at_ms: int | None = None


@dataclass(frozen=True)
class Watched:
    """What the learner has seen of the chapter: since the last right answer, and before."""

    lately: Sequence[Interval]
    before: Sequence[Interval]


@dataclass(frozen=True)
class PromptDraft:
    """A question as it is put once: options with ids made for this time only, shuffled."""

    stem: str
    options: list[tuple[str, str]]
    correct_option: str
    question_id: int | None


def draw_prompt_delay_ms(after_ms: tuple[int, int], rng: Random) -> int:
    """Credited milliseconds until the next question, uniform between the two bounds."""
    return rng.randint(*after_ms)


def rank_pools(
    about_chapter: Sequence[PooledQuestion],
    about_course: Sequence[PooledQuestion],
    watched: Watched,
) -> list[list[PooledQuestion]]:
    """The pools, best first: about what was just shown, about the chapter, about the course.

    A question about a moment that the learner has not seen yet is in none of them.
    """
    just_shown = [each for each in about_chapter if _was_shown(each, watched.lately)]
    seen = [*watched.lately, *watched.before]
    shown = [
        each
        for each in about_chapter
        if each.shown_at_ms is None or _was_shown(each, seen)
    ]
    return [just_shown, shown, list(about_course)]


def _was_shown(question: PooledQuestion, seen: Iterable[Interval]) -> bool:
    moment = question.shown_at_ms
    # At the end of what was seen the moment is still to come.
    return moment is not None and any(start <= moment < end for start, end in seen)


def choose_from_pools(
    pools: Sequence[Sequence[PooledQuestion]], recent_stems: Sequence[str], rng: Random
) -> PooledQuestion | None:
    """A question not asked lately from the first pool that has one.

    `recent_stems` are what the person was asked, the latest first.
    """
    tired = set(recent_stems[:POOL_REST])
    for pool in pools:
        fresh = [each for each in pool if each.stem not in tired]
        if fresh:
            return rng.choice(fresh)
    return None


def draft_prompt(question: QuestionText, rng: Random) -> PromptDraft:
    """Put a question: at most four options, each with an id of its own, in random order."""
    wrong = sorted(set(question.wrong) - {question.right})
    texts = [question.right, *rng.sample(wrong, min(len(wrong), OPTION_COUNT - 1))]
    ids = _draw_ids(len(texts), rng)
    options = list(zip(ids, texts, strict=True))
    rng.shuffle(options)
    return PromptDraft(question.stem, options, ids[0], question.question_id)


def _draw_ids(count: int, rng: Random) -> list[str]:
    ids: list[str] = []
    while len(ids) < count:
        drawn = "".join(rng.choices(OPTION_ID_LETTERS, k=OPTION_ID_LENGTH))
        if drawn not in ids:
            ids.append(drawn)
    return ids
