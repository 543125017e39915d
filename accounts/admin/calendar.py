"""Holidays and made-up weekends, which decide by when staff have promised to answer."""

from django.contrib import admin

from accounts.admin.base import AuditedAdmin
from accounts.models import CalendarDay


@admin.register(CalendarDay)
class CalendarDayAdmin(AuditedAdmin):
    list_display = ("date", "is_working", "source")
    list_filter = ("is_working",)
    date_hierarchy = "date"
    ordering = ("-date",)
