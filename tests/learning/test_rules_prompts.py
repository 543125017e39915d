from random import Random

from hypothesis import given
from hypothesis import strategies as st

from learning.rules.prompts import (
    QuestionText,
    ShownCourse,
    choose_question,
    draft_prompt,
    draw_prompt_delay_ms,
    generate_question,
)

ABOUT_CHAPTER = QuestionText("本章讲了什么？", "岗位", ["天气", "菜谱"], 1)
ABOUT_COURSE = QuestionText("本课程讲了什么？", "继续教育", ["体育", "音乐"], 2)
SHOWN = ShownCourse("第二讲", ["第一讲", "第二讲", "第三讲"])
seeds = st.integers(min_value=0, max_value=10_000)


@given(seeds)
def test_a_question_is_due_between_the_two_bounds(seed: int):
    delay = draw_prompt_delay_ms((240_000, 540_000), Random(seed))

    assert 240_000 <= delay <= 540_000


def test_questions_about_the_chapter_come_first():
    pools = ([ABOUT_CHAPTER], [ABOUT_COURSE])

    assert choose_question(pools, SHOWN, set(), Random(1)) == ABOUT_CHAPTER


def test_a_question_asked_lately_makes_room_for_the_next_pool():
    recent = {ABOUT_CHAPTER.stem}
    pools = ([ABOUT_CHAPTER], [ABOUT_COURSE])

    assert choose_question(pools, SHOWN, recent, Random(1)) == ABOUT_COURSE


@given(seeds)
def test_without_a_fresh_pool_a_question_is_generated(seed: int):
    recent = {ABOUT_CHAPTER.stem, ABOUT_COURSE.stem}
    pools = ([ABOUT_CHAPTER], [ABOUT_COURSE])

    question = choose_question(pools, SHOWN, recent, Random(seed))

    assert question.question_id is None
    assert question.stem not in recent
    assert question.right not in question.wrong
    assert len(set(question.wrong)) >= 2


def test_generated_questions_are_of_every_kind():
    stems = {generate_question(SHOWN, set(), Random(seed)).stem for seed in range(300)}

    assert {"您正在学习的章节是？", "本课程的第 1 个章节是？"} <= stems
    assert any("+" in stem for stem in stems)
    assert any("−" in stem for stem in stems)


def test_generated_answers_are_right():
    for seed in range(300):
        question = generate_question(SHOWN, set(), Random(seed))
        if question.stem == "您正在学习的章节是？":
            assert question.right == "第二讲"
        elif "章节" in question.stem:
            number = int(question.stem.split(" ")[1])
            assert question.right == SHOWN.titles[number - 1]
        else:
            first, sign, second, *_ = question.stem.split(" ")
            result = int(first) + (int(second) if sign == "+" else -int(second))
            assert int(question.right) == result


def test_a_course_of_one_chapter_gives_arithmetic():
    shown = ShownCourse("唯一一讲", ["唯一一讲"])
    stems = [generate_question(shown, set(), Random(seed)).stem for seed in range(100)]

    assert all("等于多少" in stem for stem in stems)
    # Identical stems are rare: the numbers give thousands of them.
    assert len(set(stems)) > 90


@given(seeds, st.lists(st.text(min_size=1), min_size=1, max_size=9, unique=True))
def test_a_draft_holds_the_right_answer_once(seed: int, wrong: list[str]):
    question = QuestionText("题目", "对", wrong, 7)

    draft = draft_prompt(question, Random(seed))

    texts = dict(draft.options)
    assert texts[draft.correct_option] == "对"
    assert list(texts.values()).count("对") == 1
    assert len(texts) == len(draft.options) == min(4, 1 + len(set(wrong) - {"对"}))
    assert set(texts.values()) <= {"对", *wrong}
    assert draft.question_id == 7


def test_ids_and_order_differ_at_every_issue():
    """I7: neither an option's id nor its place tells which is right."""
    drafts = [draft_prompt(ABOUT_CHAPTER, Random(seed)) for seed in range(50)]

    ids = [option for draft in drafts for option, _ in draft.options]
    places = {
        [option for option, _ in draft.options].index(draft.correct_option)
        for draft in drafts
    }
    assert len(set(ids)) == len(ids)
    assert places == {0, 1, 2}
