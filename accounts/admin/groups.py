"""The staff's roles: made by migration (`rules/roles.py`); a change by hand is audited."""

from collections.abc import Mapping

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group

from accounts.admin.base import AuditedAdmin

admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(AuditedAdmin, GroupAdmin):
    def describe_for_audit(self, obj: Group) -> Mapping[str, bool | list[str]]:
        """What the role allowed from then on; its rows may be gone when it is read."""
        permissions = obj.permissions.select_related("content_type").order_by(
            "content_type__app_label", "codename"
        )
        allowed = [
            f"{each.content_type.app_label}.{each.codename}" for each in permissions
        ]
        return {"names": [obj.name], "permissions": allowed}
