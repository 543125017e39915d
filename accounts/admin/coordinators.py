"""The people who act for units: appointed and ended by services, never as bare rows."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.base import (
    AuditedAdmin,
    ReadOnlyAdmin,
    RegionScopedAdmin,
    get_actor,
)
from accounts.errors import NoAppointmentError
from accounts.forms.staff import AppointmentForm, EndingForm
from accounts.models import CoordinatorInvitation, UnitAppointment
from accounts.services.coordinators import (
    appoint_coordinator,
    end_appointment_by_staff,
)
from accounts.tasks import deliver_messages

CHANGE = "accounts.change_unitappointment"


@admin.register(UnitAppointment)
class UnitAppointmentAdmin(RegionScopedAdmin, AuditedAdmin):
    form = AppointmentForm
    region_path = "unit__region"
    list_display = ("unit", "person", "appointed_at", "ended_at", "ending")
    list_select_related = ("unit", "person")
    search_fields = ("unit__name", "person__name")
    ordering = ("-appointed_at",)
    autocomplete_fields = ("unit", "person")
    fields = ("unit", "person")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Who may not end an appointment is not offered the link."""
        if get_actor(request).has_perm(CHANGE):
            return self.list_display
        return tuple(name for name in self.list_display if name != "ending")

    @admin.display(description="操作", empty_value="—")
    def ending(self, appointment: UnitAppointment) -> SafeString | None:
        if appointment.ended_at is not None:
            return None
        url = reverse("admin:accounts_unitappointment_end", args=[appointment.pk])
        return format_html('<a href="{}">结束</a>', url)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A row is history: it is ended by its own page, with a reason."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        end = path(
            "<int:pk>/end/",
            self.admin_site.admin_view(self.end_view),
            name="accounts_unitappointment_end",
        )
        return [end, *super().get_urls()]

    def save_model(
        self, request: HttpRequest, obj: UnitAppointment, form: Any, change: bool
    ) -> None:
        row = appoint_coordinator(
            unit=obj.unit,
            person=obj.person,
            actor=get_actor(request),
            now=timezone.now(),
        )
        obj.pk, obj.appointed_at = row.pk, row.appointed_at

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reason, then end the appointment; the last one of a unit too."""
        actor = get_actor(request)
        if not actor.has_perm(CHANGE):
            raise PermissionDenied
        appointments = self.get_queryset(request).select_related("unit", "person")
        appointment = get_object_or_404(appointments, pk=pk)
        form = EndingForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            return self._end(request, appointment, form.cleaned_data["reason"])
        context = self.admin_site.each_context(request) | {
            "title": "结束经办人身份",
            "appointment": appointment,
            "form": form,
            "opts": UnitAppointment._meta,
        }
        return TemplateResponse(
            request, "admin/accounts/unitappointment/end.html", context
        )

    def _end(
        self, request: HttpRequest, appointment: UnitAppointment, reason: str
    ) -> HttpResponse:
        try:
            end_appointment_by_staff(
                appointment=appointment,
                reason=reason,
                actor=get_actor(request),
                now=timezone.now(),
            )
            deliver_messages.delay_on_commit()
            messages.success(request, f"{appointment.person}不再担任经办人。")
        except NoAppointmentError as error:
            messages.error(request, str(error))
        return redirect("admin:accounts_unitappointment_changelist")


@admin.register(CoordinatorInvitation)
class CoordinatorInvitationAdmin(RegionScopedAdmin, ReadOnlyAdmin):
    region_path = "unit__region"
    list_display = (
        *("unit", "phone_mask", "invited_by", "state", "created_at", "person"),
    )
    list_filter = ("state",)
    list_select_related = ("unit", "invited_by", "person")
    search_fields = ("unit__name",)
    ordering = ("-created_at",)
    exclude = ("phone_index", "token_hash")
