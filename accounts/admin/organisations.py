"""Regions, work units and the people in them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.base import (
    AuditedAdmin,
    ReadOnlyAdmin,
    ReadOnlyInline,
    RegionScopedAdmin,
)
from accounts.forms.staff import UnitForm
from accounts.models import Region, Unit, UnitAppointment, UnitMember


@admin.register(Region)
class RegionAdmin(AuditedAdmin):
    list_display = ("name", "code", "kind", "valid_from", "valid_until", "successor")
    list_filter = ("kind",)
    search_fields = ("name", "code")
    ordering = ("position", "code")
    autocomplete_fields = ("successor",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Old certificates must stay explainable: a region ends, it does not vanish."""
        return False


class AppointmentInline(ReadOnlyInline):
    model = UnitAppointment
    template = "admin/edit_inline/tabular.html"
    fields = ("person", "appointed_at", "ended_at")
    ordering = ("-appointed_at",)


@admin.register(Unit)
class UnitAdmin(RegionScopedAdmin, AuditedAdmin):
    form = UnitForm
    list_display = ("name", "region", "credit_code", "is_active", "created_at")
    list_filter = ("is_active", "region")
    list_select_related = ("region",)
    search_fields = ("name", "credit_code")
    ordering = ("region__position", "name")
    autocomplete_fields = ("region",)
    inlines = (AppointmentInline,)


@admin.register(UnitMember)
class UnitMemberAdmin(RegionScopedAdmin, ReadOnlyAdmin):
    region_path = "unit__region"
    list_display = ("unit", "person", "source", "joined_at", "ended_at")
    list_filter = ("source",)
    list_select_related = ("unit", "person")
    search_fields = ("unit__name", "person__name")
    ordering = ("-joined_at",)
    show_full_result_count = False
