"""Play sessions, the questions put in them, and the time that did not count."""

from django.contrib import admin

from accounts.admin.base import ReadOnlyMixin
from learning.models import (
    PlaySession,
    Prompt,
    RefusedTime,
)
from learning.rules.durations import show_time


@admin.register(PlaySession)
class PlaySessionAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ["person", "chapter", "opened_at", "ended_at", "end", "credited"]
    list_filter = ["end", "opened_at"]
    list_select_related = ["person", "chapter"]
    search_fields = ["person__name", "person__username", "code__exact"]
    search_help_text = "按姓名、用户名或会话编号查找"
    show_full_result_count = False
    ordering = ["-pk"]
    fields = [
        ("person", "enrolment"),
        ("chapter", "code"),
        ("opened_at", "ended_at"),
        ("end", "credited"),
    ]

    @admin.display(description="本次计入", ordering="credited_ms")
    def credited(self, session: PlaySession) -> str:
        return show_time(session.credited_ms)


@admin.register(Prompt)
class PromptAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ["person", "stem", "issued_at", "try_number", "outcome", "dropped"]
    list_filter = ["outcome", "issued_at"]
    list_select_related = ["person"]
    search_fields = ["person__name", "person__username", "stem"]
    search_help_text = "按姓名、用户名或题干查找"
    show_full_result_count = False
    ordering = ["-pk"]
    fields = [
        ("person", "enrolment", "chapter"),
        "stem",
        "option_texts",
        ("issued_at", "delivered_at", "deadline_at"),
        ("closed_at", "outcome"),
        ("try_number", "dropped"),
    ]
    readonly_fields = ["option_texts"]

    @admin.display(description="选项")
    def option_texts(self, prompt: Prompt) -> str:
        return "；".join(
            f"{text}（正确）" if code == prompt.correct_option else text
            for code, text in prompt.options
        )

    @admin.display(description="未计入", ordering="dropped_ms")
    def dropped(self, prompt: Prompt) -> str:
        return show_time(prompt.dropped_ms)


@admin.register(RefusedTime)
class RefusedTimeAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ["person", "reason", "time", "chapter", "first_at", "last_at"]
    list_filter = ["reason", "last_at"]
    list_select_related = ["enrolment__person", "chapter"]
    search_fields = [
        "enrolment__person__name",
        "enrolment__person__username",
        "session__exact",
    ]
    search_help_text = "按姓名、用户名或会话编号查找"
    show_full_result_count = False
    ordering = ["-pk"]
    fields = [
        ("enrolment", "chapter"),
        ("reason", "time"),
        ("first_at", "last_at"),
        "session",
    ]

    @admin.display(description="学员", ordering="enrolment__person__name")
    def person(self, row: RefusedTime) -> str:
        return row.enrolment.person.name

    @admin.display(description="时长", ordering="milliseconds")
    def time(self, row: RefusedTime) -> str:
        return show_time(row.milliseconds)
