"""Questions made where a pool has none: words just said, the order of chapters, sums.

Whoever has watched can answer them, and hardly one is put twice to a person.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from learning.rules.intervals import Interval
from learning.rules.prompts import (
    GENERATED_REST,
    OPTION_COUNT,
    QuestionText,
)

# What was said longer ago is not remembered by everybody who listened.
REMEMBERED_MS = 180_000
WORD_SHARE = 0.7
COURSE_SHARE = 0.5
_SUM_TRIES = 20


@dataclass(frozen=True)
class Talk:
    """What the captions say: of the chapter everything, of the course's others their words.

    `words` are those the chapter is about, each with the stretches in which it is said.
    """

    text: str
    words: Sequence[tuple[str, Sequence[Interval]]]
    words_of_others: Sequence[str]


@dataclass(frozen=True)
class Shown:
    """What the learner has had before the eyes: course, chapter, and what was just played.

    `titles` are the course's chapters in order; `just_played` is the stretch that ends where
    the learner is, None when it is not known; `talk` is None without captions.
    """

    course_title: str
    chapter_title: str
    titles: Sequence[str]
    just_played: Interval | None = None
    talk: Talk | None = field(default=None, repr=False)


def find_just_played(watched: Sequence[Interval], position_ms: int) -> Interval | None:
    """The end of the watched stretch in which the position lies; None if it lies in none."""
    for start, end in watched:
        if start < position_ms <= end:
            return max(start, position_ms - REMEMBERED_MS), position_ms
    return None


def generate_question(
    shown: Shown, recent_stems: Sequence[str], rng: Random
) -> QuestionText:
    """Make a question that was not put lately; a sum where the course gives none.

    `recent_stems` are what the person was asked, the latest first.
    """
    tired = set(recent_stems[:GENERATED_REST])
    word = _ask_word(shown, rng)
    if word and word.stem not in tired and rng.random() < WORD_SHARE:
        return word
    about_course = [
        question for question in _ask_titles(shown) if question.stem not in tired
    ]
    if about_course and rng.random() < COURSE_SHARE:
        return rng.choice(about_course)
    return _ask_fresh_sum(tired, rng)


def _ask_word(shown: Shown, rng: Random) -> QuestionText | None:
    """Which word was just said; the wrong ones are nowhere in the chapter, nor in its title."""
    if shown.talk is None or shown.just_played is None:
        return None
    first, last = shown.just_played
    said = [
        word
        for word, stretches in shown.talk.words
        # The title stands on the page: no need to have listened.
        if word not in shown.chapter_title
        and any(first <= start and end <= last for start, end in stretches)
    ]
    if not said:
        return None
    right = rng.choice(said)
    # Captions break their lines in the midst of words.
    text = "".join(shown.talk.text.split())
    wrong = [
        word
        for word in shown.talk.words_of_others
        if word not in text + shown.chapter_title
        and right not in word
        and word not in right
    ]
    if len(wrong) < OPTION_COUNT - 1:
        return None
    stem = (
        f"刚才 {_write_time(first)} 至 {_write_time(last)} 的讲解中出现了下列哪个词语？"
    )
    return QuestionText(stem, right, wrong)


def _write_time(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes:02}:{seconds:02}"


def _ask_titles(shown: Shown) -> list[QuestionText]:
    """The title that the video and the page show, and the order of the chapters.

    Wants three titles, and for their order that all of them differ.
    """
    titles = list(shown.titles)
    different = sorted(set(titles))
    if len(different) < 3:
        return []
    others = [title for title in different if title != shown.chapter_title]
    questions = [
        QuestionText(
            f"您正在学习的是《{shown.course_title}》的哪个章节？",
            shown.chapter_title,
            others,
        )
    ]
    if len(different) == len(titles):
        questions += _ask_order(shown.course_title, titles)
    return questions


def _ask_order(course_title: str, titles: Sequence[str]) -> list[QuestionText]:
    places = [f"第 {number} 个" for number in range(1, len(titles) + 1)]
    questions = []
    for number, title in enumerate(titles):
        rest = [*titles[:number], *titles[number + 1 :]]
        questions += [
            QuestionText(
                f"《{course_title}》的第 {number + 1} 个章节是？", title, rest
            ),
            QuestionText(
                f"“{title}”是本课程的第几个章节？",
                places[number],
                [*places[:number], *places[number + 1 :]],
            ),
        ]
    for before, after in pairwise(titles):
        rest = [title for title in titles if title not in (before, after)]
        if len(rest) > 1:
            questions.append(QuestionText(f"“{before}”的下一个章节是？", after, rest))
    return questions


def _ask_fresh_sum(tired: Collection[str], rng: Random) -> QuestionText:
    """There are thousands of sums: the second draw is nearly always a new one."""
    question = _ask_sum(rng)
    for _ in range(_SUM_TRIES):
        if question.stem not in tired:
            break
        question = _ask_sum(rng)
    return question


def _ask_sum(rng: Random) -> QuestionText:
    """A sum or a difference of two numbers of two digits: thousands of different stems."""
    first, second = rng.randint(21, 89), rng.randint(11, 89)
    if rng.random() < 0.5 and first > second:
        stem, right = f"{first} − {second} 等于多少？", first - second
    else:
        stem, right = f"{first} + {second} 等于多少？", first + second
    near = [right + step for step in (-10, -2, -1, 1, 2, 10) if right + step > 0]
    return QuestionText(stem, str(right), [str(number) for number in near])
