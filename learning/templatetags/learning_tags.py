"""Filters of the pages about learning time."""

from datetime import date, datetime

from django import template
from django.utils import timezone

from learning.models import StudyFlag
from learning.rules.durations import show_time
from learning.rules.flags import show_facts

register = template.Library()
register.filter("play_time", show_time)


@register.filter
def time_on(moment: datetime, day: date) -> str:
    """The time of a moment; with its date where that is another than the day at hand."""
    local = timezone.localtime(moment)
    there = timezone.localtime(day).date() if isinstance(day, datetime) else day
    return f"{local:%H:%M:%S}" if local.date() == there else f"{local:%m-%d %H:%M:%S}"


@register.filter
def flag_facts(flag: StudyFlag) -> str:
    """The figures that a flag rests on, in words for staff."""
    return show_facts(flag.kind, flag.facts)
