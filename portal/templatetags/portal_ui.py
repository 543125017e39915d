"""Filters and tags of the shared components: money, form widgets, page numbers."""

import functools
from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, Select, SelectMultiple, Widget
from django.forms.widgets import (
    CheckboxSelectMultiple,
    ChoiceWidget,
    FileInput,
    HiddenInput,
    RadioSelect,
)
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from catalog.models import Plan
from portal.lib.money import format_yuan

register = template.Library()


@register.filter
def yuan(fen: int | None) -> str:
    """Return an amount of fen as yuan with two decimals, `3300` as `33.00`."""
    return "" if fen is None else format_yuan(fen)


@register.filter
def percent_of(value: int | float | None, whole: int | float | None) -> int:
    """Return `value` as a whole percentage of `whole`, never more than 100.

    Rounded down, so that 100 is shown for what is complete only.
    """
    if not value or not whole:
        return 0
    return min(100, int(value * 100 / whole))


class HasCover(Protocol):
    """A plan, or the few of its values that choose its cover."""

    @property
    def entry(self) -> int: ...
    @property
    def field(self) -> str: ...
    @property
    def subject(self) -> str: ...


class HasField(Protocol):
    """A course, or the value of it that chooses its drawing."""

    @property
    def field(self) -> str: ...


@register.simple_tag
def plan_cover(plan: HasCover) -> str:
    """Address of the plan's cover: red for entry one, blue for entry two."""
    tone = "blue" if plan.entry == Plan.Entry.TWO else "red"
    return static(f"img/covers/{plan.field or plan.subject}_{tone}.svg")


@register.simple_tag
def course_cover(course: HasField) -> str:
    """Address of the drawing of the course's field."""
    return static(f"img/covers/{course.field}.svg")


def _widget(field: BoundField) -> Widget:
    widget: Widget = field.field.widget
    return widget


@register.filter
def widget_kind(field: BoundField) -> str:
    """Name the layout `components/_field.html` uses for a field's widget."""
    widget = _widget(field)
    kinds: tuple[tuple[type[Widget], str], ...] = (
        (HiddenInput, "hidden"),
        (CheckboxSelectMultiple, "choices"),
        (RadioSelect, "choices"),
        (CheckboxInput, "checkbox"),
        (FileInput, "file"),
        (Select, "select"),
        (SelectMultiple, "select"),
        (ChoiceWidget, "select"),
    )
    return next((kind for cls, kind in kinds if isinstance(widget, cls)), "input")


CSS_CLASS_OF_KIND = {
    "input": "form-control",
    "select": "form-select",
    "checkbox": "form-check-input",
    "choices": "form-check-input",
}


@register.filter
def add_widget_class(field: BoundField, css_class: str = "") -> SafeString:
    """Render the field's widget with Bootstrap's classes and `css_class`.

    Classes set on the widget by the form are kept; a bound field with errors also gets
    `is-invalid`. Django itself adds `aria-invalid` and `aria-describedby`.
    """
    classes = [
        _widget(field).attrs.get("class", ""),
        CSS_CLASS_OF_KIND.get(widget_kind(field), ""),
        css_class,
        "is-invalid" if field.errors else "",
    ]
    return field.as_widget(attrs={"class": " ".join(filter(None, classes))})


@register.filter
def marks_required(field: BoundField) -> bool:
    """Whether the label carries the red mark: required fields of forms that say so."""
    return field.field.required and field.form.use_required_attribute


@register.simple_tag
def elided_pages(page: Page) -> Iterator[int | str]:
    """Return page numbers around the current one, with an ellipsis for gaps."""
    return page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)


@register.simple_tag
@functools.cache
def page_url(name: str) -> str:
    """Return the address of a page without parameters.

    As `{% url %}`, but looked up once: the frame of every page holds twenty of them.
    """
    return reverse(name)


@register.filter
def local_day(moment: datetime) -> dict[str, str]:
    """Return a moment's day in local time as `iso`, `month` (2026-06) and `day` (15).

    Lists of news write three forms of one date; the general date filter takes ten times as
    long for them.
    """
    iso = timezone.localtime(moment).strftime("%Y-%m-%d")
    return {"iso": iso, "month": iso[:7], "day": iso[8:]}
