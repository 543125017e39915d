"""What is asked: about what was just shown, then the chapter, the course, else made up."""

from datetime import date
from random import Random
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from catalog.models import Option, Plan, Question
from catalog.services import read_captions
from learning.models import Prompt
from learning.queries import find_question_text, read_question_pools
from learning.rules.prompts import PooledQuestion
from learning.services import prompts
from tests.factories.catalog import QuestionFactory
from tests.factories.talks import NETWORK, SOIL, make_captions
from tests.learning.learner import Learner


def ask(learner: Learner, seconds: int = 60) -> Prompt:
    learner.expect_prompt_after(seconds)
    learner.watch(seconds)
    return learner.prompt


def add_question(learner: Learner, shown_at: int) -> Question:
    chapter = learner.chapters[0]
    return QuestionFactory(
        course=chapter.course, chapter=chapter, shown_at_ms=shown_at * 1000
    )


def test_what_was_just_shown_is_asked_first(learner: Learner):
    for moment in (10, 130, 599):
        add_question(learner, moment)

    assert ask(learner).question.shown_at_ms == 10_000
    learner.answer_right()
    assert ask(learner).question.shown_at_ms is None
    learner.answer_right()
    assert ask(learner).question.shown_at_ms == 130_000


def test_what_was_shown_before_the_last_answer_is_asked_with_the_chapter(
    learner: Learner,
):
    Question.objects.all().delete()
    ask(learner)
    learner.answer_right()
    add_question(learner, 10)

    assert ask(learner).question.shown_at_ms == 10_000


def test_what_is_still_to_come_is_never_asked(learner: Learner):
    Question.objects.all().delete()
    add_question(learner, 61)

    assert ask(learner).question is None


def test_of_a_large_pool_one_question_is_read_whole(
    learner: Learner, django_assert_num_queries
):
    for moment in range(1, 40):
        add_question(learner, moment)
    learner.expect_prompt_after(60)
    learner.watch(60)
    chapter = learner.chapters[0]

    with django_assert_num_queries(1):
        about_chapter, _ = read_question_pools(chapter)
    with django_assert_num_queries(2):
        text = find_question_text(about_chapter[-1].question_id)

    assert len(about_chapter) >= 39
    assert text is not None
    assert (text.stem, text.question_id) == (
        about_chapter[-1].stem,
        about_chapter[-1].question_id,
    )


def test_a_question_that_goes_while_it_is_chosen_makes_room_for_a_made_one(
    learner: Learner, monkeypatch
):
    gone = PooledQuestion(0, "已删除的题目")
    monkeypatch.setattr(prompts, "read_question_pools", lambda _: ([gone], []))

    assert ask(learner).question is None


def test_a_question_with_right_options_alone_is_not_asked(learner: Learner):
    Option.objects.update(is_correct=True)

    assert ask(learner).question is None


def test_a_question_that_was_switched_off_is_not_asked(learner: Learner):
    Question.objects.update(is_active=False)

    assert ask(learner).question is None


def test_a_wrong_answer_brings_another_question_about_what_was_shown(learner: Learner):
    for moment in (10, 20, 30):
        add_question(learner, moment)
    ask(learner)

    learner.answer_wrong()
    learner.answer_wrong()

    moments = [prompt.question.shown_at_ms for prompt in Prompt.objects.all()]
    assert sorted(moments) == [10_000, 20_000, 30_000]


@pytest.fixture
def captioned(learner: Learner, now: Any) -> Learner:
    """The learner with an empty pool, and captions of both chapters."""
    Question.objects.all().delete()
    for chapter, talk in zip(learner.chapters, (NETWORK, SOIL), strict=True):
        file = ContentFile(make_captions(talk).encode())
        chapter.video.captions.save("talk.vtt", file)
        read_captions(video_id=chapter.video_id, now=now)
    return learner


def test_an_empty_pool_asks_for_a_word_that_was_just_said(
    captioned: Learner, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(prompts, "RANDOM", Random(1))

    prompt = ask(captioned)

    assert prompt.stem == "刚才 00:00 至 01:00 的讲解中出现了下列哪个词语？"
    texts = dict(prompt.options)
    right = texts.pop(prompt.correct_option)
    assert right in "\n".join(NETWORK.splitlines()[:10])
    assert len(texts) == 3
    assert not any(text in NETWORK for text in texts.values())
    assert all(text in SOIL for text in texts.values())


def test_after_a_loss_there_is_nothing_just_played_to_ask_about(
    captioned: Learner, monkeypatch: pytest.MonkeyPatch
):
    """The pending time is gone, and with it what the next question could be about."""
    monkeypatch.setattr(prompts, "RANDOM", Random(1))
    missed = ask(captioned)

    captioned.watch(80)

    assert captioned.prompt.pk != missed.pk
    assert "词语" not in captioned.prompt.stem


def test_captions_are_not_read_for_a_question_of_a_pool(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delattr(prompts, "read_shown")

    assert ask(learner).question is not None


# --- I7: no response carries the key ---------------------------------------------------------
def find_keys(value: Any) -> set[str]:
    """Every name in a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(find_keys, value.values()))
    if isinstance(value, list):
        return set().union(*map(find_keys, value))
    return set()


def test_no_response_carries_the_key(learner: Learner, client_of: Any):
    """I7: of a question, an answer has what is shown and nothing else, at every door."""
    client: Client = client_of(learner.person)
    Plan.objects.update(training_end=date(2999, 12, 31))
    chapter = learner.chapters[0]
    names = {
        "plan": learner.enrolment.plan.code,
        "course": chapter.course.code,
        "chapter": chapter.position,
    }

    def post(name: str, **data: Any) -> Any:
        response = client.post(
            reverse(f"learning:{name}"), data, content_type="application/json"
        )
        assert response.status_code == 200
        return response.json()

    opened = post("session-open", **names, position_ms=0)
    learner.expect_prompt_after(0)
    beat = {"session": opened["session"], "position_ms": 0, "playing": True}
    answers = [post("beat", **beat, sequence=1, hidden=False)]
    for _ in range(2):
        prompt = learner.prompt
        answers.append(
            post(
                "prompt-answer",
                session=opened["session"],
                prompt=prompt.code,
                option=next(
                    code for code, _ in prompt.options if code != prompt.correct_option
                ),
            )
        )
    answers.append(post("session-open", **names))

    assert [answer["prompt"]["try"] for answer in answers] == [1, 2, 3, 3]
    for answer in answers:
        assert set(answer["prompt"]) == {
            *("code", "stem", "options", "seconds_left", "seconds_given"),
            *("try", "tries"),
        }
        assert {frozenset(option) for option in answer["prompt"]["options"]} == {
            frozenset({"id", "text"})
        }
        assert not {"correct_option", "question", "question_id"} & find_keys(answer)
    page = client.get(
        reverse("learning:player", args=[names["plan"], names["course"]])
    ).content.decode()
    assert learner.prompt.correct_option not in page
