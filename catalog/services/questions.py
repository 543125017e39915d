"""Importing question pools by sheet: upload, look, confirm."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record_audit
from catalog import locks
from catalog.errors import QuestionSheetError
from catalog.models import Option, Question, QuestionSheet
from catalog.queries.questions import check_question_sheet, read_pool
from catalog.rules.question_sheets import (
    COURSE,
    MOST_ROWS,
    CheckedQuestion,
    PoolQuestion,
    find_questions,
)
from portal.lib.codes import random_code
from portal.lib.sheet_reading import SheetRefusedError, read_sheet

# An UPDATE grows with the square of what it names.
ROWS_AT_ONCE = 200


@dataclass(frozen=True)
class ImportCounts:
    """How many questions an import made, changed, found as they were, and left out."""

    created: int
    updated: int
    unchanged: int
    refused: int


def upload_question_sheet(
    *, content: bytes, actor: User, now: datetime
) -> QuestionSheet:
    """Keep a sheet for its uploader to look at; an earlier one that waits is replaced.

    Raises QuestionSheetError for a file that is no sheet of questions.
    """
    try:
        rows = find_questions(read_sheet(content, max_rows=MOST_ROWS))
    except SheetRefusedError as error:
        raise QuestionSheetError(str(error)) from error
    sheet, _ = QuestionSheet.objects.update_or_create(
        uploaded_by=actor,
        defaults={
            "code": random_code(),
            "uploaded_at": now,
            "rows": [(row.line, dict(row.cells)) for row in rows],
        },
    )
    return sheet


def drop_question_sheet(*, code: str, actor: User) -> None:
    """Forget an uploaded sheet without importing anything."""
    QuestionSheet.objects.filter(uploaded_by=actor, code=code).delete()


@transaction.atomic
def import_question_sheet(*, code: str, actor: User, now: datetime) -> ImportCounts:
    """Put the good rows of an uploaded sheet into the pools; once.

    A question is found again by course, chapter and stem, and then updated. Raises
    QuestionSheetError when the sheet was imported, dropped or replaced meanwhile.
    """
    sheet = locks.find_locked_sheet(actor.pk, code)
    if sheet is None:
        raise QuestionSheetError("这份题目表已经导入、放弃或被新的替代，请重新上传。")
    # Two imports into one course queue here: both would create the same question.
    locks.lock_courses({cells[COURSE] for _, cells in sheet.rows})
    check = check_question_sheet(sheet)
    new, changed = _questions_of(check.new), _questions_of(check.changed)
    _create(new)
    before = {
        pooled.key: question
        for question, pooled in read_pool({row.course_id for row in changed})
    }
    _update([(before[wanted.key], wanted) for wanted in changed])
    sheet.delete()
    counts = ImportCounts(len(new), len(changed), len(check.same), len(check.bad))
    record_audit(
        action="catalog.questions_imported",
        target=f"question_sheet:{code}",
        actor=actor,
        now=now,
        detail=dict(vars(counts)),
    )
    return counts


def _questions_of(rows: list[CheckedQuestion]) -> list[PoolQuestion]:
    return [row.question for row in rows if row.question]


def _create(rows: list[PoolQuestion]) -> None:
    questions = Question.objects.bulk_create(
        Question(
            course_id=row.course_id,
            chapter_id=row.chapter_id,
            shown_at_ms=row.shown_at_ms,
            stem=row.stem,
            is_active=row.is_active,
        )
        for row in rows
    )
    _write_options(zip(questions, rows, strict=True))


def _update(pairs: list[tuple[Question, PoolQuestion]]) -> None:
    questions = []
    for question, wanted in pairs:
        question.shown_at_ms = wanted.shown_at_ms
        question.is_active = wanted.is_active
        questions.append(question)
    Question.objects.bulk_update(
        questions, ["shown_at_ms", "is_active"], batch_size=ROWS_AT_ONCE
    )
    Option.objects.filter(question__in=questions).delete()
    _write_options(pairs)


def _write_options(pairs: Iterable[tuple[Question, PoolQuestion]]) -> None:
    Option.objects.bulk_create(
        Option(question=question, text=text, is_correct=number == 0)
        for question, wanted in pairs
        for number, text in enumerate([wanted.right, *wanted.wrong])
    )
