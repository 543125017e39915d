"""Holidays and made-up weekends, which decide by when staff have promised to answer."""

from collections.abc import Mapping

from django.contrib import admin

from accounts.admin.base import AuditedAdmin
from accounts.models import CalendarDay


@admin.register(CalendarDay)
class CalendarDayAdmin(AuditedAdmin):
    list_display = ("date", "is_working", "source")
    list_filter = ("is_working",)
    date_hierarchy = "date"
    ordering = ("-date",)

    def describe_for_audit(self, obj: CalendarDay) -> Mapping[str, bool | list[str]]:
        """A day that was deleted is not to be found by its key any more."""
        return {"days": [str(obj)]}
