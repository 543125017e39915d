from random import Random

from hypothesis import given
from hypothesis import strategies as st

from learning.rules.prompts import (
    POOL_REST,
    PooledQuestion,
    QuestionText,
    Watched,
    choose_from_pools,
    draft_prompt,
    draw_prompt_delay_ms,
    rank_pools,
)

ABOUT_CHAPTER = PooledQuestion(1, "本章讲了什么？")
ABOUT_COURSE = PooledQuestion(2, "本课程讲了什么？")
AT_A_MINUTE = PooledQuestion(3, "刚才讲了什么？", 60_000)
QUESTION = QuestionText("本章讲了什么？", "岗位", ["天气", "菜谱"], 1)
seeds = st.integers(min_value=0, max_value=10_000)


@given(seeds)
def test_a_question_is_due_between_the_two_bounds(seed: int):
    delay = draw_prompt_delay_ms((240_000, 540_000), Random(seed))

    assert 240_000 <= delay <= 540_000


def test_what_was_just_shown_comes_before_the_chapter_and_the_course():
    watched = Watched(lately=[(50_000, 90_000)], before=[(0, 50_000)])

    pools = rank_pools([ABOUT_CHAPTER, AT_A_MINUTE], [ABOUT_COURSE], watched)

    assert pools == [[AT_A_MINUTE], [ABOUT_CHAPTER, AT_A_MINUTE], [ABOUT_COURSE]]


def test_a_moment_of_before_is_one_of_the_chapter():
    watched = Watched(lately=[(90_000, 120_000)], before=[(0, 90_000)])

    pools = rank_pools([AT_A_MINUTE], [], watched)

    assert pools == [[], [AT_A_MINUTE], []]


def test_what_is_still_to_come_is_not_asked():
    """The moment at the very end of what was watched is the next to be seen."""
    watched = Watched(lately=[(0, 60_000)], before=[])

    assert rank_pools([AT_A_MINUTE], [], watched) == [[], [], []]


def test_the_best_pool_is_asked_first():
    pools = ([AT_A_MINUTE], [ABOUT_CHAPTER], [ABOUT_COURSE])

    assert choose_from_pools(pools, [], Random(1)) == AT_A_MINUTE


def test_a_question_asked_lately_makes_room_for_the_next_pool():
    pools = ([ABOUT_CHAPTER], [ABOUT_COURSE])

    assert choose_from_pools(pools, [ABOUT_CHAPTER.stem], Random(1)) == ABOUT_COURSE


def test_a_question_rests_for_twenty_others():
    others = [f"题目{number}" for number in range(POOL_REST)]

    rested = choose_from_pools(
        [[ABOUT_CHAPTER]], [*others, ABOUT_CHAPTER.stem], Random(1)
    )
    tired = choose_from_pools(
        [[ABOUT_CHAPTER]], [*others[1:], ABOUT_CHAPTER.stem], Random(1)
    )

    assert rested == ABOUT_CHAPTER
    assert tired is None


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
    drafts = [draft_prompt(QUESTION, Random(seed)) for seed in range(50)]

    ids = [option for draft in drafts for option, _ in draft.options]
    places = {
        [option for option, _ in draft.options].index(draft.correct_option)
        for draft in drafts
    }
    assert len(set(ids)) == len(ids)
    assert places == {0, 1, 2}
