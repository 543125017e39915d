"""How the questions of the pools fare: the bad ones first."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin.base import ReadOnlyMixin
from learning.models import QuestionTally
from learning.queries.tallies import list_tallies


@admin.register(QuestionTally)
class QuestionTallyAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """A question that most people get wrong, or that takes long to read, wants mending."""

    list_display = [
        *("stem", "course", "chapter", "asked", "wrong_share", "expired_share"),
        "average_seconds",
    ]
    list_display_links = None
    list_filter = ["question__is_active", "question__course"]
    list_select_related = ["question__course", "question__chapter"]
    search_fields = ["question__stem", "question__course__title"]
    search_help_text = "按题干或课程查找"

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuestionTally]:
        return list_tallies()

    def get_ordering(self, request: HttpRequest) -> Any:
        # Not the attribute: checks know no column that is reckoned.
        return [F("wrong_of_answered").desc(nulls_last=True), "-right", "pk"]

    @admin.display(description="题干", ordering="question__stem")
    def stem(self, tally: QuestionTally) -> str:
        address = reverse("admin:catalog_question_change", args=[tally.pk])
        return format_html('<a href="{}">{}</a>', address, tally.question.stem)

    @admin.display(description="课程", ordering="question__course__title")
    def course(self, tally: QuestionTally) -> str:
        return tally.question.course.title

    @admin.display(description="章节", ordering="question__chapter__position")
    def chapter(self, tally: QuestionTally) -> str:
        return str(tally.question.chapter or "—")

    @admin.display(description="出题次数", ordering="total")
    def asked(self, tally: Any) -> int:
        return cast(int, tally.total)

    @admin.display(description="答错率", ordering="wrong_of_answered")
    def wrong_share(self, tally: Any) -> str:
        return show_share(tally.wrong_of_answered)

    @admin.display(description="超时率", ordering="expired_of_all")
    def expired_share(self, tally: Any) -> str:
        return show_share(tally.expired_of_all)

    @admin.display(description="平均答题用时", ordering="answer_average_ms")
    def average_seconds(self, tally: Any) -> str:
        average = tally.answer_average_ms
        return "—" if average is None else f"{average / 1000:.1f} 秒"


def show_share(share: float | None) -> str:
    """`12%`, or a dash where nothing was counted."""
    return "—" if share is None else f"{share:.0%}"
