"""学习记录: a learner's stretches, those that counted and those that did not."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, F, QuerySet, Value, When

from accounts.models import User
from catalog.models import Chapter
from learning.models import Appeal, CreditDecision, CreditedTime, RefusedTime

CREDITED, REFUSED = "credited", "refused"
Decided = CreditDecision.Kind
# In the order of the fields of `RecordRow`.
COLUMNS = ("kind", "pk", "why", "milliseconds", "first_at", "last_at", "chapter_id")


@dataclass(frozen=True)
class RecordRow:
    """A stretch, or what staff took back: `kind` is `credited`, `refused` or that of a decision.

    What an appeal added is a credited stretch of the decision's kind. `why` is the reason of a
    refused stretch, or the words of a decision.
    """

    kind: str
    pk: int
    why: str
    milliseconds: int
    first_at: datetime
    last_at: datetime
    chapter_id: int


@dataclass(frozen=True)
class StudyRecord:
    """A row with its chapter and, for a refused one, the appeal against it."""

    row: RecordRow
    chapter: Chapter
    appeal: Appeal | None

    @property
    def is_refused(self) -> bool:
        return self.row.kind == REFUSED

    @property
    def label(self) -> str:
        """What happened, in words."""
        if self.row.kind == CREDITED:
            return "已计入"
        if self.is_refused:
            return str(RefusedTime.Reason(self.row.why).label)
        return str(Decided(self.row.kind).label)


def list_record_rows(person: User, plan_code: str) -> QuerySet[Any, tuple[Any, ...]]:
    """Rows for `RecordRow`, newest first; of one plan, or of all where the code is empty."""
    own: dict[str, Any] = {"enrolment__person": person}
    if plan_code:
        own["enrolment__plan__code"] = plan_code
    credited = CreditedTime.objects.filter(**own).annotate(
        kind=Case(
            When(session="", then=Value(Decided.ADDED)),
            default=Value(CREDITED),
            output_field=CharField(),
        ),
        why=Value("", CharField()),
    )
    refused = RefusedTime.objects.filter(**own).annotate(
        kind=Value(REFUSED, CharField()), why=F("reason")
    )
    removed = CreditDecision.objects.filter(kind=Decided.REMOVED, **own).annotate(
        why=F("reason"), first_at=F("at"), last_at=F("at")
    )
    rows = credited.values_list(*COLUMNS).union(
        refused.values_list(*COLUMNS), removed.values_list(*COLUMNS), all=True
    )
    return rows.order_by("-last_at", "kind", "-pk")


def describe_rows(rows: list[RecordRow]) -> list[StudyRecord]:
    """The rows of a page with what they refer to; two queries."""
    chapters = Chapter.objects.select_related("course").in_bulk(
        {row.chapter_id for row in rows}
    )
    refused = [row.pk for row in rows if row.kind == REFUSED]
    appeals = {
        appeal.stretch_id: appeal
        for appeal in Appeal.objects.filter(stretch__in=refused)
    }
    return [
        StudyRecord(
            row,
            chapters[row.chapter_id],
            appeals.get(row.pk) if row.kind == REFUSED else None,
        )
        for row in rows
    ]
