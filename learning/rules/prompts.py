"""Anti-idle questions (防挂机答题): when one is due, which one, and how it is put.

Randomness is handed in, so tests can repeat it; the services hand in the system's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random

OPTION_ID_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
OPTION_ID_LENGTH = 8
OPTION_COUNT = 4


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
class ShownCourse:
    """What the learner has before the eyes: the chapter and its course's chapters in order."""

    chapter_title: str
    titles: Sequence[str]


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


def choose_question(
    pools: Sequence[Sequence[QuestionText]],
    shown: ShownCourse,
    recent_stems: Collection[str],
    rng: Random,
) -> QuestionText:
    """Take a question not asked lately from the first pool that has one, else generate one.

    The pools come best first: about this chapter, then about its course.
    """
    for pool in pools:
        fresh = [each for each in pool if each.stem not in recent_stems]
        if fresh:
            return rng.choice(fresh)
    return generate_question(shown, recent_stems, rng)


def generate_question(
    shown: ShownCourse, recent_stems: Collection[str], rng: Random
) -> QuestionText:
    """Make a question about the course shown; arithmetic where the course gives none."""
    about_course = [
        question
        for question in (_ask_shown_title(shown), *_ask_order(shown))
        if question is not None and question.stem not in recent_stems
    ]
    if about_course and rng.random() < 0.5:
        return rng.choice(about_course)
    return _ask_sum(rng)


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


def _ask_shown_title(shown: ShownCourse) -> QuestionText | None:
    """The title that the video and the page show; wants two others to tell it from."""
    others = sorted(set(shown.titles) - {shown.chapter_title})
    if len(others) < 2:
        return None
    return QuestionText("您正在学习的章节是？", shown.chapter_title, others)


def _ask_order(shown: ShownCourse) -> list[QuestionText]:
    """Which chapter is the n-th; wants three titles that differ."""
    if len(set(shown.titles)) < 3 or len(set(shown.titles)) < len(shown.titles):
        return []
    return [
        QuestionText(
            f"本课程的第 {number} 个章节是？",
            title,
            [other for other in shown.titles if other != title],
        )
        for number, title in enumerate(shown.titles, start=1)
    ]


def _ask_sum(rng: Random) -> QuestionText:
    """A sum or a difference of two numbers of two digits: thousands of different stems."""
    first, second = rng.randint(21, 89), rng.randint(11, 89)
    if rng.random() < 0.5 and first > second:
        stem, right = f"{first} − {second} 等于多少？", first - second
    else:
        stem, right = f"{first} + {second} 等于多少？", first + second
    near = [right + step for step in (-10, -2, -1, 1, 2, 10) if right + step > 0]
    return QuestionText(stem, str(right), [str(number) for number in near])
