"""Question pools as sheets see them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import F, QuerySet

from accounts.models import User
from catalog.models import Chapter, Course, Question, QuestionSheet
from catalog.rules.question_sheets import (
    CheckedQuestion,
    KnownChapter,
    KnownCourse,
    PoolQuestion,
    TypedQuestion,
    check_questions,
)


@dataclass(frozen=True)
class SheetCheck:
    """What importing a sheet would do: problems, and the good rows by their effect."""

    bad: list[CheckedQuestion]
    new: list[CheckedQuestion]
    changed: list[CheckedQuestion]
    same: list[CheckedQuestion]

    @property
    def useful_count(self) -> int:
        return len(self.new) + len(self.changed)


def find_question_sheet(person: User) -> QuestionSheet | None:
    """The sheet that this member of the staff has uploaded and not imported."""
    return QuestionSheet.objects.filter(uploaded_by=person).first()


def check_question_sheet(sheet: QuestionSheet) -> SheetCheck:
    """Check the sheet against the courses and pools of now; five queries."""
    typed = [TypedQuestion(line, cells) for line, cells in sheet.rows]
    courses = read_known_courses()
    rows = check_questions(typed, courses)
    named = {row.question.course_id for row in rows if row.question}
    before = {pooled.key: pooled for _, pooled in read_pool(named)}
    check = SheetCheck([], [], [], [])
    for row in rows:
        if row.question is None:
            check.bad.append(row)
        elif row.question.key not in before:
            check.new.append(row)
        elif row.question == before[row.question.key]:
            check.same.append(row)
        else:
            check.changed.append(row)
    return check


def read_known_courses() -> dict[str, KnownCourse]:
    """Every course by its code, with its chapters by position; two queries."""
    chapters: dict[int, dict[int, KnownChapter]] = {}
    rows = Chapter.objects.values_list(
        "course_id", "position", "pk", "video__duration_ms"
    )
    for course_id, position, pk, duration_ms in rows:
        known = KnownChapter(pk, duration_ms or 0)
        chapters.setdefault(course_id, {})[position] = known
    return {
        code: KnownCourse(pk, chapters.get(pk, {}))
        for pk, code in Course.objects.values_list("pk", "code")
    }


def read_pool(course_ids: Collection[int]) -> list[tuple[Question, PoolQuestion]]:
    """The questions of these courses as sheets see them; of two alike the older one last."""
    questions = Question.objects.filter(course__in=course_ids).order_by("-pk")
    return pair_with_pool(questions)


def pair_with_pool(
    questions: QuerySet[Question],
) -> list[tuple[Question, PoolQuestion]]:
    """Questions, each with what a sheet would say of it."""
    return [
        (question, _describe(question))
        for question in questions.prefetch_related("options")
    ]


def list_pool_rows(
    questions: QuerySet[Question],
) -> list[tuple[str, int | None, PoolQuestion]]:
    """Course code, chapter position and content, for the sheet of a pool."""
    ordered = questions.select_related("course", "chapter").order_by(
        "course__code", F("chapter__position").asc(nulls_last=True), "pk"
    )
    return [
        (
            question.course.code,
            question.chapter.position if question.chapter else None,
            pooled,
        )
        for question, pooled in pair_with_pool(ordered)
    ]


def list_courses_for_sheets() -> Iterable[Course]:
    """Courses by code with their chapters."""
    return Course.objects.prefetch_related("chapters").order_by("code")


def _describe(question: Question) -> PoolQuestion:
    options = sorted(question.options.all(), key=lambda option: option.pk)
    right = [option.text for option in options if option.is_correct]
    return PoolQuestion(
        course_id=question.course_id,
        chapter_id=question.chapter_id,
        shown_at_ms=question.shown_at_ms,
        stem=question.stem,
        right=right[0] if right else "",
        wrong=tuple(option.text for option in options if not option.is_correct),
        is_active=question.is_active,
    )
