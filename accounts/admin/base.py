"""What the admin pages share: changes that reach the audit, and pages without any."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User
from accounts.queries.supervision import find_supervised_regions
from accounts.services.audit import record_audit

_SCOPE = "region_scope"


def get_actor(request: HttpRequest) -> User:
    return cast(User, request.user)


def get_region_scope(request: HttpRequest) -> frozenset[int] | None:
    """The regions this member of the staff is bound to, read once a request; None: to none."""
    kept: dict[str, frozenset[int] | None] = request.__dict__
    if _SCOPE not in kept:
        kept[_SCOPE] = find_supervised_regions(get_actor(request))
    return kept[_SCOPE]


class RegionScopedAdmin(admin.ModelAdmin):
    """Rows of the own regions only, for district supervisors: to look at, never to change.

    `region_path` leads from a row to its region. All that a page shows comes from
    `get_queryset`, so the address of a row elsewhere answers as if there were none.
    """

    region_path = "region"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        scope = get_region_scope(request)
        if scope is None:
            return rows
        return rows.filter(**{f"{self.region_path}__in": scope})

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Django leads to the start page, in words that quote the address."""
        if get_region_scope(request) is not None:
            raise Http404
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[misc,no-any-return]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return get_region_scope(request) is None and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return get_region_scope(request) is None and super().has_change_permission(
            request, obj
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return get_region_scope(request) is None and super().has_delete_permission(
            request, obj
        )


class AuditedAdmin(admin.ModelAdmin):
    """Writes an audit entry beside Django's own log: which fields, never their values."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, obj, "added", fields=list_fields(message))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, obj, "changed", fields=list_fields(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Django calls it before it deletes, for one row and for many."""
        for obj in queryset:
            self._record(request, obj, "deleted")
        return super().log_deletions(request, queryset)

    def describe_for_audit(self, obj: Any) -> Mapping[str, bool | list[str]]:
        """What of the row the audit must tell besides; nothing personal."""
        return {}

    def _record(
        self, request: HttpRequest, obj: Model, verb: str, **detail: list[str]
    ) -> None:
        options = obj._meta
        record_audit(
            action=f"admin.{options.model_name}_{verb}",
            target=f"{options.model_name}:{getattr(obj, 'code', obj.pk)}",
            actor=get_actor(request),
            now=timezone.now(),
            detail={**detail, **self.describe_for_audit(obj)},
        )


def list_fields(message: Any) -> list[str]:
    """The changed fields in a message of Django's admin log, and the kinds of rows that were
    added or taken away beside them."""
    if not isinstance(message, list):
        return []
    parts = [part for entry in message for part in entry.values()]
    return [
        str(field)
        for part in parts
        for field in part.get("fields") or filter(None, [part.get("name")])
    ]


class ReadOnlyMixin:
    """Rows that only services may write, on a page or within another's."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """Rows to look at, for those with the permission to view them."""


class ReadOnlyInline(ReadOnlyMixin, admin.StackedInline):
    extra = 0
    can_delete = False
