"""How the questions of the pools fare."""

from django.db.models import F, FloatField, QuerySet, Value
from django.db.models.functions import Cast, NullIf

from learning.models import QuestionTally


def list_tallies() -> QuerySet[QuestionTally]:
    """Tallies with `total`, and as fractions or None where nothing was counted
    `wrong_of_answered`, `expired_of_all`; `answer_average_ms` is a mean."""
    answered = F("right") + F("wrong")
    total = answered + F("expired")
    return QuestionTally.objects.annotate(
        total=total,
        wrong_of_answered=Cast("wrong", FloatField()) / NullIf(answered, Value(0)),
        expired_of_all=Cast("expired", FloatField()) / NullIf(total, Value(0)),
        answer_average_ms=Cast("answer_ms", FloatField()) / NullIf(answered, Value(0)),
    )
