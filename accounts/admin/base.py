"""What the admin pages share: changes that reach the audit, and pages without any."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services.audit import record_audit


def get_actor(request: HttpRequest) -> User:
    return cast(User, request.user)


class AuditedAdmin(admin.ModelAdmin):
    """Writes an audit entry beside Django's own log: which fields, never their values."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, obj, "added", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._record(request, obj, "changed", message)
        return super().log_change(request, obj, message)

    def _record(
        self, request: HttpRequest, obj: Model, verb: str, message: Any
    ) -> None:
        options = obj._meta
        record_audit(
            action=f"admin.{options.model_name}_{verb}",
            target=f"{options.model_name}:{getattr(obj, 'code', obj.pk)}",
            actor=get_actor(request),
            now=timezone.now(),
            detail={"fields": list_fields(message)},
        )


def list_fields(message: Any) -> list[str]:
    """The changed fields in a message of Django's admin log."""
    if not isinstance(message, list):
        return []
    parts = [part for entry in message for part in entry.values()]
    return [str(field) for part in parts for field in part.get("fields", [])]


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows to look at, for those with the permission to view them."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(admin.StackedInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
