"""Questions made where a pool has none."""

import re
from dataclasses import replace
from random import Random

import pytest

from learning.rules.generated_prompts import (
    REMEMBERED_MS,
    Shown,
    Talk,
    find_just_played,
    generate_question,
)
from learning.rules.prompts import QuestionText
from portal.lib.chinese_terms import find_terms
from tests.factories.talks import DUTY, NETWORK, SECONDS_A_SENTENCE, SOIL

COURSE = Shown("继续教育", "第二讲", ["第一讲", "第二讲", "第三讲", "第四讲"])
LAST_MINUTE = (24_000, 84_000)


def make_talk(talk: str, *others: str) -> Talk:
    """A talk with a sentence every six seconds, as its captions are kept."""
    step = SECONDS_A_SENTENCE * 1000
    return Talk(
        talk,
        [
            (term.text, [(at * step, (at + 1) * step) for at in term.places])
            for term in find_terms(talk.splitlines())
        ],
        [term.text for other in others for term in find_terms(other.splitlines())],
    )


SPOKEN = replace(COURSE, just_played=LAST_MINUTE, talk=make_talk(NETWORK, DUTY, SOIL))


def generate(shown: Shown, count: int) -> list[QuestionText]:
    """The questions of one person, one after another."""
    rng = Random(2026)
    recent: list[str] = []
    made = []
    for _ in range(count):
        made.append(generate_question(shown, recent, rng))
        recent.insert(0, made[-1].stem)
    return made


def ask_words(shown: Shown) -> list[QuestionText]:
    made = (generate_question(shown, [], Random(seed)) for seed in range(40))
    return [question for question in made if "词语" in question.stem]


# --- Words -----------------------------------------------------------------------------------
def test_a_word_that_was_just_said_is_asked_among_words_that_were_not():
    questions = ask_words(SPOKEN)

    assert len(questions) > 20
    said = "\n".join(NETWORK.splitlines()[4:14])
    assert {question.stem for question in questions} == {
        "刚才 00:24 至 01:24 的讲解中出现了下列哪个词语？"
    }
    for question in questions:
        assert question.right in said
        assert len(question.wrong) >= 3
        assert not any(word in NETWORK for word in question.wrong)


def test_only_words_of_the_stretch_are_right():
    shown = replace(SPOKEN, just_played=(0, 18_000))

    assert {question.right for question in ask_words(shown)} <= {
        *("口令", "泄露", "数据泄露")
    }


@pytest.mark.parametrize(
    "shown",
    [
        COURSE,
        replace(SPOKEN, just_played=None),
        # A second: no sentence was heard to its end.
        replace(SPOKEN, just_played=(60_000, 61_000)),
        # Nothing to tell the words from.
        replace(SPOKEN, talk=make_talk(NETWORK)),
        replace(SPOKEN, talk=make_talk(NETWORK, NETWORK)),
    ],
)
def test_without_good_words_something_else_is_asked(shown: Shown):
    assert ask_words(shown) == []


def test_a_word_of_the_title_is_no_question():
    shown = replace(
        SPOKEN, chapter_title="撞库、口令与数据泄露", just_played=(0, 30_000)
    )

    assert {question.right for question in ask_words(shown)} == {"双因素认证"}


def test_a_wrong_word_neither_holds_the_right_one_nor_is_part_of_it():
    talk = Talk(
        "甲乙丙", [("甲乙", [(0, 9)])], ["甲乙丁", "乙", "天干", "地支", "五行"]
    )
    shown = replace(COURSE, just_played=(0, 9), talk=talk)

    assert {tuple(question.wrong) for question in ask_words(shown)} == {
        ("天干", "地支", "五行")
    }


def test_a_word_that_a_line_breaks_or_the_title_names_is_not_offered_as_wrong():
    talk = Talk(
        "甲乙说的是天\n干，还有地 支",
        [("甲乙", [(0, 9)])],
        ["天干", "地支", "标题", "生肖", "五行", "八卦"],
    )
    shown = replace(COURSE, chapter_title="论标题", just_played=(0, 9), talk=talk)

    assert {tuple(question.wrong) for question in ask_words(shown)} == {
        ("生肖", "五行", "八卦")
    }


@pytest.mark.parametrize(
    ("watched", "position_ms", "stretch"),
    [
        ([[0, 60_000]], 60_000, (0, 60_000)),
        ([[0, 400_000]], 300_000, (300_000 - REMEMBERED_MS, 300_000)),
        ([[0, 60_000], [90_000, 120_000]], 110_000, (90_000, 110_000)),
        ([[0, 60_000]], 70_000, None),
        ([], 0, None),
    ],
)
def test_what_was_just_played_ends_where_the_learner_is(watched, position_ms, stretch):
    assert find_just_played(watched, position_ms) == stretch


# --- Titles and sums -------------------------------------------------------------------------
def test_generated_questions_are_of_every_kind():
    stems = [question.stem for question in generate(COURSE, 200)]

    assert "您正在学习的是《继续教育》的哪个章节？" in stems
    assert "《继续教育》的第 1 个章节是？" in stems
    assert "“第一讲”是本课程的第几个章节？" in stems
    assert "“第三讲”的下一个章节是？" in stems
    assert any("+" in stem for stem in stems)
    assert any("−" in stem for stem in stems)


def answer(stem: str) -> str:
    """What somebody who knows the course, and can reckon, would say."""
    titles = COURSE.titles
    if "您正在学习" in stem:
        return COURSE.chapter_title
    if found := re.search(r"第 (\d) 个章节是", stem):
        return titles[int(found[1]) - 1]
    if found := re.search("“(.+)”是本课程的第几个", stem):
        return f"第 {titles.index(found[1]) + 1} 个"
    if found := re.search("“(.+)”的下一个章节", stem):
        return titles[titles.index(found[1]) + 1]
    first, sign, second, *_ = stem.split(" ")
    return str(int(first) + (int(second) if sign == "+" else -int(second)))


def test_generated_answers_are_right_and_the_others_wrong():
    for question in generate(COURSE, 300):
        assert question.right == answer(question.stem)
        assert question.right not in question.wrong
        assert len(set(question.wrong)) >= 2
        assert question.question_id is None


@pytest.mark.parametrize("titles", [["唯一一讲"], ["第一讲", "第二讲"]])
def test_a_short_course_gives_sums(titles: list[str]):
    shown = replace(COURSE, titles=titles, chapter_title=titles[0])

    assert all("等于多少" in question.stem for question in generate(shown, 50))


def test_chapters_of_the_same_title_have_no_order():
    titles = ["导论", "练习", "练习", "总结"]
    shown = replace(COURSE, titles=titles, chapter_title="导论")

    stems = {question.stem for question in generate(shown, 100)}

    assert not any("第" in stem or "下一个" in stem for stem in stems)


@pytest.mark.parametrize("shown", [COURSE, SPOKEN, replace(COURSE, titles=[])])
def test_identical_stems_are_rare(shown: Shown):
    """Two hundred questions of one person with an empty pool: none twice. A year of ninety
    hours brings about 830: of those, fewer than one in ten was put before."""
    stems = [question.stem for question in generate(shown, 830)]

    assert len(set(stems[:200])) == 200
    assert len(set(stems)) > 0.9 * len(stems)
