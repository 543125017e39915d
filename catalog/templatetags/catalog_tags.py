"""Filters of the catalogue's pages."""

from collections.abc import Container

from django import template

register = template.Library()


@register.filter
def duration(milliseconds: int | None) -> str:
    """Return a playing time in words: `1 小时 5 分`, `12 分 30 秒`, `28 秒`."""
    seconds = -(-(milliseconds or 0) // 1000)
    minutes, rest = divmod(seconds, 60)
    if minutes >= 60:
        hours, minutes = divmod(minutes, 60)
        return f"{hours} 小时 {minutes} 分" if minutes else f"{hours} 小时"
    if minutes:
        return f"{minutes} 分 {rest} 秒" if rest else f"{minutes} 分"
    return f"{rest} 秒"


@register.filter
def held_in(key: int, held: Container[int]) -> bool:
    """Whether `key` is among the keys that a person holds."""
    return key in held
