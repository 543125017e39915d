"""How questions fare, for staff."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from catalog.models import Question
from learning.models import Prompt, QuestionTally
from tests.factories.accounts import UserFactory
from tests.factories.catalog import QuestionFactory
from tests.learning.learner import Learner

pytestmark = pytest.mark.django_db
PAGE = "admin:learning_questiontally_changelist"


@pytest.fixture
def asked(learner: Learner) -> Learner:
    learner.expect_prompt_after(10)
    learner.watch(10)
    return learner


def sums(prompt: Prompt) -> tuple[int, ...]:
    tally = QuestionTally.objects.get(question=prompt.question)
    return tally.right, tally.wrong, tally.expired, tally.answer_ms


def test_answers_are_counted_with_their_time(asked: Learner):
    first = asked.prompt
    asked.clock.advance(7)
    asked.answer_wrong()
    second = asked.prompt
    asked.clock.advance(4)
    asked.answer_right()

    assert sums(first) == (0, 1, 0, 7_000)
    assert sums(second) == (1, 0, 0, 4_000)


def test_a_question_put_again_adds_to_its_sums(asked: Learner):
    Question.objects.exclude(pk=asked.prompt.question_id).delete()
    prompt = asked.prompt
    asked.clock.advance(5)
    asked.answer_right()
    # As if twenty others had been put meanwhile.
    Prompt.objects.update(stem="another")
    asked.expect_prompt_after(10)
    asked.watch(10)
    asked.clock.advance(9)
    asked.answer_right()

    assert sums(prompt) == (2, 0, 0, 14_000)


def test_a_repeated_answer_counts_once(asked: Learner):
    prompt = asked.prompt
    asked.answer_right()

    asked.answer(prompt.correct_option, prompt)

    assert sums(prompt) == (1, 0, 0, 0)


def test_a_missed_deadline_adds_no_time(asked: Learner):
    prompt = asked.prompt
    asked.watch(80)

    assert sums(prompt) == (0, 0, 1, 0)


def test_what_never_arrived_and_what_was_generated_is_not_counted(asked: Learner):
    lost = asked.prompt
    Question.objects.all().delete()
    lost.refresh_from_db()
    asked.play(300)
    asked.beat()
    asked.answer_right()

    assert not QuestionTally.objects.exists()


def test_the_list_shows_the_worst_question_first(
    client_of: Any, staff: Any, django_assert_max_num_queries: Any
):
    for stem, right, wrong, expired, answer_ms in (
        ("人人会的题", 99, 1, 0, 800_000),
        ("有歧义的题", 30, 70, 100, 1_250_000),
        ("无人答的题", 0, 0, 5, 0),
    ):
        QuestionTally.objects.create(
            question=QuestionFactory(stem=stem),
            right=right,
            wrong=wrong,
            expired=expired,
            answer_ms=answer_ms,
        )
    client: Client = client_of(staff)

    with django_assert_max_num_queries(20):
        page = client.get(reverse(PAGE), {"o": "-5"}).content.decode()

    rows = [row.split("</tr>")[0] for row in page.split('class="field-stem"')[1:]]
    by_stem = {row.split("</a>")[0].rpartition(">")[2]: row for row in rows}
    for text in ("200", "70%", "50%", "12.5 秒"):
        assert f">{text}<" in by_stem["有歧义的题"]
    for text in ("100", "1%", "0%", "8.0 秒"):
        assert f">{text}<" in by_stem["人人会的题"]
    assert ">—<" in by_stem["无人答的题"]
    assert list(by_stem).index("有歧义的题") < list(by_stem).index("人人会的题")


def test_the_list_is_for_whoever_may_see_the_questions(client_of: Any):
    clerk = UserFactory(is_staff=True)
    client: Client = client_of(clerk)
    assert client.get(reverse(PAGE)).status_code == 403

    clerk.user_permissions.add(Permission.objects.get(codename="view_questiontally"))

    assert client.get(reverse(PAGE)).status_code == 200
