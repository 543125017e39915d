"""What the anti-idle questions are drawn from."""

from itertools import takewhile

from django.db.models import Exists, OuterRef, Q

from catalog.models import Chapter, Option, Question
from catalog.queries import find_caption_text, list_words_of_others
from learning.models import ChapterProgress, Prompt
from learning.rules.generated_prompts import Shown, Talk, find_just_played
from learning.rules.prompts import GENERATED_REST, PooledQuestion, QuestionText


def find_open_prompt(person_id: int) -> Prompt | None:
    """The question that waits for this person's answer."""
    return Prompt.objects.filter(person_id=person_id, closed_at__isnull=True).first()


def count_lost_in_a_row(person_id: int) -> int:
    """How many of the person's last two closed questions never arrived, the last one first."""
    closed = Prompt.objects.filter(person_id=person_id, closed_at__isnull=False)
    outcomes = closed.order_by("-closed_at", "-pk").values_list("outcome", flat=True)
    lost = takewhile(lambda each: each == Prompt.Outcome.UNDELIVERED, outcomes[:2])
    return len(list(lost))


def list_recent_stems(person_id: int) -> list[str]:
    """What the person was asked, the latest first, as far back as anybody looks."""
    recent = Prompt.objects.filter(person_id=person_id).order_by("-issued_at", "-pk")
    return list(recent.values_list("stem", flat=True)[:GENERATED_REST])


def read_question_pools(
    chapter: Chapter,
) -> tuple[list[PooledQuestion], list[PooledQuestion]]:
    """Questions about the chapter, and those about its course; one query.

    Only such as can be asked: with a right option and a wrong one.
    """
    options = Option.objects.filter(question=OuterRef("pk"))
    questions = (
        Question.objects.filter(
            Q(chapter=chapter) | Q(chapter__isnull=True),
            Exists(options.filter(is_correct=True)),
            Exists(options.filter(is_correct=False)),
            course=chapter.course_id,
            is_active=True,
        )
        .order_by("pk")
        .values_list("chapter_id", "pk", "stem", "shown_at_ms")
    )
    about_chapter: list[PooledQuestion] = []
    about_course: list[PooledQuestion] = []
    for chapter_id, question_id, stem, shown_at_ms in questions:
        pool = about_chapter if chapter_id else about_course
        pool.append(PooledQuestion(question_id, stem, shown_at_ms))
    return about_chapter, about_course


def find_question_text(question_id: int) -> QuestionText | None:
    """A question of a pool as it is put; None if staff have just taken it away."""
    question = Question.objects.filter(pk=question_id).first()
    if question is None:
        return None
    options = list(question.options.order_by("pk"))
    right = [option.text for option in options if option.is_correct]
    wrong = [option.text for option in options if not option.is_correct]
    if not right or not wrong:
        return None
    return QuestionText(question.stem, right[0], wrong, question.pk)


def read_shown(progress: ChapterProgress) -> Shown:
    """What the learner has just had before the eyes; three queries, for generated questions."""
    chapter = progress.chapter
    return Shown(
        chapter.course.title,
        chapter.title,
        _list_titles(chapter.course_id),
        find_just_played(progress.pending, progress.position_ms),
        _find_talk(chapter),
    )


def _find_talk(chapter: Chapter) -> Talk | None:
    captions = find_caption_text(chapter)
    if captions is None or not captions.words:
        return None
    return Talk(captions.text, captions.words, list_words_of_others(chapter))


def _list_titles(course_id: int) -> list[str]:
    chapters = Chapter.objects.filter(course_id=course_id).order_by("position")
    return list(chapters.values_list("title", flat=True))
