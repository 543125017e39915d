"""What the pages for staff share: publishing with checks, and how things are shown."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from accounts.models import User
from catalog.errors import CatalogError
from catalog.forms import OrderedFormSet, OrderedRowForm


def show_problems(problems: list[str]) -> str:
    """What keeps something from being published, as a list for the page of staff."""
    if not problems:
        return "检查通过，可以发布"
    return format_html(
        "<ul>{}</ul>",
        format_html_join("", "<li>{}</li>", ((problem,) for problem in problems)),
    )


def say_duration(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes}:{seconds:02d}" if milliseconds else "—"


class OrderedInline(admin.TabularInline):
    """Rows with numbers that can be typed, moved by buttons or dragged (admin_order.js)."""

    form = OrderedRowForm
    formset = OrderedFormSet
    classes = ["in-order"]
    extra = 0

    class Media:
        js = ["js/admin_order.js"]


def save_in_order(formset: OrderedFormSet, order: Callable[[list[int]], None]) -> None:
    """Save the rows of an `OrderedInline`, then let `order` number them."""
    rows = formset.list_in_order()
    formset.set_numbers_aside()
    formset.save()
    order([form.instance.pk for form in rows])


class PublishAdmin(admin.ModelAdmin):
    """Publishing has checks; the box itself cannot be ticked.

    It is an action of the list, and a button of the page that saves what stands there first.
    """

    actions = ["publish", "withdraw"]
    change_form_template = "admin/catalog/publish_form.html"
    publish_row: Callable[..., Any]
    withdraw_row: Callable[..., Any]
    row_argument: str
    lock_row: Callable[[int], Any]
    find_problems: Callable[[Any], list[str]]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """What is about to be saved is locked before it is read: whatever is published, put in
        order or saved at the same moment comes before it or after it."""
        if request.method == "POST" and transaction.get_connection().in_atomic_block:
            row = super().get_object(request, object_id, from_field)
            if row is not None:
                self.lock_row(row.pk)
        return super().get_object(request, object_id, from_field)

    @admin.action(description="发布所选项目（先检查）", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._apply(request, queryset, self.publish_row, "已发布")

    @admin.action(description="撤回所选项目（改为草稿）", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._apply(request, queryset, self.withdraw_row, "已撤回")

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if obj.is_published and "_withdraw" not in request.POST:
            self._warn(request, obj)
        rows = self.model._default_manager.filter(pk=obj.pk)
        if "_publish" in request.POST:
            self._apply(request, rows, self.publish_row, "已保存并发布")
        elif "_withdraw" in request.POST:
            self._apply(request, rows, self.withdraw_row, "已保存并撤回")
        else:
            return super().response_change(request, obj)
        return redirect(request.path)

    def _warn(self, request: HttpRequest, obj: Any) -> None:
        """What is published already is saved whatever it lacks; staff hear of it."""
        problems = self.find_problems(obj)
        if problems:
            text = f"《{obj}》已发布，但现在有以下问题，请尽快处理："
            self.message_user(request, text + "；".join(problems), messages.WARNING)

    def _apply(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        change: Callable[..., Any],
        done: str,
    ) -> None:
        actor, now = cast(User, request.user), timezone.now()
        for row in queryset.order_by("pk"):
            try:
                change(**{self.row_argument: row.pk}, actor=actor, now=now)
            except CatalogError as error:
                self.message_user(
                    request, f"《{row}》未能办理：{error.message}", messages.ERROR
                )
            else:
                self.message_user(request, f"《{row}》{done}", messages.SUCCESS)
